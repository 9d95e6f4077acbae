"""Runs with secrets in cases and prompts: the journal does not keep them, the agent gets them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Evaluation, RunResult, evaluate
from linenotes.project import Project, Redactor, RunError

KEY = "sk-proj-" + "a1B2" * 8
NODE = """
from pathlib import Path
from linenotes.agents import prompt

KEY = "sk-proj-" + "a1B2" * 8

def answer(state):
    if not Path("up").exists():
        raise ConnectionError("no route for " + state["question"])
    assert prompt("greet").text == f"Use {KEY}."
    return {"answer": [state["question"], state["question"] == f"is it {KEY}?"]}
"""
SCORERS = """
KEY = "sk-proj-" + "a1B2" * 8

def as_expected(sample):
    return sample.output["answer"] == sample.expectations["answer"]

def sees_the_key(sample):
    return KEY in str(sample)
"""


@pytest.fixture
def interrupted(one_node: Callable[..., AgentVersion]) -> RunResult:
    """A run of which the infrastructure failed every sample."""
    case = {
        "id": f"c {KEY}",
        "inputs": {"question": f"is it {KEY}?"},
        "expectations": {"answer": [f"is it {KEY}?", True]},
    }
    files = {
        "cases.jsonl": orjson.dumps(case).decode(),
        "prompts/greet/v1.md": f"Use {KEY}.",
        "scorers.py": SCORERS,
    }
    version = one_node(NODE, files)
    scorers = ["scorers.py:as_expected", "scorers.py:sees_the_key"]
    return evaluate(version, "cases.jsonl", scorers, samples=1)


def test_a_run_goes_on_with_cases_and_prompts_that_its_journal_does_not_hold(
    interrupted: RunResult, tmp_path: Path
) -> None:
    run_id = interrupted.record.plan.run_id
    assert interrupted.errors["infrastructure"] == 1
    (tmp_path / "up").touch()
    (again,) = Evaluation(Project.find()).resume(run_id, retry_errors=True)
    (sample,) = again.record.samples.values()
    assert sample.output == {
        "question": Redactor().text(f"is it {KEY}?"),
        "answer": [Redactor().text(f"is it {KEY}?"), True],
    }
    means = {name: estimate.mean for name, estimate in again.estimates.items()}
    assert means == {"as_expected": 1, "sees_the_key": 0}
    folder = Path(os.environ["LINENOTES_STATE"]) / "runs" / run_id
    assert not [path for path in folder.rglob("*") if KEY.encode() in path.read_bytes()]


def test_what_only_the_trace_gives_away_is_masked_in_the_output_too(
    one_node: Callable[..., AgentVersion], numbers: Callable[[int], Dataset]
) -> None:
    node = """
from langchain_core.tools import tool

@tool
def log_in(password: str) -> str:
    "Log in."
    return "welcome"

def answer(state):
    log_in.invoke({"password": "correct horse battery staple"})
    if state["question"] == 0:
        raise ValueError("no entry for correct horse battery staple")
    return {"answer": "it is correct horse battery staple"}
"""
    result = evaluate(one_node(node), numbers(2), samples=1)
    folder = Path(os.environ["LINENOTES_STATE"]) / "runs" / result.record.plan.run_id
    failed, answered = (result.record.samples[f"c{n}", 0] for n in range(2))
    assert "no entry for [secret:password:" in str(failed.error)
    assert "it is [secret:password:" in str(answered.output)
    assert not [path for path in folder.iterdir() if "battery" in path.read_text()]


@pytest.mark.parametrize("change", ["edited", "gone"])
def test_a_run_does_not_go_on_with_other_cases_than_it_began_with(
    interrupted: RunResult, tmp_path: Path, change: str
) -> None:
    golden = tmp_path / "cases.jsonl"
    if change == "gone":
        golden.unlink()
    else:
        golden.write_text(golden.read_text().replace("true", "false"))
    with pytest.raises(
        RunError, match=r"cannot be continued: its cases hold .* Restore the"
    ) as told:
        Evaluation(Project.find()).resume(interrupted.record.plan.run_id, retry_errors=True)
    assert KEY not in str(told.value)


def test_the_journal_of_a_run_without_secrets_is_enough_to_go_on(
    one_node: Callable[..., AgentVersion], tmp_path: Path
) -> None:
    node = NODE.replace("KEY = ", "KEY = 'nothing' or ")
    case = {"id": "c", "inputs": {"question": "is it nothing?"}}
    files = {"cases.jsonl": orjson.dumps(case).decode(), "prompts/greet/v1.md": "Use nothing."}
    scorers = {"scorers.py": "def done(sample):\n    return sample.output['answer'][1]\n"}
    version = one_node(node, files | scorers)
    result = evaluate(version, "cases.jsonl", ["scorers.py:done"], samples=1)
    (tmp_path / "cases.jsonl").unlink()
    (tmp_path / "prompts/greet/v1.md").write_text("Use something.")
    (tmp_path / "up").touch()
    (again,) = Evaluation(Project.find()).resume(result.record.plan.run_id, retry_errors=True)
    assert again.estimates["done"].mean == 1
