from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Evaluation, RunResult, RunStore, Sample, evaluate
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import Project, StoreError
from linenotes.tracing import open_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

NODE = """
from linenotes.agents import prompt

def answer(state):
    if state["question"] == 2:
        raise ValueError("a bug")
    return {"answer": prompt("greet").text + str(state["question"])}
"""


def answer_of(sample: Sample) -> str:
    assert isinstance(sample.output, dict)
    return str(sample.output["answer"])


def polite(sample: Sample) -> bool:
    return "Hello" in answer_of(sample)


def length(sample: Sample) -> int:
    return len(answer_of(sample))


def broken(sample: Sample) -> bool:
    raise KeyError("team")


@pytest.fixture
def evaluated(one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]) -> RunResult:
    version = one_node(NODE, {"prompts/greet/v1.md": "Hello"})
    cases = [c.model_copy(update={"tags": {"team": "banking"}}) for c in numbers(3).cases]
    dataset = Dataset("numbers", tuple(cases))
    return evaluate(version, dataset, [polite, length, broken], samples=2)


@pytest.fixture
def client() -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(Project.find().tracking_uri)


def stored_run(client: MlflowClient, result: RunResult) -> Any:  # noqa: ANN401  likewise
    return client.get_run(result.record.plan.run_id)


def traces_of(client: MlflowClient, result: RunResult) -> Any:  # noqa: ANN401  MLflow's own stubs lack what traces have
    run = stored_run(client, result)
    return client.search_traces(
        locations=[run.info.experiment_id], run_id=run.info.run_id, max_results=100
    )


def test_a_run_shows_what_was_evaluated(evaluated: RunResult, client: MlflowClient) -> None:
    run = stored_run(client, evaluated)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "app v1"
    assert run.data.params["prompt.greet"] == "v1"
    assert run.data.params["model.default"] == "local:smollm2-135m"
    tags = run.data.tags
    assert tags["linenotes.fingerprint"] == evaluated.record.plan.fingerprint
    assert tags["linenotes.group"] == evaluated.record.plan.group
    assert json.loads(tags["mlflow.linkedPrompts"]) == [{"name": "greet", "version": "1"}]
    assert tags["mlflow.note.content"].startswith("**app v1** on **numbers**: n=3 cases, K=2")


def test_prompts_are_shown_with_every_experiment_that_used_them(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = one_node(NODE, {"prompts/greet/v1.md": "Good day"})
    names = ["prompts-here", "prompts-there", "prompts-here"]
    for name in names:
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", name)
        evaluate(version, numbers(1), [polite], samples=1)
    for name in names:
        experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        shown = client.search_prompts(f"experiment_id = '{experiment.experiment_id}'")
        assert [prompt.name for prompt in shown] == ["greet"]


def test_a_run_has_its_model_and_its_dataset_as_inputs(
    evaluated: RunResult, client: MlflowClient
) -> None:
    plan = evaluated.record.plan
    inputs = stored_run(client, evaluated).inputs
    assert [model.model_id for model in inputs.model_inputs] == [plan.model_id]
    assert client.get_logged_model(str(plan.model_id)).params["agent"] == "app"
    (dataset,) = inputs.dataset_inputs
    assert dataset.dataset.name == "numbers"
    assert plan.dataset.digest.startswith(dataset.dataset.digest)


def test_metrics_have_their_bounds_and_belong_to_the_model(
    evaluated: RunResult, client: MlflowClient
) -> None:
    estimate = evaluated.estimates["polite"]
    metrics = stored_run(client, evaluated).data.metrics
    assert metrics["polite"] == pytest.approx(2 / 3)
    assert (metrics["polite/low"], metrics["polite/high"]) == (estimate.low, estimate.high)
    assert metrics["polite/pass_hat_2"] == pytest.approx(2 / 3)
    hat = evaluated.repeats["polite"].pass_hat[1]
    assert (metrics["polite/pass_hat_2/low"], metrics["polite/pass_hat_2/high"]) == (
        hat.low,
        hat.high,
    )
    assert metrics["length"] == 6
    assert "broken" not in metrics
    of_model = client.get_logged_model(str(evaluated.record.plan.model_id)).metrics or []
    assert {"polite", "polite/low", "length"} <= {metric.key for metric in of_model}


def samples_table(client: MlflowClient, result: RunResult, folder: Path) -> list[dict[str, object]]:
    file = client.download_artifacts(result.record.plan.run_id, "samples.json", str(folder))
    table = json.loads(Path(file).read_text())
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def test_each_sample_is_a_row_of_the_samples_table(
    evaluated: RunResult, client: MlflowClient, tmp_path: Path
) -> None:
    rows = samples_table(client, evaluated, tmp_path)
    assert [(row["case"], row["sample"]) for row in rows] == sorted(evaluated.record.samples)
    first = rows[0]
    assert (first["score/polite"], first["score/broken"]) == (True, None)
    assert first["trace_id"] == evaluated.record.samples["c0", 0].trace.trace_id
    assert {row["error"] for row in rows if row["case"] == "c2"} == {"ValueError: a bug"}
    tags = stored_run(client, evaluated).data.tags
    assert json.loads(tags["mlflow.loggedArtifacts"]) == [{"path": "samples.json", "type": "table"}]


def test_the_conversations_that_say_most_are_kept_as_pages(
    evaluated: RunResult, client: MlflowClient, tmp_path: Path
) -> None:
    run_id = evaluated.record.plan.run_id
    paths = [file.path for file in client.list_artifacts(run_id, "conversations")]
    assert paths == [f"conversations/{name}.html" for name in ("c0-0", "c2-0", "c2-1")]
    page = Path(client.download_artifacts(run_id, paths[1], str(tmp_path)))
    assert "ValueError: a bug" in page.read_text(encoding="utf-8")


def test_the_note_leads_to_the_conversations(evaluated: RunResult, client: MlflowClient) -> None:
    run = stored_run(client, evaluated)
    note = run.data.tags["mlflow.note.content"]
    place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/conversations"
    assert f"- [c2, sample 0]({place}/c2-0.html): failed with ValueError\n" in note
    assert note.endswith(f"- [c0, sample 0]({place}/c0-0.html): polite True")


def test_each_sample_is_a_trace_with_scores_and_expectations(
    evaluated: RunResult, client: MlflowClient
) -> None:
    traces = {trace.info.client_request_id: trace.info for trace in traces_of(client, evaluated)}
    assert len(traces) == 6
    info = traces["c1#1"]
    assert info.trace_metadata["mlflow.sourceRun"] == evaluated.record.plan.run_id
    assert info.tags["tag.team"] == "banking"
    found = {assessment.name: assessment for assessment in info.assessments}
    assert found["polite"].value is True
    assert found["length"].value == 6
    assert found["broken"].error is not None
    assert found["answer"].value == 1
    assert traces["c2#0"].state.value == "ERROR"


def test_publishing_twice_changes_nothing(
    evaluated: RunResult, client: MlflowClient, tmp_path: Path
) -> None:
    def everything() -> object:
        run = stored_run(client, evaluated)
        table = samples_table(client, evaluated, tmp_path)
        history = client.get_metric_history(run.info.run_id, "polite")
        traces = sorted(
            (
                trace.info.trace_id,
                sorted(trace.info.tags.items()),
                sorted((a.name, str(a.value)) for a in trace.info.assessments),
                len(trace.data.spans),
            )
            for trace in traces_of(client, evaluated)
        )
        inputs = len(run.inputs.dataset_inputs), len(run.inputs.model_inputs)
        return run.data.to_dictionary(), run.info.end_time, table, history, traces, inputs

    before = everything()
    (again,) = Evaluation(Project.find()).resume(evaluated.record.plan.run_id)
    assert again.document() == evaluated.document()
    assert everything() == before


def test_what_the_store_lost_is_published_again(evaluated: RunResult, client: MlflowClient) -> None:
    run = stored_run(client, evaluated)
    lost = [outcome.trace_id for outcome in evaluated.record.outcomes.values()][:2]
    client.delete_traces(run.info.experiment_id, trace_ids=lost)
    again = Evaluation(Project.find()).publish(evaluated.record.plan.run_id[:12])
    assert again.document() == evaluated.document()
    assert len(traces_of(client, evaluated)) == 6


def test_a_run_that_was_stopped_is_published_as_far_as_it_came(
    evaluated: RunResult, client: MlflowClient
) -> None:
    project, run_id = Project.find(), evaluated.record.plan.run_id
    journal = RunStore.of(project).path(run_id) / FILE_NAME
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]))
    found = Evaluation(project).publish(run_id)
    assert not found.record.is_whole
    assert stored_run(client, evaluated).info.status == "KILLED"


def test_traces_are_in_the_store_while_other_samples_still_run(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    seen: list[int] = []

    def until_one_is_stored(sample: Sample) -> bool:
        if sample.case.id == "c1":
            project = Project.find()
            run_id = RunStore.of(project).plans()[-1].run_id
            with open_store(project) as store:
                while not store.count_traces(run_id):
                    time.sleep(0.1)
                seen.append(store.count_traces(run_id))
        return True

    result = evaluate(one_node(), numbers(2), [until_one_is_stored], samples=1, concurrency=1)
    assert seen == [1]
    assert result.traces.stored == 2


def test_one_version_is_one_logged_model_in_all_its_runs(
    evaluated: RunResult, one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node(NODE, {"prompts/greet/v1.md": "Hello"})
    again = evaluate(version, numbers(2), [polite], samples=1)
    assert again.record.plan.model_id == evaluated.record.plan.model_id


def test_a_store_that_is_gone_at_the_end_keeps_the_journal_and_is_published_later(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], shared_state: Path
) -> None:
    version = one_node()
    project = version.agent.project
    evaluate(version, numbers(1), samples=1)  # so that there is a store

    with store_broken_by_scoring(shared_state / "mlflow.db") as scorer:
        with pytest.raises(StoreError) as told:
            evaluate(version, numbers(4), [scorer], samples=1)
        run_id = RunStore.of(project).plans()[-1].run_id
        assert f"`linenotes publish {run_id[:12]}` stores them" in str(told.value)
        assert "Not published: all 4 samples are kept" in str(told.value)
        assert "\n" not in str(told.value)
    result = Evaluation(project).publish(run_id)
    assert (result.scored, result.traces.stored) == (4, 4)


@contextmanager
def store_broken_by_scoring(database: Path) -> Iterator[object]:
    """Yield a scorer after which the store has lost a table, until the block ends."""

    def rename(before: str, after: str) -> None:
        with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
            connection.execute(f"ALTER TABLE {before} RENAME TO {after}")

    gone = False

    def fine(sample: Sample) -> bool:
        nonlocal gone
        if not gone:
            gone = True
            rename("metrics", "metrics_gone")
        return True

    try:
        yield fine
    finally:
        if gone:
            rename("metrics_gone", "metrics")


def test_a_name_that_mlflow_does_not_take_is_told_as_an_error_of_the_store(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node(files={"prompts/a*b/v1.md": "Hello"})
    with pytest.raises(StoreError, match=r"Could not .* the MLflow store"):
        evaluate(version, numbers(1), samples=1)
