from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from linenotes.evals import (
    Evaluation,
    ImportedRun,
    ResultsOrder,
    RunStore,
    compare_runs,
    import_results,
    report,
)
from linenotes.evals.documents._run_documents import ResultsDocument
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME
from linenotes.evals.journal._tables import score_table
from linenotes.project import Project, ResultsFileError, RunError
from linenotes.tracing import open_store

MakeProject = Callable[..., Project]
Bring = Callable[..., ImportedRun]
KEY = "sk-proj-" + "a1B2" * 8
BASE = "case,sample,ok,tone,cluster,weight\n" + "".join(
    f"c{case},{sample},{int(case % 3 > 0)},{case + sample / 10},g{case // 2},{1 + case % 2}\n"
    for case in range(8)
    for sample in range(2)
)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know of no other test's imports."""
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "state"))


@pytest.fixture
def bring(make_project: MakeProject) -> Bring:
    """Write a table into a file and import it."""

    def run(content: str = BASE, file: str = "base.csv", **order: object) -> ImportedRun:
        project = make_project({file: content})
        return import_results(ResultsOrder(project.root / file, **order), project)  # type: ignore[arg-type]  # as given

    return run


def test_a_table_becomes_a_run_with_intervals_clusters_and_weights(bring: Bring) -> None:
    found = bring(agent="airline", name="v1", dataset="golden")
    plan = found.result.record.plan
    assert (plan.agent, plan.version, plan.dataset.name) == ("airline", "v1", "golden")
    assert (len(plan.cases), plan.samples, plan.metrics) == (8, 2, ("ok", "tone"))
    estimate = found.result.estimates["ok"]
    assert estimate.n_clusters == 4
    assert estimate.mean == pytest.approx(8 / 12)
    assert not found.again
    assert found.result.record.is_whole


def test_the_same_file_again_is_the_same_run(bring: Bring) -> None:
    first, second = bring(), bring()
    assert second.again
    assert first.result.record.plan == second.result.record.plan
    other = bring(file="other.csv")
    assert not other.again


def test_an_import_that_was_cut_off_is_completed(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = Journal.scored
    calls = iter(range(100))

    def stop(*given: object) -> None:
        if next(calls) == 5:
            raise KeyboardInterrupt
        scored(*given)  # type: ignore[arg-type]  # as given

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "scored", stop)
        with pytest.raises(KeyboardInterrupt):
            bring()
    found = bring()
    assert not found.again
    assert len(found.result.record.scores) == 16
    assert bring().again


def test_two_imported_files_compare_like_two_runs(bring: Bring) -> None:
    base = bring().result.record
    better = BASE.replace("c0,0,0", "c0,0,1").replace("c0,1,0", "c0,1,1")
    candidate = bring(better, "candidate.csv").result.record
    found = compare_runs(base, candidate)
    assert found.result.delta == pytest.approx(1 / 12)
    assert found.result.improved == 1
    assert found.differences == ("imported file: base.csv → candidate.csv",)


def test_cells_without_a_score_are_counted_and_are_no_zeros(bring: Bring) -> None:
    result = bring(
        "case,sample,ok,tone\na,0,1,\na,1,,\na,2,,x: bad\nb,0,1,2\n", metrics=["ok"]
    ).result
    assert result.errors == {"infrastructure": 2, "agent": 0, "scorer": 0}
    assert result.estimates["ok"].mean == 1
    both = bring("case,sample,ok,tone\na,0,1,\nb,0,1,2\n", "both.csv").result
    assert both.errors == {"infrastructure": 0, "agent": 0, "scorer": 1}
    assert both.estimates["tone"].n_cases == 1
    assert "1 sample could not be scored: NotScored" in report.failures(both)[0]


def test_an_error_of_the_agent_is_a_failure_of_a_rate(bring: Bring) -> None:
    found = bring("case,sample,ok,error\na,0,1,\na,1,,ValueError: bad\nb,0,1,\n").result
    assert found.errors["agent"] == 1
    assert score_table(found.record, "ok")["value"].sum() == 2
    assert found.estimates["ok"].mean == pytest.approx(0.75)


def test_costs_and_times_of_the_file_are_those_of_the_run(bring: Bring) -> None:
    found = bring("case,sample,ok,cost,seconds\na,0,1,0.25,2\na,1,1,,3\n").result
    assert found.cost == 0.25
    assert [o.seconds for o in found.record.outcomes.values()] == [2, 3]
    assert bring("case,sample,ok\na,0,1\n", "free.csv").result.cost is None, "nobody tells"


def test_the_document_is_as_the_schema_says(bring: Bring) -> None:
    document = bring().result.results_document(again=False)
    ResultsDocument.model_validate(document)
    assert (document["rows"], document["file"], document["again"]) == (16, "base.csv", False)


def test_cases_that_masking_makes_equal_are_refused(bring: Bring) -> None:
    keys = [f"{KEY}{number}" for number in range(2000)]  # a mask tells a few thousand apart
    with pytest.raises(ResultsFileError, match=r"\d cases are called .* once secrets are masked"):
        bring("case,sample,ok\n" + "".join(f"{key},0,1\n" for key in keys))


def test_what_a_file_holds_is_redacted_in_the_journal(bring: Bring) -> None:
    key = KEY + "c" * 8
    plan = bring(f"case,sample,ok,tag.key,error\na,0,1,{key},E: {key}\n").result.record.plan
    folder = RunStore.of(Project.find()).path(plan.run_id)
    assert all(key not in path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_a_run_of_results_cannot_be_judged_again_or_continued(bring: Bring) -> None:
    project = Project.find()
    run = bring().result.record.plan.run_id
    with pytest.raises(RunError, match="holds the results of a file"):
        Evaluation(project).score(run, [])
    with pytest.raises(RunError, match="linenotes import"):
        RunStore.of(project).read(run).plan.agent_version(project)


def test_a_run_of_results_is_published_with_metrics_and_table_and_no_traces(
    bring: Bring, shared_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(shared_state))
    plan = bring().result.record.plan
    project = Project.find()
    assert (project.runs / plan.run_id / FILE_NAME).exists()
    Evaluation(project).publish(plan.run_id)
    with open_store(project) as store:
        client = MlflowClient(tracking_uri=store.tracking_uri)
        (run,) = client.search_runs(
            [store.experiment_id], f"tags.`linenotes.fingerprint` = '{plan.fingerprint}'"
        )
        assert run.data.metrics["samples"] == 16
        assert run.data.metrics["ok"] == pytest.approx(8 / 12)
        assert store.count_traces(run.info.run_id) == 0
        table = client.list_artifacts(run.info.run_id)
    assert "samples.json" in [item.path for item in table]
