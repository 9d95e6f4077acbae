from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import evaluate
from linenotes.project import AgentError

DRIVER = """
from linenotes.datasets import Case, Dataset
from linenotes.evals import evaluate
cases = [Case(id=f"c{i}", inputs={"question": i}, expectations={}) for i in range(30)]
evaluate("app.py:build", Dataset("numbers", tuple(cases)), samples=1, concurrency=4, workers=2)
"""


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one that nobody has waited for still has an entry."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("waits", ["time.sleep(600)", "while True: pass"], ids=["sleeps", "works"])
def test_workers_do_not_outlive_a_driver_that_is_killed(
    one_node: Callable[..., AgentVersion], tmp_path: Path, waits: str
) -> None:
    one_node(f"""
import os, time
from pathlib import Path

async def answer(state):
    (Path({str(tmp_path)!r}) / f"pid-{{os.getpid()}}").touch()
    {waits}
""")
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], cwd=tmp_path)
    try:
        wait_until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    pids = [int(path.name.partition("-")[2]) for path in tmp_path.glob("pid-*")]
    wait_until(lambda: all(map(is_gone, pids)))


@pytest.mark.slow
def test_what_an_agent_forked_keeps_nobody_waiting_for_its_dead_worker(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    version = one_node(f"""
import os, time, warnings
from pathlib import Path

def answer(state):
    if state["question"] == 1:
        try:
            (Path({str(tmp_path)!r}) / "once").mkdir()
        except FileExistsError:
            return {{"answer": 1}}
        warnings.simplefilter("ignore")
        if os.fork() == 0:
            time.sleep(600)
        os._exit(1)
    return {{"answer": state["question"]}}
""")
    result = evaluate(version, numbers(4), samples=1, workers=2)
    assert result.estimates["matches_expectations"].mean == 1


ENDS_WHILE_IT_STARTS = """
import os, signal
from pathlib import Path
starts = Path({folder!r}) / "starts"
starts.mkdir(exist_ok=True)
if os.getpid() != {driver}:
    (starts / str(os.getpid())).touch()
    if len(list(starts.iterdir())) <= {times}:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def ends_while_it_starts(
    one_node: Callable[..., AgentVersion], tmp_path: Path
) -> Callable[[int], AgentVersion]:
    """Return an agent that kills the first worker processes which import it."""

    def make(times: int) -> AgentVersion:
        ends = ENDS_WHILE_IT_STARTS.format(folder=str(tmp_path), driver=os.getpid(), times=times)
        return one_node(f"{ends}\ndef answer(state):\n    return {{'answer': state['question']}}\n")

    return make


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_starts_costs_only_a_new_one(
    ends_while_it_starts: Callable[[int], AgentVersion],
    numbers: Callable[..., Dataset],
    tmp_path: Path,
) -> None:
    result = evaluate(ends_while_it_starts(2), numbers(4), samples=1, concurrency=2, workers=2)
    assert result.estimates["matches_expectations"].mean == 1
    assert len(list((tmp_path / "starts").iterdir())) == 4


@pytest.mark.slow
def test_workers_that_never_get_ready_end_the_run(
    ends_while_it_starts: Callable[[int], AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    told = r"^3 worker processes in a row ended before.* one was ended by SIGKILL\."
    with pytest.raises(AgentError, match=told):
        evaluate(ends_while_it_starts(100), numbers(2), samples=1, workers=2)
