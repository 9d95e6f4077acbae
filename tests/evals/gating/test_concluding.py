"""What follows from a gate, read back from MLflow through its documented interface."""

from __future__ import annotations

from collections.abc import Callable

import mlflow
import orjson
import pytest
from mlflow import MlflowClient

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Gate,
    GateOrder,
    GateResult,
    RunRecord,
    VersionBase,
    conclude,
    find_base,
    find_baseline,
    promote,
    run_gate,
)
from linenotes.project import Project, RunError, StoreError

NOBODY = "http://127.0.0.1:9"
LENIENT = Gate(margin=0.5, target="population")


def carried_out(order: GateOrder) -> tuple[Project, GateResult]:
    project = order.candidate.agent.project
    return project, run_gate(order, project)


def client_of(project: Project) -> MlflowClient:
    return MlflowClient(project.tracking_uri, project.tracking_uri)


@pytest.fixture
def passed(order: Callable[..., GateOrder], champion: RunRecord) -> tuple[Project, GateResult]:
    return carried_out(order("v3", champion, gate=LENIENT, samples=1))


def test_the_decision_stands_on_the_candidates_run(passed: tuple[Project, GateResult]) -> None:
    project, result = passed
    conclude(project, result)
    client, run_id = client_of(project), result.records[-1].plan.run_id
    tags = client.get_run(run_id).data.tags
    assert tags["linenotes.gate"] == "pass"
    assert tags["linenotes.gate.reason"].startswith("PASS matches_expectations")
    assert tags["linenotes.gate.baseline"] == "champion (v1)"
    path = mlflow.artifacts.download_artifacts(
        run_id=run_id, artifact_path="gate.json", tracking_uri=project.tracking_uri
    )
    with open(path, "rb") as file:  # noqa: PTH123  a str, as MLflow gives it
        assert orjson.loads(file.read())["verdict"] == "pass"


def test_a_pass_moves_the_alias_and_records_why(
    passed: tuple[Project, GateResult], order: Callable[..., GateOrder], champion: RunRecord
) -> None:
    project, result = passed
    found = conclude(project, result, promote_to="best")
    assert found.alias == "best"
    assert found.promoted[0].startswith("prompt rate v3 (registry:")
    client, plan = client_of(project), result.records[-1].plan
    prompt = client.get_prompt_version_by_alias("rate", "best")
    assert prompt.template == "0.97"
    assert prompt.tags["linenotes.gate.run"] == plan.run_id
    assert plan.model_id is not None
    model = client.get_logged_model(plan.model_id)
    assert model.tags["linenotes.alias.best"] == plan.agent
    assert model.tags["linenotes.gate"] == "pass"

    _, later = carried_out(order("v1", champion, gate=LENIENT, fresh=True))
    conclude(project, later, promote_to="best")
    assert client.get_prompt_version_by_alias("rate", "best").template == "0.90"
    assert "linenotes.alias.best" not in client.get_logged_model(plan.model_id).tags


def test_a_registered_model_of_the_agent_gets_the_alias(
    passed: tuple[Project, GateResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, result = passed
    client, plan = client_of(project), result.records[-1].plan
    monkeypatch.setenv("MLFLOW_TRACKING_URI", project.tracking_uri)
    if not client.search_registered_models(f"name = '{plan.agent}'"):
        client.create_registered_model(plan.agent)
    other = client.create_model_version(plan.agent, "file:///elsewhere")
    own = client.create_model_version(
        plan.agent, f"models:/{plan.model_id}", model_id=plan.model_id
    )
    found = conclude(project, result, promote_to="released")
    assert found.promoted[-1] == f"registered model {plan.agent} {own.version}"
    meant = client.get_model_version_by_alias(plan.agent, "released")
    assert (meant.version, meant.tags["linenotes.gate"]) == (own.version, "pass")
    assert meant.version != other.version


def test_a_pass_saves_the_candidate_as_the_baseline(
    passed: tuple[Project, GateResult],
) -> None:
    project, result = passed
    found = conclude(project, result, save_as="champion")
    saved = find_baseline(project, "champion", agent="app", dataset="numbers")
    assert saved is not None
    assert saved.plan.version == "v3"
    assert str(found.saved) in found.lines()[-1]


def test_a_baseline_that_cannot_be_saved_leaves_the_decision_and_moves_nothing(
    passed: tuple[Project, GateResult],
) -> None:
    project, result = passed
    (project.root / "baselines/numbers/app/new.jsonl.gz").mkdir(parents=True)
    found = conclude(project, result, save_as="new", promote_to="never")
    assert isinstance(found.problem, RunError)
    assert (found.saved, found.promoted) == (None, ())
    assert found.document()["verdict"] == "pass"


def test_what_did_not_pass_moves_and_saves_nothing(
    order: Callable[..., GateOrder], champion: RunRecord
) -> None:
    project, failed = carried_out(order("v2", champion))
    found = conclude(project, failed, save_as="new", promote_to="never")
    assert (found.saved, found.promoted) == (None, ())
    assert find_baseline(project, "new", agent="app", dataset="numbers") is None
    prompt = client_of(project).get_prompt("rate")
    assert prompt is not None
    assert "never" not in (getattr(prompt, "aliases", None) or {})
    with pytest.raises(RunError, match="did not pass"):
        promote(project, failed, "never")


def test_where_nothing_has_changed_the_bases_own_run_is_saved_under_another_name(
    order: Callable[..., GateOrder], champion: RunRecord
) -> None:
    project, result = carried_out(order("v1", champion))
    found = conclude(project, result, save_as="spring", promote_to="never")
    saved = find_baseline(project, "spring", agent="app", dataset="numbers")
    assert saved is not None
    assert saved.plan.run_id == champion.plan.run_id
    assert (found.saved is not None, found.promoted) == (True, ())
    assert found.lines()[-1] == "never stays where it is: nothing was decided that could move it."
    assert found.document()["saved"] == str(found.saved)

    again = conclude(project, result, save_as="champion")
    assert (again.saved, again.lines()[-1]) == (None, "champion stands as it is.")


def test_where_nothing_has_changed_and_nothing_was_measured_nothing_is_saved(
    order: Callable[..., GateOrder],
) -> None:
    project, result = carried_out(order("v1", "v1"))
    found = conclude(project, result, save_as="new")
    assert found.saved is None
    assert "@v1 was not measured, so there is nothing to save as new" in found.lines()[-1]


def test_without_a_store_the_decision_stands_and_the_alias_is_told_not_to_have_moved(
    order: Callable[..., GateOrder], champion: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOBODY)
    project, result = carried_out(order("v3", champion, gate=LENIENT))
    assert result.decision.verdict == "pass"
    assert any("linenotes publish" in note for note in result.notes)
    found = conclude(project, result, promote_to="best")
    assert isinstance(found.problem, StoreError)
    assert any("The store lacks the decision" in line for line in found.lines())


@pytest.fixture
def aliased(
    rated: Callable[[str], AgentVersion], passed: tuple[Project, GateResult]
) -> Callable[[str], AgentVersion]:
    promote(*passed, "tested")
    return rated


def test_a_gate_may_stand_against_an_alias(
    aliased: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    candidate = aliased("v1")
    project = candidate.agent.project
    found = find_base(project, "@tested", candidate=candidate, dataset=numbers(2))
    assert isinstance(found, VersionBase)
    assert found.version.prompts["rate"].text == "0.97"
    assert found.fingerprint == aliased("v3").fingerprint
