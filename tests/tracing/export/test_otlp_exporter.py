from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
import pytest

from linenotes.project import OtlpSettings, Project, Redactor, Settings
from linenotes.tracing import (
    ExportResult,
    FiledTrace,
    OtlpExporter,
    OtlpTarget,
    TraceScore,
    exporting,
)

if TYPE_CHECKING:
    from tests.conftest import Collector

MakeFiled = Callable[..., FiledTrace]


def test_every_trace_arrives_with_the_ids_that_it_has_here(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    filed = [desk_filed("sent", n) for n in range(20)]
    exporter = OtlpExporter(target)
    for one in filed:
        exporter.submit(one)
    sent = tuple(one.trace.trace_id for one in filed)
    assert exporter.close(patience=60) == ExportResult(sent)
    assert collector.trace_ids == [*sent]
    assert len(collector.spans) == sum(len(one.trace.spans) for one in filed)


def test_what_is_sent_is_redacted(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("redacted")
    trace = replace(filed.trace, request="my password=hunter2")
    score = TraceScore("kind", value=True, rationale="it knows hunter2 of B-12")
    with Redactor(patterns={"badge": "B-[0-9]+"}, known={"hunter2": "x"}).in_force():
        exporter = OtlpExporter(target)
    exporter.submit(replace(filed, trace=trace, scores=(score,)))
    assert len(exporter.close(patience=60).sent) == 1
    sent = str(collector.requests)
    assert "[secret:badge:" in sent
    assert "hunter2" not in sent
    assert "B-12" not in sent


def test_nothing_to_send_is_nothing_sent(collector: Collector, target: OtlpTarget) -> None:
    assert OtlpExporter(target).close() == ExportResult()
    assert collector.requests == []


def test_a_run_ends_before_a_collector_that_does_not_answer(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    collector.answers.clear()
    exporter = OtlpExporter(target)
    for n in range(5):
        exporter.submit(desk_filed("slow", n))
    assert collector.came.wait(60)
    result = exporter.close(patience=0.1)
    assert (len(result.sent), len(result.not_sent)) == (0, 5)
    assert result.reason == "it does not answer"
    assert not collector.answers.is_set()


def test_who_exports_says_how_long_the_end_may_take(
    collector: Collector,
    desk_filed: MakeFiled,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    protocol: str,
) -> None:
    collector.answers.clear()
    with exporting(_project(tmp_path, collector.address, protocol), patience=0.1) as export:
        export(filed := desk_filed("soon"))
    assert not collector.answers.is_set()
    assert "did not get 1 of 1 traces" in caplog.text
    assert f"`linenotes trace export {filed.trace.trace_id}`." in caplog.text


def test_what_a_collector_refuses_is_counted_with_its_reason(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled, protocol: str
) -> None:
    collector.refusal = grpc.StatusCode.PERMISSION_DENIED if protocol == "grpc" else 403
    exporter = OtlpExporter(target)
    exporter.submit(desk_filed("refused"))
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent)) == (0, 1)
    wanted = "PERMISSION_DENIED not today" if protocol == "grpc" else "403 Forbidden"
    assert result.reason == wanted


@pytest.mark.parametrize("protocol", ["http/protobuf"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "302 Found"),
        (304, "304 Not Modified"),
        (422, "422 Unprocessable Entity no such header"),
        (503, "503 Service Unavailable no such header"),
    ],
)
def test_whatever_is_no_success_is_told_with_its_status(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled, status: int, reason: str
) -> None:
    collector.refusal = status
    collector.body = "no such header" if status > 400 else ""
    exporter = OtlpExporter(target)
    exporter.submit(desk_filed("status"))
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent)) == (0, 1)
    assert str(result.reason).replace("Content", "Entity") == reason


@pytest.mark.parametrize("protocol", ["http/protobuf"])
def test_a_collector_that_refuses_several_in_a_row_is_left_alone(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    collector.refusal = 422
    exporter = OtlpExporter(target)
    for n in range(10):
        exporter.submit(desk_filed("useless", n))
    _until(lambda: collector.asked == 3)
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent), collector.asked) == (0, 10, 3)


def test_a_collector_that_is_full_is_not_waited_for_at_the_end(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled, protocol: str
) -> None:
    collector.refusal = grpc.StatusCode.RESOURCE_EXHAUSTED if protocol == "grpc" else 429
    exporter = OtlpExporter(target)
    exporter.submit(desk_filed("full"))
    result = exporter.close(patience=3600, limit=3600)
    assert (len(result.sent), len(result.not_sent)) == (0, 1)
    assert result.reason in ("RESOURCE_EXHAUSTED not today", "429 Too Many Requests")


def test_a_run_ends_before_a_slow_collector_has_taken_everything(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    collector.seconds = 0.1
    filed = [desk_filed("steady", n) for n in range(100)]
    exporter = OtlpExporter(target)
    for one in filed:
        exporter.submit(one)
    assert collector.came.wait(60)
    result = exporter.close(patience=60, limit=0.5)
    assert (*result.sent, *result.not_sent) == tuple(one.trace.trace_id for one in filed)
    assert result.not_sent
    assert result.reason == "it takes them slower than they come"


def test_what_finds_no_room_is_counted(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    collector.answers.clear()
    exporter = OtlpExporter(target, waiting_spans=30)
    for n in range(5):
        exporter.submit(desk_filed("many", n))
    collector.answers.set()
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent)) == (3, 2)
    assert result.reason == "it takes them slower than they come"


def test_a_trace_that_cannot_be_written_does_not_stop_the_others(
    collector: Collector, target: OtlpTarget, desk_filed: MakeFiled
) -> None:
    odd = desk_filed("odd")
    odd = replace(odd, trace=replace(odd.trace, trace_id="not hexadecimal"))
    exporter = OtlpExporter(target)
    exporter.submit(odd)
    exporter.submit(desk_filed("good"))
    _until(lambda: len(collector.requests) == 1)
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent)) == (1, 1)
    assert "ValueError" in str(result.reason)


@pytest.mark.parametrize("protocol", ["grpc"])
def test_a_variable_that_the_exporter_cannot_use_is_the_reason(
    collector: Collector,
    target: OtlpTarget,
    desk_filed: MakeFiled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")
    exporter = OtlpExporter(target)
    exporter.submit(desk_filed("variable"))
    result = exporter.close(patience=60)
    assert (len(result.sent), len(result.not_sent)) == (0, 1)
    assert "soon" in str(result.reason)


def test_headers_of_the_environment_are_sent(
    collector: Collector,
    target: OtlpTarget,
    desk_filed: MakeFiled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=k1")
    exporter = OtlpExporter(target)
    exporter.submit(desk_filed("headers"))
    assert len(exporter.close(patience=60).sent) == 1
    assert collector.headers[0]["x-api-key"] == "k1"


def test_a_collector_that_is_down_is_told_of_once_without_its_password(
    desk_filed: MakeFiled, caplog: pytest.LogCaptureFixture, tmp_path: Path, protocol: str
) -> None:
    project = _project(tmp_path, "http://127.0.0.1:1", protocol)
    with pytest.MonkeyPatch.context() as environment:
        address = "http://me:secret@127.0.0.1:1/v1/traces?key=secret"
        environment.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", address)
        with caplog.at_level(logging.DEBUG), exporting(project) as export:
            for n in range(4):
                export(desk_filed("down", n))
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "http://127.0.0.1:1/v1/traces did not get 4 of 4 traces: " in told.getMessage()
    assert f"`linenotes trace export --run {'0' * 32}`." in told.getMessage()
    assert "secret" not in told.getMessage()


@pytest.mark.parametrize("protocol", ["http/protobuf"])
def test_a_protocol_that_cannot_be_spoken_is_told_of_and_stops_nothing(
    desk_filed: MakeFiled,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with exporting(_project(tmp_path, "http://127.0.0.1:1", protocol)) as export:
        export(desk_filed("json"))
    (told,) = caplog.records
    assert "cannot be sent by 'http/json'" in told.getMessage()


def test_without_a_collector_nothing_is_started(tmp_path: Path, desk_filed: MakeFiled) -> None:
    before = _senders()
    with exporting(Project(tmp_path, Settings())) as export:
        export(desk_filed("nowhere"))
        assert _senders() == before


def test_without_a_collector_nothing_is_imported() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from linenotes.project import Project, Settings\n"
        "from linenotes.tracing import exporting\n"
        "with exporting(Project(Path(), Settings())) as export: export(None)\n"
        "print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"opentelemetry", "grpc", "requests"} & set(ran.stdout.split())


def _senders() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "otlp"}


def _project(root: Path, endpoint: str, protocol: str) -> Project:
    return Project(
        root,
        Settings(otlp=OtlpSettings(endpoint=endpoint, protocol=protocol)),  # type: ignore[arg-type]
    )


def _until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not true() and monotonic() < deadline:
        sleep(0.01)
    assert true()
