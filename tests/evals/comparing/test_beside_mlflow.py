"""The comparison of single samples beside the one that MLflow has from 3.18 on."""

from __future__ import annotations

from collections.abc import Callable

import mlflow.genai
import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Dataset
from linenotes.evals import Sample, compare_runs, evaluate
from linenotes.project import Project

_APP = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph
from linenotes.agents import prompt

class State(TypedDict, total=False):
    question: int
    answer: int

def answer(state):
    divisor = int(prompt("divisor").text)
    return {"answer": state["question"] if state["question"] % divisor else -1}

def build():
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph
"""


def is_right(sample: Sample) -> bool:
    return _answer(sample) == sample.expectations["answer"]


def spread(sample: Sample) -> float:
    return _answer(sample) * 37 % 101 / 10


def _answer(sample: Sample) -> int:
    assert isinstance(sample.output, dict)
    answer = sample.output["answer"]
    assert isinstance(answer, int)
    return answer


compare_evaluations = getattr(mlflow.genai, "compare_evaluations", None)


@pytest.mark.skipif(compare_evaluations is None, reason="MLflow compares from 3.18 on.")
def test_single_samples_are_compared_as_mlflow_compares_them(
    make_project: Callable[..., Project],
    numbers: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project(
        {"app.py": _APP, "prompts/divisor/v1.md": "5", "prompts/divisor/v2.md": "7"}
    )
    agent = load_agent("app.py:build", project)
    versions = [AgentVersion.resolve(agent, prompts={"divisor": one}) for one in ("v1", "v2")]
    base, candidate = (
        evaluate(one, numbers(60), [is_right, spread], samples=1).record for one in versions
    )
    assert compare_evaluations is not None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", project.tracking_uri)
    theirs = compare_evaluations(candidate.plan.run_id, base.plan.run_id).scorers
    passes, number = (
        compare_runs(base, candidate, metric=metric).result for metric in ("is_right", "spread")
    )
    assert theirs["is_right"].method.startswith("mcnemar")
    assert passes.p_no_difference == pytest.approx(theirs["is_right"].p_value)
    assert number.p_no_difference == pytest.approx(theirs["spread"].t_test_p_value)
    assert [passes.delta, number.delta] == pytest.approx(
        [theirs[metric].diff for metric in ("is_right", "spread")]
    )
    assert (passes.n_cases, passes.unchanged) == (60, theirs["is_right"].ties)
