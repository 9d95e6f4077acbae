from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    ComparisonReport,
    RunRecord,
    Sample,
    comparison_page,
    evaluate,
    log_comparison,
)
from linenotes.project import Project, StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient


def answered(sample: Sample) -> bool:
    assert isinstance(sample.output, dict)
    return sample.output["answer"] == sample.inputs["question"]


@pytest.fixture
def report(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> ComparisonReport:
    base = evaluate(
        one_node("def answer(state):\n    return {'answer': 0}\n"), numbers(6), [answered]
    )
    other = evaluate(one_node(), numbers(6), [answered])
    return ComparisonReport.of(base.record, [other.record])


@pytest.fixture
def client() -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(Project.find().tracking_uri)


def ids(report: ComparisonReport) -> tuple[str, str]:
    return report.base.plan.run_id, report.candidates[0].record.plan.run_id


def test_both_runs_say_what_came_of_the_comparison(
    report: ComparisonReport, client: MlflowClient
) -> None:
    base, candidate = ids(report)
    assert log_comparison(report, Project.find()) == (base, candidate)
    tags = [client.get_run(run_id).data.tags for run_id in (base, candidate)]
    assert tags[0][f"linenotes.compared.candidate.{candidate[:12]}"].startswith(
        "pass: current against"
    )
    assert tags[1][f"linenotes.compared.base.{base[:12]}"].startswith("pass: current against")


def test_the_candidate_has_the_changes_as_metrics(
    report: ComparisonReport, client: MlflowClient
) -> None:
    base, candidate = ids(report)
    log_comparison(report, Project.find())
    found = report.candidates[0].primary.result
    metrics = client.get_run(candidate).data.metrics
    assert metrics[f"against {base[:12]}/answered"] == pytest.approx(found.delta)
    assert metrics[f"against {base[:12]}/answered/low"] == pytest.approx(found.low)
    assert f"against {base[:12]}/seconds a sample" in metrics
    assert not any(name.startswith("against") for name in client.get_run(base).data.metrics)


def test_both_runs_keep_the_page(
    report: ComparisonReport, client: MlflowClient, tmp_path: Path
) -> None:
    base, candidate = ids(report)
    log_comparison(report, Project.find())
    path = f"comparisons/{candidate[:12]}-against-{base[:12]}.html"
    for run_id in (base, candidate):
        file = client.download_artifacts(run_id, path, str(tmp_path))
        assert Path(file).read_text(encoding="utf-8") == comparison_page(report)


def test_logging_again_adds_nothing(report: ComparisonReport, client: MlflowClient) -> None:
    base, candidate = ids(report)
    name = f"against {base[:12]}/answered"
    for _ in range(2):
        log_comparison(report, Project.find())
    assert len(client.get_metric_history(candidate, name)) == 1
    assert len(client.list_artifacts(base, "comparisons")) == 1


def test_another_comparison_of_the_runs_takes_the_place_of_the_first(
    report: ComparisonReport, client: MlflowClient
) -> None:
    base, candidate = ids(report)
    log_comparison(report, Project.find())
    again = ComparisonReport.of(
        report.base, [one.record for one in report.candidates], target="dataset", margin=0.2
    )
    log_comparison(again, Project.find())
    found = again.candidates[0].primary.result
    low = client.get_run(candidate).data.metrics[f"against {base[:12]}/answered/low"]
    assert low == pytest.approx(found.low)


def test_a_store_that_does_not_exist_is_not_made_for_a_comparison(
    report: ComparisonReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "elsewhere"))
    assert log_comparison(report, Project.find()) == ()
    assert not list((tmp_path / "elsewhere").glob("*.db"))


def test_runs_that_the_store_does_not_have_are_left_alone(
    report: ComparisonReport, make_record: Callable[..., RunRecord], client: MlflowClient
) -> None:
    strangers = [make_record({"a": [True], "b": [False]}, run_id=c * 32) for c in "de"]
    unknown = ComparisonReport.of(strangers[0], strangers[1:])
    assert log_comparison(unknown, Project.find()) == ()


def test_a_store_that_is_down_is_an_error(
    report: ComparisonReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(StoreError):
        log_comparison(report, Project.find())
