from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing.files._json_file import Document
from linenotes.tracing.files._otlp_json import OtlpSpan, read_spans

Otlp = Callable[..., Any]


def spans(*exports: Any) -> list[OtlpSpan]:  # noqa: ANN401  JSON of any shape
    return read_spans(Document("file", export) for export in exports)


def test_a_span_keeps_what_was_exported(otlp: Otlp) -> None:
    attributes = {"a": "x", "n": 7, "f": 0.5, "b": True}
    (found,) = spans(
        otlp({"name": "work", "attributes": attributes, "events": [("hey", {"k": 1})]})
    )
    assert (found.trace_id, found.span_id, found.parent_id) == ("a" * 32, f"{1:016x}", None)
    assert (found.name, found.service, found.attributes) == ("work", "shop", attributes)
    assert (found.end_ns - found.start_ns, found.failed) == (50_000_000, False)
    assert [(event.name, event.attributes) for event in found.events] == [("hey", {"k": 1})]


def test_lists_and_maps_are_plain_values(otlp: Otlp) -> None:
    export = otlp({})
    export["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": "l", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
        {
            "key": "m",
            "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
        },
    ]
    assert spans(export)[0].attributes == {"l": [1], "m": {"k": "v"}}


@pytest.mark.parametrize("code", [2, "STATUS_CODE_ERROR"])
def test_a_failed_span_says_so(otlp: Otlp, code: object) -> None:
    (found,) = spans(otlp({"status": {"code": code, "message": "no"}}))
    assert (found.failed, found.status_message) == (True, "no")


def test_ids_may_be_base64_as_protobuf_writes_them(otlp: Otlp) -> None:
    written = base64.b64encode(bytes.fromhex("ab" * 16)).decode()
    assert spans(otlp({}, trace=written))[0].trace_id == "ab" * 16


def test_a_span_that_was_exported_twice_counts_once(otlp: Otlp) -> None:
    assert len(spans(otlp({}), otlp({}))) == 1


def test_log_records_are_events_of_their_span(otlp: Otlp) -> None:
    body = {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "Hi"}}]}}
    log = {
        "traceId": "a" * 32,
        "spanId": f"{1:016x}",
        "eventName": "gen_ai.user.message",
        "body": body,
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
    (found,) = spans(otlp({}), logs)
    assert [(e.name, e.attributes) for e in found.events] == [
        ("gen_ai.user.message", {"content": "Hi"})
    ]


def test_protobufs_own_spelling_of_keys_is_read() -> None:
    span = {"trace_id": "a" * 32, "span_id": "b" * 16, "start_time_unix_nano": "5", "name": "x"}
    (found,) = spans({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]})
    assert (found.span_id, found.start_ns) == ("b" * 16, 5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"traceId": "xyz"}, r"spans\[0\].traceId is 'xyz', and should be 32 hex digits"),
        ({"traceId": "ä" * 32}, r"should be 32 hex digits"),
        ({"endTimeUnixNano": "9" * 5000}, r"should be nanoseconds since 1970"),
        ({"spanId": None}, r"spans\[0\].spanId is None"),
        ({"startTimeUnixNano": "noon"}, r"startTimeUnixNano is 'noon'"),
        ({"endTimeUnixNano": str(10**30)}, r"should be nanoseconds since 1970"),
        ({"attributes": 1}, r"attributes is 1, and should be a list"),
        ({"events": [1]}, r"events\[0\] is 1, and should be an object"),
    ],
)
def test_what_is_no_span_is_named_with_its_place(
    otlp: Otlp, change: dict[str, Any], told: str
) -> None:
    export = otlp({})
    export["resourceSpans"][0]["scopeSpans"][0]["spans"][0] |= change
    with pytest.raises(TraceFileError, match=told):
        spans(export)


def test_another_document_is_no_export() -> None:
    with pytest.raises(TraceFileError, match="file is no export of spans"):
        spans({"messages": []})


def test_a_number_that_is_none_stays_what_it_is(otlp: Otlp) -> None:
    export = otlp({})
    span = export["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["attributes"] = [{"key": "n", "value": {"intValue": "many"}}]
    assert spans(export)[0].attributes == {"n": "many"}
