"""Real processes that are killed: what they had done can be read, and who lives is certain."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

from linenotes.project import Project, RunError
from linenotes.tracing import LiveTrace, discard_live, find_live, live_traces, record

Script = Callable[[str], subprocess.CompletedProcess[str]]
KILLED_AT_RANDOM = """
import pathlib, random, signal
def written():
    return sum(path.stat().st_size for path in pathlib.Path(".linenotes/live").glob("tr-*"))
for n in range(12):
    enough = written() + random.Random(n).randrange(1, 12_000)  # bytes: up to some ten messages
    child = os.fork()
    if child == 0:
        go(agent=f"talk {n}")
    while n % 4 and written() < enough:  # the others are killed before they came to begin
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
KILLS_ITSELF = """
import signal
def kill(message):
    if message.text.startswith("6 "):
        os.kill(os.getpid(), signal.SIGKILL)
go(agent="talk", case="c1", sample=3, trace_id="tr-" + "a" * 32, on_message=kill)
"""
FORKS = """
with record(durable=True, trace_id="tr-" + "b" * 32):
    pass
ready, done = os.pipe()
with record(durable=True, trace_id="tr-" + "a" * 32):
    if os.fork() == 0:
        os.close(done)
        os.read(ready, 1)  # outlives the one that records
        os._exit(0)
    os.kill(os.getpid(), 9)
"""


def test_whenever_a_process_is_killed_what_it_had_said_is_there(
    script: Script, project: Project
) -> None:
    ended = script(KILLED_AT_RANDOM)
    assert ended.returncode == 0, ended.stderr
    found = live_traces(project)
    assert len(found) >= 6, "most of the processes came to begin"
    assert any(len(live.trace.messages) > 3 for live in found)
    for live in found:
        assert_tells_a_prefix_of_the_talk(live)


def assert_tells_a_prefix_of_the_talk(live: LiveTrace) -> None:
    assert (live.alive, live.ended, live.trace.state) == (False, False, "IN_PROGRESS")
    actors = ["user", *["ping", "pong"] * len(live.trace.messages)]
    for n, message in enumerate(live.trace.messages):
        assert message.text == f"{n} {actors[n]}"
        assert message.sender == actors[n]
        assert message.recipients in ((actors[n + 1],), ())
        assert message.recipients or n == len(live.trace.messages) - 1
    agents = [span for span in live.trace.spans if span.type == "AGENT"]
    assert all(span.end_ns is not None for span in agents[:-1])
    assert len(live.trace.running) <= 1


def test_the_running_agent_of_a_killed_process_is_known(script: Script, project: Project) -> None:
    assert script(KILLS_ITSELF).returncode == -signal.SIGKILL
    live = find_live(project, "aaaa")
    assert live is not None
    trace = live.trace
    assert (trace.name, trace.case, trace.sample) == ("talk", "c1", 3)
    assert len(trace.messages) >= 6
    assert len(trace.running) == 1
    assert trace.running[0] in {"ping", "pong"}
    assert not live.alive


def test_a_process_that_lives_is_told_from_a_dead_one(project: Project) -> None:
    with record(project=project, durable=True):
        [live] = live_traces(project)
        assert (live.alive, live.ended) == (True, False)
    [left] = live_traces(project)
    assert (left.alive, left.ended, left.trace.state) == (False, True, "OK")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_does_not_keep_a_dead_process_alive(script: Script, project: Project) -> None:
    script(FORKS)
    assert [live.alive for live in live_traces(project)] == [False, False]


def test_recording_a_trace_again_replaces_what_was_left(script: Script, project: Project) -> None:
    script(KILLS_ITSELF)
    with record(project=project, durable=True, trace_id="tr-" + "a" * 32):
        [live] = live_traces(project)
        assert (live.alive, live.trace.messages) == (True, ())
    discard_live(project, "tr-" + "a" * 32)
    assert live_traces(project) == []
    assert list(project.live.iterdir()) == []


def test_several_or_none_are_not_guessed(project: Project) -> None:
    for digit in "ab":
        with record(project=project, durable=True, trace_id=f"tr-0000{digit * 28}"):
            pass
    assert find_live(project, "tr-0000") is None
    assert find_live(project, "cccc") is None
    found = find_live(project, "0000A")
    assert found is not None
    assert found.trace.trace_id == "tr-0000" + "a" * 28


@pytest.mark.parametrize("name", ["tr-", "", "t", "tr-0", "000", "tr-*"])
def test_less_than_four_digits_mean_no_recording(project: Project, name: str) -> None:
    with pytest.raises(RunError, match=r"too short|not the id"):
        find_live(project, name)


def test_other_files_are_left_out(project: Project) -> None:
    project.live.mkdir(parents=True)
    (project.live / "tr-notes.jsonl").write_text("not ours\n", encoding="utf-8")
    (project.live / "tr-empty.jsonl").touch()
    assert live_traces(project) == []
