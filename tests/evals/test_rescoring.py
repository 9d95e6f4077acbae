from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Conduct,
    Evaluation,
    ImportOrder,
    Interrupted,
    RunResult,
    RunStore,
    Sample,
    Scorer,
    Stop,
    evaluate,
    find_scorers,
    import_run,
)
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import Project, RunError

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient

SCORERS = {
    "own.py": """
from pathlib import Path

def even(sample):
    if Path("down").exists():
        raise RuntimeError
    return sample.output["answer"] % 2 == 0

def size(sample): return sample.output["answer"]
"""
}


@pytest.fixture
def evaluated(one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]) -> RunResult:
    """A run of an agent that is no longer there."""
    version = one_node(files=SCORERS)
    result = evaluate(version, numbers(3), ["own.py:even", "own.py:size"], samples=2)
    version.agent.source().write_text("raise RuntimeError")
    return result


@pytest.fixture
def client() -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(Project.find().tracking_uri)


def scorers(*specs: str) -> list[Scorer]:
    return find_scorers(specs, Project.find())


def score(result: RunResult, *specs: str, add: bool = False) -> RunResult:
    wanted = scorers(*specs) if specs else []
    return Evaluation(Project.find()).score(result.record.plan.run_id, wanted, add=add)


def assessments(client: MlflowClient, result: RunResult) -> dict[str, int]:
    run = client.get_run(result.record.plan.run_id)
    found = client.search_traces(
        locations=[run.info.experiment_id], run_id=run.info.run_id, max_results=100
    )
    names = [a.name for trace in found for a in trace.info.assessments if a.name != "answer"]
    return {name: names.count(name) for name in names}


def events_of_scores(trace: object) -> set[str]:
    spans = trace.data.spans  # type: ignore[attr-defined]
    return {
        str(event.attributes["gen_ai.evaluation.name"])
        for span in spans
        for event in span.events
        if "gen_ai.evaluation.name" in event.attributes
    }


def test_other_scorers_replace_the_earlier_ones_without_calling_the_agent(
    evaluated: RunResult, client: MlflowClient
) -> None:
    again = score(evaluated, "matches_expectations")
    assert list(again.estimates) == ["matches_expectations"]
    assert again.estimates["matches_expectations"].mean == 1
    assert again.scored == 6
    assert {key: s.output for key, s in again.record.samples.items()} == {
        key: s.output for key, s in evaluated.record.samples.items()
    }
    assert assessments(client, again) == {"matches_expectations": 6}
    metrics = client.get_run(again.record.plan.run_id).data.metrics
    assert metrics["matches_expectations"] == 1
    assert math.isnan(metrics["even"])
    assert math.isnan(metrics["size"])
    assert RunStore.of(Project.find()).read("latest").scores == again.record.scores


def test_the_table_and_the_spans_in_mlflow_have_the_new_scores_alone(
    evaluated: RunResult, client: MlflowClient
) -> None:
    from mlflow.artifacts import load_text

    again = score(evaluated, "matches_expectations")
    run = client.get_run(again.record.plan.run_id)
    table = orjson.loads(load_text(run.info.artifact_uri + "/samples.json"))
    named = [name for name in table["columns"] if name.startswith("score/")]
    assert named == ["score/matches_expectations"]
    trace = client.get_trace(next(iter(again.record.outcomes.values())).trace_id)
    assert events_of_scores(trace) == {"matches_expectations"}


def test_old_scores_stay_in_the_journal(evaluated: RunResult) -> None:
    path = RunStore.of(Project.find()).path(evaluated.record.plan.run_id) / FILE_NAME
    before = path.read_bytes()
    score(evaluated, "matches_expectations")
    assert path.read_bytes().startswith(before)


def test_a_score_that_falls_is_what_mlflow_shows(
    evaluated: RunResult, client: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text("def even(sample): return False")
    again = score(evaluated, "own.py:even")
    assert again.estimates["even"].mean == 0
    assert client.get_run(again.record.plan.run_id).data.metrics["even"] == 0


def test_a_scorer_is_added_and_the_others_keep_their_scores(
    evaluated: RunResult, client: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "own.py").unlink()
    again = score(evaluated, "matches_expectations", add=True)
    assert list(again.estimates) == ["even", "size", "matches_expectations"]
    assert again.estimates["size"] == evaluated.estimates["size"]
    assert assessments(client, again) == {
        "even": 6,
        "size": 6,
        "matches_expectations": 6,
    }


def test_without_scorers_those_of_the_run_judge_again(evaluated: RunResult, tmp_path: Path) -> None:
    own = (tmp_path / "own.py").read_text()
    (tmp_path / "own.py").write_text(own.replace("== 0", "== 1"))
    again = score(evaluated)
    before = evaluated.estimates["even"].mean
    assert before is not None
    assert again.estimates["even"].mean == pytest.approx(1 - before)
    assert again.estimates["size"] == evaluated.estimates["size"]


def test_scoring_that_was_stopped_is_finished_when_the_run_goes_on(
    evaluated: RunResult, tmp_path: Path
) -> None:
    stop = Stop()

    def once(sample: Sample) -> bool:
        stop.asked = True
        return True

    evaluation = Evaluation(Project.find(), Conduct(concurrency=1), stop=stop)
    with pytest.raises(Interrupted):
        evaluation.score(
            evaluated.record.plan.run_id,
            [Scorer("size", "own.py:size", once)],
            add=True,
        )
    own = (tmp_path / "own.py").read_text()
    (tmp_path / "own.py").write_text(
        own.replace('return sample.output["answer"]\n', "return False\n")
    )
    (tmp_path / "down").touch()
    (again,) = Evaluation(Project.find()).resume(evaluated.record.plan.run_id)
    assert again.estimates["even"] == evaluated.estimates["even"]
    values = [s.value for row in again.record.scores.values() for s in row if s.name == "size"]
    assert sorted(map(str, values)) == ["False"] * 5 + ["True"]


def test_an_imported_run_is_scored_and_keeps_what_its_file_says(
    make_project: Callable[..., Project], client: MlflowClient
) -> None:
    trials = [
        {
            "task_id": f"t{task}",
            "trial": trial,
            "reward": 1.0,
            "traj": [
                {"role": "user", "content": f"Hi from {task} {trial}"},
                {"role": "assistant", "content": "Hello"},
            ],
        }
        for task in range(2)
        for trial in range(2)
    ]
    project = make_project(
        {
            "trials.json": orjson.dumps(trials).decode(),
            "own.py": "def polite(sample): return 'Hello' in sample.trace.response",
        }
    )
    imported = import_run(ImportOrder(project.root / "trials.json"), project).result
    with pytest.raises(RunError, match=r"was imported.*--scorer"):
        score(imported)
    again = score(imported, "own.py:polite")
    assert list(again.estimates) == ["polite", "reward"]
    assert [e.mean for e in again.estimates.values()] == [1, 1]
    assert assessments(client, again) == {"polite": 4, "reward": 4}


WORTH = """
from linenotes.evals.scorers import scorer
def right(sample): return True
def wrong(sample): return False
def money(sample): return 4.0 if sample.scores["right"] else -1.0
@scorer(values=["digits", "half"])
def parts(sample): return {"digits": 1, "half": sample.output["answer"] / 2}
"""
VALUE = 'value("8*right - 2*(not right)", failed=-2, currency="EUR")'


@pytest.fixture
def valued(one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]) -> RunResult:
    """A run whose every second sample the agent fails, with what its cases are worth."""
    node = "def answer(state):\n    return {'answer': 3 if state['question'] % 2 else 1 // 0}\n"
    version = one_node(node, files={"own.py": WORTH})
    return evaluate(version, numbers(4), [VALUE, "own.py:right", "own.py:parts"], samples=2)


def test_values_and_parts_are_metrics_of_a_run_from_its_plan_on(valued: RunResult) -> None:
    plan = valued.record.plan
    assert plan.metrics == ("value", "right", "parts.digits", "parts.half")
    assert plan.scorers == (VALUE, "own.py:right", "own.py:parts", "own.py:parts")
    assert (plan.units, plan.reads) == ({"value": "EUR"}, {"value": ("right",)})
    means = {name: found.mean for name, found in valued.estimates.items()}
    assert means == {"value": 3.0, "right": 0.5, "parts.digits": 0.5, "parts.half": 1.5}
    assert valued.scored == 8
    assert RunStore.of(Project.find()).read(plan.run_id).plan == plan


def test_what_a_run_has_is_scored_again_as_a_whole(valued: RunResult) -> None:
    again = score(valued)
    assert again.record.plan.metrics == valued.record.plan.metrics
    assert again.record.plan.units == {"value": "EUR"}
    assert again.record.scores == valued.record.scores


def test_what_a_value_reads_is_not_scored_anew_without_the_value(valued: RunResult) -> None:
    again = score(valued, "right=own.py:wrong", add=True)
    assert again.record.plan.metrics == valued.record.plan.metrics
    assert again.estimates["value"].mean == -2.0
    assert again.estimates["right"].mean == 0.0


def test_a_value_can_be_added_to_what_was_scored(evaluated: RunResult) -> None:
    added = score_beside(evaluated, 'value("8*even - size", failed=0)')
    assert added.record.plan.metrics == ("even", "size", "value")
    assert added.estimates["value"].mean == pytest.approx(8 * 2 / 3 - 1)
    dropped = score(evaluated, "own.py:size")
    assert dropped.record.plan.metrics == ("size",)
    assert (dropped.record.plan.units, dropped.record.plan.reads) == ({}, {})


def score_beside(result: RunResult, spec: str) -> RunResult:
    project, plan = Project.find(), result.record.plan
    wanted = find_scorers([spec], project, beside=plan.standing(add=True))
    return Evaluation(project).score(plan.run_id, wanted, add=True)
