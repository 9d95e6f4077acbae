from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case, Dataset
from linenotes.evals import RunResult, RunStore, Sample, evaluate
from linenotes.project import AgentError, ModelError, Project, PromptError, RunError

SECRET = "sk-proj-" + "Zq3" * 16
SEEDED = """
from langchain_core.messages import AIMessage
from linenotes.agents import current_sample

def answer(state):
    scope = current_sample()
    number = state["question"] * (scope.call_seed("a", "same") % 2)
    return {"answer": AIMessage(str(number), id=f"{scope.case}-{scope.sample}")}
"""


def right(sample: Sample) -> bool:
    assert isinstance(sample.output, dict)
    return str(sample.expectations["answer"]) in str(sample.output["answer"])


def answers(result: RunResult) -> dict[tuple[str, int], Any]:
    samples = result.record.samples.items()
    return {
        key: sample.output["answer"] for key, sample in samples if isinstance(sample.output, dict)
    }


def timeless(result: RunResult) -> dict[tuple[str, int], object]:
    return {
        key: (
            sample.output,
            [replace(message, start_ns=0, end_ns=0, activation=None) for message in sample.ledger],
            [span.name for span in sample.trace.spans],
            result.record.scores[key],
        )
        for key, sample in result.record.samples.items()
    }


@pytest.mark.slow
def test_results_do_not_depend_on_how_many_workers_there_are(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node(SEEDED)
    here, there = (
        evaluate(version, numbers(8), [right], samples=3, seed=7, workers=workers)
        for workers in (1, 3)
    )
    assert timeless(here) == timeless(there)
    assert here.estimates == there.estimates
    assert there.traces.expected == there.traces.stored == 24
    live = Project.find().live
    assert not [path for path in live.glob("*") if there.record.plan.run_id in path.read_text()]


@pytest.mark.slow
def test_the_samples_are_shared_out_and_what_agents_print_is_not_the_answer(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    capfd: pytest.CaptureFixture[str],
) -> None:
    node = """
import os, sys, time

def answer(state):
    print("said by an agent")
    os.system("echo said by a tool")
    time.sleep(0.05)
    assert sys.stdin.read() == ""
    return {"answer": [os.getpid(), os.environ["DO_NOT_TRACK"]]}
"""
    result = evaluate(one_node(node), numbers(12), [right], samples=1, concurrency=4, workers=2)
    pids = {pid for pid, _ in answers(result).values()}
    assert len(pids) == 2
    assert os.getpid() not in pids
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("said by an agent") == err.count("said by a tool") == 12


@pytest.mark.slow
def test_nothing_waits_behind_a_worker_that_is_stuck(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    node = f"""
import time
from pathlib import Path
done = Path({str(tmp_path)!r}) / "done"

async def answer(state):
    done.mkdir(exist_ok=True)
    while state["question"] == 0 and len(list(done.iterdir())) < 11:
        time.sleep(0.01)  # its event loop stands still
    (done / str(state["question"])).touch()
    return {{"answer": state["question"]}}
"""
    result = evaluate(one_node(node), numbers(12), samples=1, concurrency=2, workers=2)
    assert result.scored == 12


@pytest.mark.slow
def test_concurrency_counts_over_all_workers(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    node = f"""
import time
from pathlib import Path
here = Path({str(tmp_path)!r}) / "here"

def answer(state):
    here.mkdir(exist_ok=True)
    mine = here / str(state["question"])
    mine.touch()
    time.sleep(0.05)
    seen = len(list(here.iterdir()))
    mine.unlink()
    return {{"answer": seen}}
"""
    result = evaluate(one_node(node), numbers(20), [right], samples=1, concurrency=3, workers=2)
    assert {1, 2, 3} >= set(answers(result).values()) >= {2}


@pytest.mark.slow
def test_a_mistake_of_the_users_comes_from_the_worker_as_it_is(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = """
from linenotes.agents import prompt

def answer(state):
    return {"answer": prompt("greet").text}
"""
    with pytest.raises(PromptError, match=r"^There is no prompt 'greet'"):
        evaluate(one_node(node), numbers(3), samples=1, workers=2)


@pytest.mark.slow
def test_an_endpoint_that_is_gone_ends_a_run_of_workers_too(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = "def answer(state):\n    raise ConnectionError('connection refused')\n"
    with pytest.raises(ModelError, match=r"failed 5 samples in a row.*--resume"):
        evaluate(one_node(node), numbers(30), samples=1, concurrency=2, workers=2)


@pytest.mark.slow
def test_an_agent_that_exits_the_program_exits_no_more_than_its_worker(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = "import sys\nasync def answer(state):\n    sys.exit(0)\n"
    with pytest.raises(AgentError, match=r"sys\.exit\(0\)"):
        evaluate(one_node(node), numbers(3), samples=1, workers=2)


@pytest.mark.slow
def test_agents_get_their_cases_whole_and_no_message_holds_their_secrets(
    one_node: Callable[..., AgentVersion], tmp_path: Path
) -> None:
    node = f"def answer(state):\n    return {{'answer': len(state['question']) == {len(SECRET)}}}\n"
    golden = tmp_path / "cases.jsonl"
    golden.write_text(f'{{"id": "a", "inputs": {{"question": "{SECRET}"}}}}\n')
    result = evaluate(one_node(node), "cases.jsonl", [right_length], samples=2, workers=2)
    assert answers(result) == {("a", 0): True, ("a", 1): True}
    assert SECRET not in result.record.plan.model_dump_json()


def right_length(sample: Sample) -> bool:
    return SECRET not in str(sample.inputs)


@pytest.mark.slow
def test_cases_that_no_worker_could_read_again_are_told(
    one_node: Callable[..., AgentVersion],
) -> None:
    made = Dataset("made", (Case(id="a", inputs={"question": SECRET}),))
    with pytest.raises(RunError, match=r"its cases hold what a journal does not keep"):
        evaluate(one_node(), made, [right_length], samples=2, workers=2)


def test_an_agent_that_is_not_what_its_name_says_is_refused_before_anything_begins(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    _ = version.fingerprint
    source = version.agent.source()
    source.write_text(source.read_text().replace("state['question']", "0"))
    before = len(RunStore.of(version.agent.project).plans())
    with pytest.raises(AgentError, match=r"Workers cannot make agent 'app' again.*1 worker"):
        evaluate(version, numbers(3), workers=2)
    assert len(RunStore.of(version.agent.project).plans()) == before
