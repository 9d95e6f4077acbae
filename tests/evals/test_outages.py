"""Evaluations whose surroundings fail: no store, no home, two at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Arm,
    Evaluation,
    NotPublished,
    RunStore,
    Sample,
    evaluate,
    find_scorers,
)
from linenotes.evals.engine._progress import Silent
from linenotes.project import Project, StoreError
from linenotes.tracing import open_store, start_ui

NOBODY = "http://127.0.0.1:9"
GREETS = """
from linenotes.agents import prompt

def answer(state):
    return {"answer": prompt("greet").text and state["question"]}
"""
PROMPT = {"prompts/greet/v1.md": "Hello, you with the key sk-live-000000000000000000000000"}
RUN = """
import sys
from linenotes.datasets import Case, Dataset
from linenotes.evals import evaluate
cases = [Case(id=f"c{i}", inputs={"question": i}, expectations={"answer": i}) for i in range(8)]
dataset = Dataset("numbers", tuple(cases))
result = evaluate("app.py:build", dataset, samples=3, seed=int(sys.argv[1]))
print(result.record.plan.run_id, result.scored, result.traces.stored)
"""


class Notes(Silent):
    """Hears what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def unreachable(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Make the store one that cannot be reached; returned is what makes it reachable again."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(request.param).format(folder=tmp_path))
    (tmp_path / "a_file").touch()
    return lambda: monkeypatch.delenv("MLFLOW_TRACKING_URI")


@pytest.mark.parametrize(
    "unreachable", [NOBODY, "sqlite:///{folder}/a_file/mlflow.db"], indirect=True
)
def test_without_a_store_everything_is_journalled_and_published_later(
    unreachable: Callable[[], None],
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
) -> None:
    from mlflow import MlflowClient

    version = one_node(GREETS, PROMPT)
    project = version.agent.project
    notes = Notes()
    evaluation = Evaluation(project, progress=notes)
    with pytest.raises(NotPublished) as told:
        evaluation.run([Arm(version, 2)], numbers(4), find_scorers([], project))
    (result,) = told.value.results
    run_id = result.record.plan.run_id
    assert f"`linenotes publish {run_id[:12]}` stores them" in str(told.value)
    assert len(notes.lines) == 1
    assert (result.scored, result.traces.expected, result.traces.stored) == (8, 8, 0)
    assert result.estimates["matches_expectations"].mean == 1

    unreachable()
    reached = Project.find()
    for _ in range(2):  # publishing again adds nothing
        published = Evaluation(reached).publish(run_id)
        assert published.record == RunStore.of(reached).read(run_id)
        assert (published.traces.expected, published.traces.stored) == (8, 8)
        assert published.estimates == result.estimates
        client = MlflowClient(reached.tracking_uri)
        (trace_id, *_) = (outcome.trace_id for outcome in published.record.outcomes.values())
        with open_store(reached) as store:
            filed = store.read_filed_trace(trace_id)
            found = client.search_runs(
                [store.experiment_id], f"tags.`linenotes.run` = '{run_id}'", max_results=9
            )
        (run,) = found
        assert filed.run_id == run.info.run_id
        linked = client.get_trace(trace_id).info.tags["mlflow.linkedPrompts"]
        assert [prompt["name"] for prompt in orjson.loads(linked)] == ["greet"]
        run = client.get_run(run.info.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.params["prompt.greet"] == "v1"
        assert run.data.metrics["matches_expectations"] == 1
        assert "sk-live" not in str(client.get_prompt_version("greet", 1).template)
        assert run.inputs is not None
        (used,) = run.inputs.dataset_inputs
        assert used.dataset.digest == numbers(4).digest[:36]
        assert [model.model_id for model in run.inputs.model_inputs] == [filed.model_id]


def test_a_run_that_was_begun_without_a_store_is_topped_up_with_it(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = one_node()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOBODY)
    with pytest.raises(NotPublished) as told:
        evaluate(version, numbers(3), samples=1)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    run_id = told.value.results[0].record.plan.run_id
    (result,) = Evaluation(Project.find()).resume(run_id, samples=3)
    assert result.record.plan.run_id == run_id
    assert (result.scored, result.traces.stored) == (9, 9)


def test_a_store_that_was_lost_is_filled_again_from_the_journal(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    version = one_node()
    result = evaluate(version, numbers(3), samples=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
        again = Evaluation(Project.find()).publish(result.record.plan.run_id)
    assert again.traces.stored == 3
    assert again.document() == result.document()


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_loses_nothing(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = one_node()
    project = version.agent.project
    database = project.tracking_uri
    server = start_ui(database, artifacts=tmp_path / "artifacts", log=tmp_path / "server.log")

    def ends_the_server(sample: Sample) -> bool:
        if sample.case.id == "c2":
            server.close()
        return True

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    with server, pytest.raises(NotPublished) as told:
        evaluate(version, numbers(6), [ends_the_server], samples=1, concurrency=1)
    (result,) = told.value.results
    assert result.scored == 6
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    published = Evaluation(Project.find()).publish(result.record.plan.run_id)
    assert (published.traces.expected, published.traces.stored) == (6, 6)
    assert published.estimates == result.estimates


@pytest.mark.slow
def test_two_runs_at_once_in_one_folder_with_no_home_both_come_to_their_end(
    one_node: Callable[..., AgentVersion], tmp_path: Path
) -> None:
    one_node()
    environment = {**os.environ, "HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache"}
    environment["LINENOTES_STATE"] = str(tmp_path / "state")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, seed],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    ended = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    runs = {out.split()[0]: out.split()[1:] for out, _ in ended}
    assert len(runs) == 2
    assert all(counts == ["24", "24"] for counts in runs.values())


def test_what_is_mistaken_about_the_store_is_told_before_anything_is_run(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = one_node()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "ftp://there")
    before = len(RunStore.of(version.agent.project).plans())
    with pytest.raises(StoreError, match="not a store that keeps traces"):
        evaluate(version, numbers(3), samples=1)
    assert len(RunStore.of(version.agent.project).plans()) == before
