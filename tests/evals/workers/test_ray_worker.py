"""Ray for real: a cluster of this machine with two workers, one of which is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import RunResult, RunStore, evaluate
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import AgentError, Project

pytestmark = pytest.mark.slow
SEEDED = """
import os, time
from pathlib import Path
from linenotes.agents import current_sample

def answer(state):
    scope = current_sample()
    (Path({folder!r}) / f"pid-{{os.getpid()}}").touch()
    time.sleep(0.05)
    return {{"answer": state["question"] * (scope.call_seed("a", "same") % 2)}}
"""


def outputs(result: RunResult) -> dict[tuple[str, int], object]:
    return {key: sample.output for key, sample in result.record.samples.items()}


def finished(result: RunResult) -> Counter[tuple[str, int]]:
    journal = RunStore.of(Project.find()).path(result.record.plan.run_id) / FILE_NAME
    lines = [orjson.loads(line) for line in journal.read_bytes().splitlines()]
    return Counter((e["case"], e["sample"]) for e in lines if e["event"] == "finished")


def kill_one_of_two(folder: Path, killed: list[int]) -> None:
    """Kill a worker in the middle of its work, as soon as there are two."""
    until = time.monotonic() + 300
    while len(pids := sorted(folder.glob("pid-*"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    killed += [int(path.name.partition("-")[2]) for path in pids[:1]]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)


def test_a_killed_ray_worker_costs_only_what_it_had_in_flight_and_results_are_as_local_ones(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    version = one_node(SEEDED.format(folder=str(folder)))
    here = evaluate(version, numbers(60), samples=2, seed=7)
    for path in folder.iterdir():
        path.unlink()
    killed: list[int] = []
    killer = threading.Thread(target=kill_one_of_two, args=(folder, killed))
    killer.start()
    there = evaluate(
        version, numbers(60), samples=2, seed=7, concurrency=4, workers=2, executor="ray"
    )
    killer.join()
    assert len(killed) == 1
    assert len(list(folder.iterdir())) == 3, "another took the place of the dead one"
    assert outputs(there) == outputs(here)
    assert there.estimates == here.estimates
    assert finished(there) == {(f"c{i}", k): 1 for i in range(60) for k in range(2)}
    assert there.errors == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert there.traces.expected == there.traces.stored == 120


def test_an_agent_that_exits_the_program_ends_a_run_on_ray_as_it_does_here(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = "import sys\nasync def answer(state):\n    sys.exit(0)\n"
    with pytest.raises(AgentError, match=r"sys\.exit\(0\)"):
        evaluate(one_node(node), numbers(3), samples=1, executor="ray")
