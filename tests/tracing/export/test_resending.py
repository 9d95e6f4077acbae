from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
import pytest

from linenotes.project import Redactor
from linenotes.tracing import FiledTrace, MlflowStore, OtlpTarget, UiServer, resend, start_ui

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Collector

MakeFiled = Callable[..., FiledTrace]


def test_every_trace_is_sent_and_named(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    filed = [desk_filed("again", n) for n in range(5)]
    resent = resend(iter(filed), target)
    assert resent.sent == tuple(one.trace.trace_id for one in filed)
    assert (resent.not_sent, resent.reason) == ((), None)
    assert collector.trace_ids == list(resent.sent)


def test_a_large_trace_is_sent_in_parts_that_a_collector_takes(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("large")
    spans = tuple(replace(span, inputs="a word " * 130_000) for span in filed.trace.spans)
    filed = replace(filed, trace=replace(filed.trace, spans=spans))
    with Redactor(max_characters=10**7).in_force():
        assert resend([filed], target).not_sent == ()
    assert len(collector.requests) == len(spans)
    assert len(collector.spans) == len(spans)


def test_a_collector_that_fails_several_in_a_row_is_left_alone(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled, protocol: str
) -> None:
    collector.refusal = grpc.StatusCode.INVALID_ARGUMENT if protocol == "grpc" else 400
    filed = [desk_filed("bad", n) for n in range(6)]
    resent = resend(filed, target)
    assert resent.not_sent == tuple(one.trace.trace_id for one in filed)
    assert resent.reason in ("INVALID_ARGUMENT not today", "400 Bad Request")


@pytest.fixture(scope="module")
def mlflow_server(
    store: MlflowStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UiServer]:
    folder: Path = tmp_path_factory.mktemp("ui")
    with start_ui(store.tracking_uri, artifacts=folder, log=folder / "log") as server:
        yield server


@pytest.mark.slow
def test_an_mlflow_server_receives_the_trace_with_its_agents(
    store: MlflowStore,
    mlflow_server: UiServer,
    desk_filed: MakeFiled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow import MlflowClient

    header = f"x-mlflow-experiment-id={store.experiment_id}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", header)
    filed = desk_filed("at a server", run_id="received")
    target = OtlpTarget(f"{mlflow_server.url}/v1/traces", "http/protobuf")
    assert resend([filed], target).sent == (filed.trace.trace_id,)
    received = MlflowClient(store.tracking_uri).get_trace(filed.trace.trace_id)
    spans = {span.name: span for span in received.data.spans}
    assert {span.span_id for span in received.data.spans} == {
        span.span_id for span in filed.trace.spans
    }
    triage = spans["invoke_agent triage"]
    assert triage.span_type == "AGENT"
    assert triage.inputs[0]["role"] == "user → triage"
    assert spans["chat smollm2-135m"].span_type == "CHAT_MODEL"
    assert spans["execute_tool find_account"].outputs == "A-17"
    assert received.info.trace_metadata["mlflow.trace.session"] == "at a server"
    results = [event.name for event in spans["invoke_agent support_desk"].events]
    assert results == ["gen_ai.evaluation.result"] * 3
