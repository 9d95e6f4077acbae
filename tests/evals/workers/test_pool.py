from __future__ import annotations

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

DIES = """
import os, signal
from pathlib import Path
from langchain_core.messages import AIMessage
lives = Path({folder!r}) / "lives"

def die_at_most(times):
    for life in range(times):
        try:
            (lives / str(life)).mkdir(parents=True)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)

def answer(state):
    if state["question"] == 3:
        die_at_most({times})
    return {{"answer": state["question"]}}
"""


def finished(result: RunResult) -> Counter[tuple[str, int]]:
    journal = RunStore.of(Project.find()).path(result.record.plan.run_id) / FILE_NAME
    lines = [orjson.loads(line) for line in journal.read_bytes().splitlines()]
    return Counter((e["case"], e["sample"]) for e in lines if e["event"] == "finished")


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_killed_worker_had_in_flight_is_executed_by_others(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    tmp_path: Path,
    times: int,
) -> None:
    version = one_node(DIES.format(folder=str(tmp_path), times=times))
    result = evaluate(version, numbers(20), samples=1, concurrency=8, workers=2)
    assert result.errors == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert result.estimates["matches_expectations"].mean == 1
    assert finished(result) == {(f"c{i}", 0): 1 for i in range(20)}
    assert result.traces.stored == 20


@pytest.mark.slow
def test_a_sample_that_kills_every_worker_is_a_failure_of_the_agent_and_of_no_other_sample(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    version = one_node(DIES.format(folder=str(tmp_path), times=100))
    result = evaluate(version, numbers(12), samples=1, concurrency=6, workers=2)
    assert result.errors == {"infrastructure": 0, "agent": 1, "scorer": 0}
    failed = result.record.samples["c3", 0]
    assert failed.error is not None
    assert failed.error.type == "WorkerDied"
    assert "was ended by SIGKILL" in failed.error.message
    assert failed.trace.state == "ERROR"
    assert [span.name for span in failed.trace.spans if span.type == "AGENT"] == ["answer"]
    assert len(list((tmp_path / "lives").iterdir())) == 3
    assert finished(result) == {(f"c{i}", 0): 1 for i in range(12)}


@pytest.mark.slow
def test_workers_that_only_die_end_the_run(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node("import os\n\ndef answer(state):\n    os._exit(3)\n")
    with pytest.raises(
        AgentError, match=r"^5 worker processes died and no sample finished.* exited with code 3\."
    ):
        evaluate(version, numbers(30), samples=1, concurrency=2, workers=2)
