from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from linenotes.evals import (
    Evaluation,
    ImportedRun,
    ImportOrder,
    RunStore,
    compare_runs,
    import_run,
    report,
)
from linenotes.evals.documents._run_documents import ImportDocument
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import Project, RunError, TraceFileError
from linenotes.tracing import open_store

HERE = Path(__file__).parents[1]
TABLE = HERE / "statistics" / "data" / "tau_bench_airline_gpt-4o.csv"
EXCERPT = HERE.parent / "tracing" / "files" / "data" / "tau_bench_airline_excerpt.json"
MakeProject = Callable[..., Project]


def chat(text: str = "Hi") -> list[dict[str, str]]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes?"}]


def record(task: str, trial: int, reward: float | None, text: str = "Hi") -> dict[str, Any]:
    return {"task_id": task, "trial": trial, "reward": reward, "traj": chat(text)}


@pytest.fixture
def bring(make_project: MakeProject) -> Callable[..., ImportedRun]:
    """Write records into a file and import it."""

    def run(
        records: Iterable[dict[str, Any]], name: str = "chats.json", **order: str
    ) -> ImportedRun:
        project = make_project({name: json.dumps(list(records))})
        return import_run(ImportOrder(project.root / name, **order), project)  # type: ignore[arg-type]  # a Literal

    return run


@pytest.fixture(scope="module")
def published() -> list[dict[str, Any]]:
    """All 200 trials of the published run, each with a chat of two messages."""
    with TABLE.open(encoding="utf-8") as file:
        return [
            record(row["task_id"], int(row["trial"]), float(row["reward"]), row["n_messages"])
            for row in csv.DictReader(file)
        ]


def test_the_published_table_of_tau_bench_comes_out(
    bring: Callable[..., ImportedRun], published: list[dict[str, Any]]
) -> None:
    result = bring(published, agent="airline").result
    document: Any = result.import_document(again=False)
    ImportDocument.model_validate(document)
    assert (document["cases"], document["samples"], document["conversations"]) == (50, 4, 200)
    assert document["traces"] == {"expected": 200, "stored": 200}
    hats = [found["mean"] for found in document["metrics"]["reward"]["pass_hat"].values()]
    assert hats == pytest.approx([0.42, 0.27333, 0.22, 0.2], abs=1e-5)
    ats = [found["mean"] for found in document["metrics"]["reward"]["pass_at"].values()]
    assert ats == pytest.approx([0.42, 0.56667, 0.66, 0.72], abs=1e-5)
    assert report.pass_hat_lines([result]) == [
        "reward   pass^1 .420 (.31 to .53)   pass^2 .273 (.18 to .40)   pass^3 .220 (.13 to .35)",
        "         pass^4 .200 (.11 to .33)",
    ]


def test_a_conversation_is_stored_as_a_trace_of_its_run(make_project: MakeProject) -> None:
    project = make_project()
    result = import_run(ImportOrder(EXCERPT, agent="airline"), project).result
    sample = result.record.samples["39", 0]
    with open_store(project) as store:
        stored = store.read_trace(sample.trace.trace_id)
        assert store.runs_of([sample.trace.trace_id, "tr-" + "0" * 32]) == {
            sample.trace.trace_id: result.record.plan.run_id
        }
    assert stored == sample.trace
    assert (stored.name, stored.case, stored.sample) == ("airline", "39", 0)
    assert sample.output == stored.response


def test_an_import_is_redacted_as_the_project_says(make_project: MakeProject) -> None:
    settings = "[tool.linenotes.redaction]\npersonal = true\npatterns.badge = 'B-[0-9]+'\n"
    records = [record("badges", 0, 1.0, "ann@example.org has B-1234")]
    project = make_project({"pyproject.toml": settings, "chats.json": json.dumps(records)})
    order = ImportOrder(project.root / "chats.json")
    result = import_run(order, project).result
    folder = RunStore.of(project).path(result.record.plan.run_id)
    kept = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert "[secret:badge:" in kept
    assert "ann@" not in kept
    assert "B-1234" not in kept
    assert import_run(order, project).again


def test_the_same_file_again_adds_nothing(bring: Callable[..., ImportedRun]) -> None:
    records = [record("a", 0, 1.0), record("a", 1, 0.0)]
    first, again = bring(records), bring(records)
    assert (first.again, again.again) == (False, True)
    assert again.result.document() == first.result.document()
    runs = RunStore.of(Project.find()).plans()
    assert [p.run_id for p in runs].count(first.result.record.plan.run_id) == 1
    other = bring(records, name="chats.json", metric="solved")
    assert other.result.record.plan.run_id != first.result.record.plan.run_id


def test_an_import_that_was_cut_off_is_completed_by_importing_again(
    bring: Callable[..., ImportedRun],
) -> None:
    records = [record("cut", n, float(n % 2), "cut off") for n in range(4)]
    whole = bring(records)
    project = Project.find()
    run_id = whole.result.record.plan.run_id
    journal = project.runs / run_id / FILE_NAME
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]))  # the plan, one sample with its score, one without
    with pytest.raises(RunError, match=r"was imported, .* Import 'chats.json' again"):
        Evaluation(project).resume(run_id)
    completed = bring(records)
    assert not completed.again
    assert completed.result.document() == whole.result.document()


def test_an_imported_run_can_be_published_again_like_any_other(
    bring: Callable[..., ImportedRun],
) -> None:
    result = bring([record("p", 0, 1.0), record("q", 0, 0.0), record("q", 1, 0.0)]).result
    (again,) = Evaluation(Project.find()).resume(result.record.plan.run_id)
    assert again.document() == result.document()


def test_two_imported_runs_can_be_compared(bring: Callable[..., ImportedRun]) -> None:
    base = bring([record(f"t{n}", 0, 0.0) for n in range(8)], "base.json").result
    new = bring([record(f"t{n}", 0, 1.0) for n in range(8)], "new.json").result
    found = compare_runs(base.record, new.record)
    assert (found.result.delta, found.result.n_cases) == (1.0, 8)
    assert found.differences == ("imported file: base.json → new.json",)


def test_without_rewards_there_is_a_run_and_nothing_to_compare(
    bring: Callable[..., ImportedRun],
) -> None:
    result = bring([{"messages": chat("no reward")}]).result
    assert result.document()["metrics"] == {}
    assert report.title([result]).endswith("K=1 sample; no scores")
    assert report.rows([result])[0] == ("version", "K", "calls", "s/sample")
    assert report.pass_hat_lines([result]) == []
    with pytest.raises(RunError, match="has no scores"):
        compare_runs(result.record, result.record)


def test_what_trials_of_a_task_say_alike_is_the_case(bring: Callable[..., ImportedRun]) -> None:
    def trial(number: int, user: str) -> dict[str, Any]:
        task = {"instruction": "Book it.", "user": user, "actions": [{"name": "book"}]}
        return {**record("s", number, 1.0), "info": {"task": task}}

    (case,) = bring([trial(0, "mia"), trial(1, "tom")]).result.record.plan.cases
    assert case.inputs == {"task": "s", "instruction": "Book it."}
    assert case.expectations == {"actions": [{"name": "book"}]}


def test_a_trial_that_failed_is_a_failure_of_the_agent(bring: Callable[..., ImportedRun]) -> None:
    failed = {"task_id": "x", "trial": 0, "reward": 0.0, "traj": [], "info": {"error": "boom"}}
    result = bring([failed, record("y", 0, 1.0)]).result
    assert result.errors["agent"] == 1
    assert result.estimates["reward"].mean == 0.5


def test_a_trial_that_the_infrastructure_failed_is_left_out(
    bring: Callable[..., ImportedRun],
) -> None:
    failed = {"task_id": "i", "trial": 0, "traj": chat(), "error": "openai.APITimeoutError: slow"}
    result = bring([failed, record("i", 1, 1.0)]).result
    assert result.errors == {"infrastructure": 1, "agent": 0, "scorer": 0}
    assert (result.estimates["reward"].mean, result.scored) == (1.0, 1)
    (line,) = report.failures(result)
    assert line == ("chats: 1 sample left out where the file has no score: APITimeoutError: slow")


@pytest.mark.parametrize("error", ["RateLimitError: slow down", "ValueError: late"])
def test_the_files_reward_counts_whatever_failed(
    bring: Callable[..., ImportedRun], error: str
) -> None:
    result = bring([{**record("r", 0, 1.0), "error": error}, record("r", 1, 0.0)]).result
    assert (result.estimates["reward"].mean, result.scored) == (0.5, 2)


def test_an_import_that_breaks_leaves_no_run_that_seems_to_go_on(
    bring: Callable[..., ImportedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    records = [record("broken", n, 1.0, "broken") for n in range(2)]
    runs = RunStore.of(Project.find())
    before = {plan.run_id for plan in runs.plans()}
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "scored", broken)
        with pytest.raises(MemoryError):
            bring(records)
    project = Project.find()
    with open_store(project) as store:
        client = MlflowClient(tracking_uri=store.tracking_uri)
    (run_id,) = {plan.run_id for plan in runs.plans()} - before
    assert client.get_run(run_id).info.status == "KILLED"
    assert bring(records).result.record.plan.run_id == run_id
    assert client.get_run(run_id).info.status == "FINISHED"


def test_costs_are_those_that_the_file_tells(
    bring: Callable[..., ImportedRun],
) -> None:
    told = record("c", 0, 1.0)
    told["traj"][1]["cost"] = 0.25
    assert bring([told]).result.cost == 0.25
    result = bring([told, record("d", 0, 1.0)]).result
    assert (result.cost, result.unpriced_calls) == (0.25, 1)


def test_an_import_that_another_process_carries_out_is_left_alone(
    bring: Callable[..., ImportedRun],
) -> None:
    records = [record("twice", 0, 1.0, "twice")]
    plan = bring(records).result.record.plan
    project = Project.find()
    with (
        RunStore.of(project).open(plan),
        pytest.raises(RunError, match="carried out by another process"),
    ):
        bring(records)
    with open_store(project) as store:
        client = MlflowClient(tracking_uri=store.tracking_uri)
    assert client.get_run(plan.run_id).info.status == "FINISHED"


def test_what_a_file_does_not_tell_is_unknown_and_not_nothing(
    bring: Callable[..., ImportedRun],
) -> None:
    document: Any = bring([record("n", 0, 1.0)]).result.document()
    assert (document["tokens"], document["wall_seconds"]) == (None, None)
    told = record("n", 1, 1.0)
    told["traj"][1]["usage"] = {"prompt_tokens": 3, "completion_tokens": 4}
    assert bring([told]).result.tokens == 7


def test_nothing_is_made_of_a_file_with_a_mistake(
    bring: Callable[..., ImportedRun],
) -> None:
    bring([record("before", 0, 1.0)])
    runs = RunStore.of(Project.find()).plans()
    with pytest.raises(TraceFileError, match=r"record 2: reward is 'bad'"):
        bring([record("m", 0, 1.0), {**record("m", 1, 1.0), "reward": "bad"}])
    assert RunStore.of(Project.find()).plans() == runs


def test_a_task_that_is_no_case_is_named_and_nothing_is_made(
    bring: Callable[..., ImportedRun],
) -> None:
    bring([record("before", 0, 1.0)])
    runs = RunStore.of(Project.find()).plans()
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"a": deep}
    with pytest.raises(TraceFileError, match=r"record 1: the task .* nested deeper than 64 levels"):
        bring([{**record("deep", 0, 1.0), "info": {"task": {"user": deep}}}])
    assert RunStore.of(Project.find()).plans() == runs


def _export(trace_id: str, name: str) -> dict[str, object]:
    """Return an OTLP export of one span."""
    operation = {"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}}
    span = {
        "traceId": trace_id,
        "spanId": "e" * 16,
        "name": name,
        "startTimeUnixNano": "5",
        "attributes": [operation],
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def test_a_trace_of_another_run_is_not_written_over(
    make_project: MakeProject, bring: Callable[..., ImportedRun]
) -> None:
    export = _export("d" * 32, "invoke_agent work")
    project = make_project({"a.json": json.dumps(export), "b.json": json.dumps([export])})
    first = import_run(ImportOrder(project.root / "a.json"), project)
    with pytest.raises(RunError, match=r"trace tr-d+ is in the store already, of run"):
        import_run(ImportOrder(project.root / "b.json"), project)
    again = import_run(ImportOrder(project.root / "a.json"), project)
    assert again.result.document() == first.result.document()


def test_the_agent_is_the_one_that_spans_name(make_project: MakeProject) -> None:
    project = make_project({"a.json": json.dumps(_export("f" * 32, "invoke_agent desk"))})
    order = ImportOrder(project.root / "a.json", name="desk-1")
    assert import_run(order, project).result.record.plan.agent == "desk"
    assert replace(order, agent="x").identity("c") != order.identity("c")
