from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.project import RunError
from linenotes.tracing import FiledTrace, MlflowStore, Trace, TraceScore, TraceState
from linenotes.tracing._conventions import (
    EVALUATION_NAME,
    EVALUATION_RESULT,
    EVALUATION_VALUE,
)

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

MakeTrace = Callable[..., Trace]
MakeFiled = Callable[..., FiledTrace]


@pytest.mark.parametrize("state", ["OK", "ERROR", "IN_PROGRESS"])
def test_a_trace_reads_back_as_it_was_written(
    store: MlflowStore, desk_trace: MakeTrace, state: TraceState
) -> None:
    trace = desk_trace("round-trip", run_id=state, state=state)
    store.write_traces([FiledTrace(trace)])
    assert store.read_trace(trace.trace_id) == trace


def test_a_trace_without_spans_reads_back(store: MlflowStore, desk_trace: MakeTrace) -> None:
    trace = replace(desk_trace("no-spans"), spans=(), messages=())
    store.write_traces([FiledTrace(trace)])
    assert store.read_trace(trace.trace_id) == trace


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '"quoted"', "[1]", "[NaN]", "1", "null", "", "{broken", "ünï"]
)
def test_text_that_looks_like_json_stays_text(
    store: MlflowStore, desk_trace: MakeTrace, text: str
) -> None:
    trace = desk_trace("json-text", run_id=text)
    root = replace(trace.spans[0], inputs=text, outputs=text, attributes={"said": text})
    trace = replace(trace, spans=(root, *trace.spans[1:]), request=text, response=text)
    store.write_traces([FiledTrace(trace)])
    assert store.read_trace(trace.trace_id) == trace


def test_a_unique_start_of_the_id_is_enough(store: MlflowStore, desk_trace: MakeTrace) -> None:
    trace = replace(desk_trace("prefix"), trace_id="tr-" + "fedcba98" * 4)
    store.write_traces([FiledTrace(trace)])
    assert store.read_trace("tr-fedcba") == trace
    assert store.read_trace("fedcba") == trace


def test_latest_is_the_trace_that_began_last(store: MlflowStore, desk_trace: MakeTrace) -> None:
    trace = desk_trace("newest")
    newest = replace(trace, start_ns=trace.start_ns + 10**18, end_ns=trace.start_ns + 2 * 10**18)
    store.write_traces([FiledTrace(newest)])
    assert store.read_trace("latest") == newest


def test_a_start_of_several_ids_is_refused(store: MlflowStore, desk_trace: MakeTrace) -> None:
    trace = desk_trace("twins")
    twins = [replace(trace, trace_id=f"tr-{'ab' * 15}{end}") for end in ("00", "01")]
    store.write_traces([FiledTrace(twin) for twin in twins])
    with pytest.raises(RunError, match="start of several traces"):
        store.read_trace("abab")


@pytest.mark.parametrize("name", ["0000dead", "tr-" + "0" * 31 + "1"])
def test_a_trace_that_is_not_there_is_named(store: MlflowStore, name: str) -> None:
    with pytest.raises(RunError, match=f"No trace '{name}'"):
        store.read_trace(name)


def test_what_cannot_be_an_id_is_refused(store: MlflowStore) -> None:
    with pytest.raises(RunError, match="not the id of a trace"):
        store.read_trace("latest'; --")


@pytest.mark.parametrize("name", ["tr-", "", "tr-0", "abc"])
def test_less_than_four_digits_mean_no_trace(store: MlflowStore, name: str) -> None:
    with pytest.raises(RunError, match="too short for the id of a trace"):
        store.read_trace(name)


def test_a_trace_of_something_else_is_read_for_its_messages(
    store: MlflowStore, desk_trace: MakeTrace
) -> None:
    from mlflow.tracing.client import TracingClient

    from linenotes.tracing.store._mlflow_spans import mlflow_spans

    trace = desk_trace("foreign")
    _root, *children = mlflow_spans(FiledTrace(trace))
    TracingClient(store.tracking_uri).log_spans(store.experiment_id, children)
    read = store.read_trace(trace.trace_id)
    assert read.trace_id == trace.trace_id
    assert read.spans


def test_every_trace_of_concurrent_writers_is_stored(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    run_id = "c" * 32
    filed = [desk_filed(f"case-{i}", i % 3, run_id=run_id) for i in range(300)]
    parts = [filed[start : start + 50] for start in range(0, 300, 50)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.write_traces, parts))
    assert store.count_traces(run_id) == 300


def test_writing_twice_leaves_one_trace(store: MlflowStore, desk_filed: MakeFiled) -> None:
    filed = desk_filed("twice", run_id="2" * 32)
    store.write_traces([filed])
    first = _stored(store, filed)
    store.write_traces([filed])
    assert _stored(store, filed) == first
    assert store.count_traces("2" * 32) == 1


def test_another_execution_under_the_same_id_replaces_all_of_it(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("again", run_id="3" * 32)
    store.write_traces([filed])
    shorter = replace(filed, trace=replace(filed.trace, spans=filed.trace.spans[:3], response="?"))
    store.write_traces([shorter])
    assert store.read_trace(filed.trace.trace_id) == shorter.trace
    assert len(_mlflow_trace(store, filed).data.spans) == 3


def test_an_interrupted_writing_is_completed(store: MlflowStore, desk_filed: MakeFiled) -> None:
    from mlflow.entities import TraceState as MlflowState
    from mlflow.tracing.client import TracingClient

    from linenotes.tracing.store._mlflow_info import trace_info

    filed = desk_filed("interrupted", run_id="4" * 32)
    info = trace_info(filed, store.experiment_id)
    TracingClient(store.tracking_uri).start_trace(replace(info, state=MlflowState.IN_PROGRESS))
    store.write_traces([filed])
    assert store.read_trace(filed.trace.trace_id) == filed.trace
    assert _stored(store, filed)["state"] == "OK"


def test_scoring_anew_replaces_scores_and_keeps_those_of_people(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    from mlflow.entities import Feedback
    from mlflow.tracing.client import TracingClient

    filed = desk_filed("rescored", run_id="5" * 32)
    store.write_traces([filed])
    TracingClient(store.tracking_uri).log_assessment(
        filed.trace.trace_id, Feedback(name="a person", value="kind")
    )
    store.write_traces([replace(filed, scores=(TraceScore("route_ok", value=False),))])
    scores = _stored(store, filed)["scores"]
    assert isinstance(scores, dict)
    assert scores["route_ok"] is False
    assert scores["a person"] == "kind"


def test_mlflow_shows_what_its_lists_filter_and_group_by(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("card-lost", 2, run_id="6" * 32)
    store.write_traces([filed])
    found = _search(store, "tags.`linenotes.case` = 'card-lost' AND tags.`agent.triage` = '1'")
    info = found[0].info
    assert str(info.request_preview).startswith("[card-lost#2] Please block my card")
    assert info.response_preview == "Your card is frozen."
    assert info.client_request_id == "card-lost#2"
    assert info.execution_duration == 900
    assert info.trace_metadata["mlflow.trace.session"] == "card-lost"
    assert info.trace_metadata["mlflow.sourceRun"] == "6" * 32
    assert info.trace_metadata["mlflow.modelId"] == "m-" + "1" * 32
    assert info.token_usage is not None
    assert info.token_usage["total_tokens"] == 5 * 43
    assert info.tags["mlflow.traceName"] == "support_desk"
    assert info.tags["linenotes.sample"] == "2"
    assert info.tags["linenotes.version"] == "triage@2"
    assert info.tags["tag.team _A_B_"] == "banking"
    assert '{"name":"triage","version":"2"}' in info.tags["mlflow.linkedPrompts"]


def test_mlflow_shows_scores_errors_and_expectations(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("scored", run_id="7" * 32)
    store.write_traces([filed])
    kept = _assessments(store, filed)
    assert set(kept) == {"route_ok", "confidence", "tone", "intent"}
    assert kept["route_ok"]["feedback"] == {"value": True}
    assert kept["route_ok"]["rationale"] == "banking → freeze_account, as expected."
    assert kept["route_ok"]["metadata"] == {"mlflow.assessment.sourceRunId": "7" * 32}
    assert kept["confidence"]["feedback"] == {"value": 0.75}
    assert "TimeoutError" in kept["tone"]["feedback"]["error"]["error_message"]
    assert kept["intent"]["expectation"] == {"value": "freeze_account"}


def test_a_score_that_is_no_number_is_an_error(store: MlflowStore, desk_filed: MakeFiled) -> None:
    filed = replace(desk_filed("nan"), scores=(TraceScore("odd", value=float("nan")),))
    store.write_traces([filed])
    odd = _assessments(store, filed)["odd"]["feedback"]
    assert odd["value"] is None
    assert "not a number" in odd["error"]["error_message"]


def test_mlflow_shows_agents_models_tools_handoffs_and_links(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("spans", run_id="8" * 32)
    store.write_traces([filed])
    stored = _mlflow_trace(store, filed)
    spans = {span.name: span for span in stored.data.spans}
    assert spans["triage"].span_type == "AGENT"
    assert spans["triage"].inputs[0]["role"] == "user → triage"
    assert spans["find_account"].span_type == "TOOL"
    assert spans["chat smollm2-135m"].attributes["mlflow.chat.tokenUsage"]["total_tokens"] == 43
    handoff = spans["triage → specialist"]
    assert (handoff.span_type, handoff.parent_id) == ("HANDOFF", spans["triage"].span_id)
    (link,) = spans["specialist"].links
    assert (link.trace_id, link.span_id) == (filed.trace.trace_id, handoff.span_id)


def test_the_scores_are_results_on_the_spans_that_they_judge(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("judged", run_id="e" * 32)
    triage = filed.trace.spans[1]
    scores = (*filed.scores, TraceScore("short", value=True, span_id=triage.span_id))
    store.write_traces([replace(filed, scores=scores)])
    assert store.read_trace(filed.trace.trace_id) == filed.trace
    assert _results(store, filed) == {
        ("support_desk", "route_ok", 1.0),
        ("support_desk", "confidence", 0.75),
        ("support_desk", "tone", None),
        ("triage", "short", 1.0),
    }


def test_scoring_anew_replaces_the_results_on_the_spans_and_nothing_else(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("judged again", run_id="f" * 32)
    store.write_traces([filed])
    before = _mlflow_trace(store, filed).info
    store.write_traces([replace(filed, scores=(TraceScore("route_ok", value=False),))])
    after = _mlflow_trace(store, filed).info
    assert _results(store, filed) == {("support_desk", "route_ok", 0.0)}
    assert store.read_trace(filed.trace.trace_id) == filed.trace
    assert (after.state, after.token_usage) == (before.state, before.token_usage)
    assert (after.tags, after.request_preview) == (before.tags, before.request_preview)


def test_a_trace_reads_back_with_its_run_version_and_scores_those_of_people_too(
    store: MlflowStore, desk_filed: MakeFiled
) -> None:
    from mlflow.entities import Feedback
    from mlflow.tracing.client import TracingClient

    filed = desk_filed("filed", run_id="fe" * 16)
    store.write_traces([filed])
    TracingClient(store.tracking_uri).log_assessment(
        filed.trace.trace_id, Feedback(name="a person", value={"tone": "kind"})
    )
    read = store.read_filed_trace(filed.trace.trace_id)
    assert (read.trace, read.run_id, read.version) == (filed.trace, filed.run_id, filed.version)
    scores = {score.name: score.value for score in read.scores}
    assert scores == {
        "route_ok": True,
        "confidence": 0.75,
        "tone": None,
        "a person": '{"tone":"kind"}',
    }
    assert "TimeoutError" in str({s.name: s.error for s in read.scores}["tone"])


def test_mlflow_shows_what_is_known_of_the_cost(store: MlflowStore, desk_trace: MakeTrace) -> None:
    trace = desk_trace("cost")
    first, *others = trace.messages
    said = replace(others[0], cost=0.0025)
    triage = next(i for i, span in enumerate(trace.spans) if span.type == "CHAT_MODEL")
    spans = list(trace.spans)
    attributes = {**spans[triage].attributes, "linenotes.message.id": said.id}
    spans[triage] = replace(spans[triage], attributes=attributes)
    trace = replace(trace, messages=(first, said, *others[1:]), spans=tuple(spans))
    filed = FiledTrace(trace)
    store.write_traces([filed])
    stored = _mlflow_trace(store, filed)
    assert stored.info.cost is not None
    assert stored.info.cost["total_cost"] == 0.0025
    costs = [span.llm_cost for span in stored.data.spans if span.llm_cost]
    assert [cost["total_cost"] for cost in costs] == [0.0025]
    assert store.find_traces(case="cost")[0].cost == 0.0025
    assert store.read_trace(trace.trace_id) == trace


def test_a_running_trace_stays_in_progress(store: MlflowStore, desk_filed: MakeFiled) -> None:
    filed = desk_filed("running", run_id="9" * 32, state="IN_PROGRESS")
    for _ in range(2):
        store.write_traces([filed])
        stored = _mlflow_trace(store, filed)
        assert stored.info.state.value == "IN_PROGRESS"
        assert all(span.end_time_ns for span in stored.data.spans)


def test_a_running_trace_can_end(store: MlflowStore, desk_filed: MakeFiled) -> None:
    store.write_traces([desk_filed("ends", run_id="a" * 32, state="IN_PROGRESS")])
    ended = desk_filed("ends", run_id="a" * 32)
    store.write_traces([ended])
    assert _stored(store, ended)["state"] == "OK"


def test_readers_do_not_wait_for_writers(store: MlflowStore, store_folder: Path) -> None:
    assert store.tracking_uri.endswith("/mlflow.db")
    connection = sqlite3.connect(store_folder / "mlflow.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_files_of_runs_are_kept_in_the_folder_of_the_store(
    store: MlflowStore, store_folder: Path
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(store.tracking_uri)
    run = client.create_run(store.experiment_id)
    client.log_text(run.info.run_id, "hello", "note.txt")
    (note,) = (store_folder / "artifacts").rglob("note.txt")
    assert note.read_text() == "hello"


def _results(store: MlflowStore, filed: FiledTrace) -> set[tuple[object, ...]]:
    return {
        (span.name, e.attributes[EVALUATION_NAME], e.attributes.get(EVALUATION_VALUE))
        for span in _mlflow_trace(store, filed).data.spans
        for e in span.events
        if e.name == EVALUATION_RESULT
    }


def _assessments(store: MlflowStore, filed: FiledTrace) -> dict[str, dict[str, Any]]:
    return {a.name: dict(a.to_dictionary()) for a in _mlflow_trace(store, filed).info.assessments}  # type: ignore[no-untyped-call]


def _mlflow_trace(store: MlflowStore, filed: FiledTrace) -> MlflowTrace:
    from mlflow import MlflowClient

    trace: MlflowTrace = MlflowClient(store.tracking_uri).get_trace(filed.trace.trace_id)
    return trace


def _search(store: MlflowStore, filter_string: str) -> list[MlflowTrace]:
    from mlflow import MlflowClient

    client = MlflowClient(store.tracking_uri)
    return list(client.search_traces(locations=[store.experiment_id], filter_string=filter_string))


def _stored(store: MlflowStore, filed: FiledTrace) -> dict[str, object]:
    stored = _mlflow_trace(store, filed)
    info = stored.info
    return {
        "state": info.state.value,
        "tags": info.tags,
        "metadata": info.trace_metadata,
        "scores": {a.name: getattr(a, "value", None) for a in info.assessments},
        "spans": [span.to_dict() for span in stored.data.spans],
    }
