"""The file itself: what the disk does not take never harms the recording."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.project import Project, Redactor, RedactorWithMemory
from linenotes.tracing import live_traces
from linenotes.tracing.recorder._live_log import LiveHeader, LiveLog

Script = Callable[[str], subprocess.CompletedProcess[str]]
HEADER = LiveHeader(
    trace_id="tr-" + "a" * 32, root_id="b" * 16, agent=None, case=None, sample=None, start_ns=1
)
FILLS_THE_DISK = """
import resource, warnings
from langgraph.errors import GraphRecursionError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        with record(durable=True) as ledger:
            talk().invoke({"messages": [("user", "0 user")]}, {"recursion_limit": 30})
    except GraphRecursionError:
        pass
print(len(ledger.trace.messages), len(caught), caught[0].message)
"""


def test_on_a_full_disk_the_run_goes_on_with_one_warning(script: Script, project: Project) -> None:
    ended = script(FILLS_THE_DISK)
    assert ended.returncode == 0, ended.stderr
    messages, warnings, text = ended.stdout.split(maxsplit=2)
    assert (int(messages), int(warnings)) == (31, 1)
    assert "No space left" in text
    [live] = live_traces(project)
    assert [m.text for m in live.trace.messages[:3]] == ["0 user", "1 ping", "2 pong"]
    assert len(live.trace.messages) < 31


FORKS = """
import contextvars, signal, threading
entered, leave = threading.Event(), threading.Event()
def hold(message):
    entered.set()
    leave.wait(60)
graph = StateGraph(MessagesState)
graph.add_node("ping", speaker("ping"))
graph.add_edge(START, "ping")
graph = graph.compile()
given = {"messages": [("user", "0 user")]}
with record(durable=True, on_message=hold) as ledger:
    context = contextvars.copy_context()
    heard = threading.Thread(target=context.run, args=(graph.invoke, given))
    heard.start()
    entered.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(len(graph.invoke(given)["messages"]))
    _, status = os.waitpid(child, 0)
    leave.set()
    heard.join()
print(os.waitstatus_to_exitcode(status), len(ledger.messages))
"""


def test_a_fork_runs_its_graphs_while_the_parent_is_heard(script: Script) -> None:
    ended = script(FORKS)
    assert ended.stdout.split() == ["2", "2"], ended.stderr


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "live").touch()
    log = LiveLog(tmp_path / "live", HEADER, RedactorWithMemory(Redactor()))
    log.write([{"graph": "g", "start": 1}])
    log.close()
    assert str(tmp_path / "live") in log.shortcoming
    assert log.shortcoming.endswith(".")


def test_a_recording_without_a_folder_warns_once_and_is_whole(project: Project) -> None:
    from linenotes.tracing import record

    project.make_state()
    project.live.touch()
    with pytest.warns(RuntimeWarning, match="cannot be written") as caught:  # noqa: SIM117  the block warns at its end
        with record(project=project, durable=True) as ledger:
            pass
    assert len(caught) == 1
    assert ledger.trace.state == "OK"


def test_lines_are_with_the_system_when_write_returns(tmp_path: Path) -> None:
    log = LiveLog(tmp_path, HEADER, RedactorWithMemory(Redactor()))
    log.write([{"graph": "g", "start": 1}, {"graph": "h", "start": 2}])
    [file] = tmp_path.iterdir()
    assert file.read_bytes().count(b"\n") == 3
    assert log.shortcoming == ""
    log.close()
    log.write([{"graph": "i", "start": 3}])
    assert file.read_bytes().count(b"\n") == 3
