"""One real store for all tests of a process, small real graphs, and records made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Case, Dataset
from linenotes.evals import Failure, RunPlan, RunRecord, Sample, Score
from linenotes.evals.journal._samples import Outcome
from linenotes.project import ModelSettings, Project
from linenotes.tracing import Message, Tokens, Trace, trace_id_for

ONE_NODE = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict, total=False):
    question: object
    answer: object

{node}

def build():
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph
"""
ECHO = "def answer(state):\n    return {'answer': state['question']}\n"
_START = 1_790_000_000_000_000_000


@pytest.fixture(scope="session")
def shared_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder for all tests: creating a store takes seconds."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(autouse=True)
def _environment(shared_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(shared_state))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Write files into a fresh folder, step into it, and return the project that it is."""

    def make(files: Mapping[str, str] | None = None) -> Project:
        (tmp_path / "pyproject.toml").touch()
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return Project.find()

    return make


@pytest.fixture
def one_node(make_project: Callable[..., Project]) -> Callable[..., AgentVersion]:
    """Return a version of a graph with the one node `answer`, given as source."""

    def make(node: str = ECHO, files: Mapping[str, str] | None = None) -> AgentVersion:
        project = make_project({"app.py": ONE_NODE.format(node=node), **(files or {})})
        return AgentVersion.resolve(load_agent("app.py:build", project))

    return make


@pytest.fixture(scope="session")
def numbers() -> Callable[..., Dataset]:
    """Return a dataset of n cases that ask for a number and expect the same."""

    def make(n: int) -> Dataset:
        return Dataset(
            "numbers",
            tuple(
                Case(id=f"c{i}", inputs={"question": i}, expectations={"answer": i})
                for i in range(n)
            ),
        )

    return make


@pytest.fixture(scope="session")
def make_sample() -> Callable[..., Sample]:
    return _sample


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., RunPlan]:
    return _plan


@pytest.fixture(scope="session")
def make_record() -> Callable[..., RunRecord]:
    """Return a record of `metric` from {case: [value or error kind, one a sample]}."""

    def make(
        values: Mapping[str, Sequence[bool | float | str | None]],
        *,
        failed: Mapping[tuple[str, int], Failure] | None = None,
        **plan: object,
    ) -> RunRecord:
        cases = tuple(_case(case_id) for case_id in values)
        deepest = max((len(row) for row in values.values()), default=1)
        made = _plan(**{"cases": cases, "samples": deepest, **plan})
        failed = failed or {}
        keys = [(case, i) for case in made.cases for i in range(len(values.get(case.id, ())))]
        samples = {(c.id, i): _sample(c, i, error=failed.get((c.id, i))) for c, i in keys}
        scores: dict[tuple[str, int], tuple[Score, ...]] = {
            (c.id, i): () if (c.id, i) in failed else (_score(values[c.id][i]),) for c, i in keys
        }
        outcomes = {key: Outcome.of(sample) for key, sample in samples.items()}
        return RunRecord(made, outcomes, samples, scores)

    return make


def _score(value: bool | float | str | None) -> Score:
    if value is None:
        return Score("correct", error=Failure("scorer", "KeyError", "'team'"))
    return Score("correct", value=value)


def _case(case_id: str) -> Case:
    return Case(id=case_id, inputs={"question": case_id}, expectations={"answer": 1})


def _sample(case: Case | None = None, index: int = 0, *, error: Failure | None = None) -> Sample:
    case = case or _case("c0")
    said = Message(
        id="m1",
        kind="reply",
        sender="answer",
        recipients=("user",),
        text="Grüße 🙏",
        tokens=Tokens(input=5, output=2),
        cost=0.0,
        sampled=True,
    )
    trace = Trace(
        trace_id=trace_id_for("run", case.id, index),
        name="app",
        state="ERROR" if error else "OK",
        start_ns=_START,
        end_ns=_START + 250_000_000,
        request="What?",
        response="",
        spans=(),
        messages=(said,),
        case=case.id,
        sample=index,
        error=str(error) if error else None,
    )
    return Sample(case, index, None if error else {"answer": 1}, trace, error)


def _plan(**changes: object) -> RunPlan:
    composition = {
        "agent": "app",
        "code": "c" * 64,
        "graph": "g" * 64,
        "prompts": {},
        "models": {"default": {"model": "local:smollm2-135m", "temperature": 1.0}},
        "tools": [],
    }
    return RunPlan.model_validate(
        {
            "run_id": "a" * 32,
            "group": "g1",
            "created": datetime(2026, 1, 1, tzinfo=UTC),
            "agent": "app",
            "graph": "app.py:build",
            "version": "v1",
            "fingerprint": "f" * 64,
            "composition": composition,
            "prompts": {},
            "models": {"default": ModelSettings()},
            "commit": None,
            "model_id": "m-1",
            "dataset": {"name": "numbers", "digest": "d" * 64},
            "cases": (_case("c0"), _case("c1")),
            "samples": 1,
            "baseline": False,
            "seed": 0,
            "scorers": ("matches_expectations",),
            "metrics": ("correct",),
            **changes,
        }
    )
