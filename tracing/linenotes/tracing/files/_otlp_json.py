"""Spans of OTLP as JSON: what an exporter sends and a collector's file exporter writes.

Log records that stand for GenAI events are events of their span, so both forms read alike. Ids
are hex digits as the protocol says, or base64 as protobuf's own JSON has them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from linenotes.project import TraceFileError
from linenotes.tracing._trace import SpanEvent, SpanLink
from linenotes.tracing._values import json_value

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.files._json_file import Document

_Object = Mapping[str, "JsonValue"]
_REQUEST_KEYS = ("resourceSpans", "resourceLogs", "resourceMetrics")
_FAILED = ("2", "STATUS_CODE_ERROR")
_TOO_LATE = 2**63
"""The first moment, in nanoseconds since the epoch, that 64 bits cannot hold."""
_MAX_DIGITS = 19
"""Of a moment that they can hold."""
_TRACE_DIGITS = 32
_SPAN_DIGITS = 16


@dataclass(frozen=True, slots=True)
class OtlpSpan:
    """One span as it was exported."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    parent_id: str | None
    name: str
    service: str | None
    start_ns: int
    end_ns: int
    failed: bool
    status_message: str
    place: str
    attributes: dict[str, JsonValue] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()


def read_spans(documents: Iterable[Document]) -> list[OtlpSpan]:
    """Return the spans of a file in their order; one that is there twice counts once.

    Raises:
        TraceFileError: something is not OTLP; it is named by its place and key.
    """
    spans: dict[tuple[str, str], OtlpSpan] = {}
    logged: dict[tuple[str, str], list[SpanEvent]] = {}
    for document in documents:
        for place, request in _requests(document):
            for span in _spans(request, place):
                spans[span.trace_id, span.span_id] = span
            for key, event in _log_events(request, place):
                logged.setdefault(key, []).append(event)
    return [
        replace(span, events=(*span.events, *logged[key])) if key in logged else span
        for key, span in spans.items()
    ]


def _requests(document: Document) -> Iterator[tuple[str, _Object]]:
    values = document.value if isinstance(document.value, list) else [document.value]
    for value in values:
        if not isinstance(value, dict) or not any(
            _key(value, part) is not None for part in _REQUEST_KEYS
        ):
            raise TraceFileError(
                f"{document.place} is no export of spans. OTLP has an object with resourceSpans."
            )
        yield document.place, value


def _spans(request: _Object, place: str) -> Iterator[OtlpSpan]:
    for resource, path in _objects(request, "resourceSpans", place):
        described = resource.get("resource")
        service = _attributes(described, path) if isinstance(described, dict) else {}
        for scope, inner in _objects(resource, "scopeSpans", path):
            for span, where in _objects(scope, "spans", inner):
                yield _span(span, where, _text(service.get("service.name")))


def _span(span: _Object, place: str, service: str | None) -> OtlpSpan:
    status = span.get("status")
    status = status if isinstance(status, dict) else {}
    start = _moment(span, "startTimeUnixNano", place)
    parent = _key(span, "parentSpanId")
    return OtlpSpan(
        trace_id=_id(_key(span, "traceId"), _TRACE_DIGITS, f"{place}.traceId"),
        span_id=_id(_key(span, "spanId"), _SPAN_DIGITS, f"{place}.spanId"),
        parent_id=_id(parent, _SPAN_DIGITS, f"{place}.parentSpanId") if parent else None,
        name=_text(span.get("name")) or "span",
        service=service,
        start_ns=start,
        end_ns=_moment(span, "endTimeUnixNano", place) or start,
        failed=str(status.get("code")) in _FAILED,
        status_message=_text(status.get("message")) or "",
        place=place,
        attributes=_attributes(span, place),
        events=tuple(_event(e, where) for e, where in _objects(span, "events", place)),
        links=tuple(_link(link, where) for link, where in _objects(span, "links", place)),
    )


def _event(event: _Object, place: str) -> SpanEvent:
    name = _text(event.get("name")) or "event"
    return SpanEvent(name, _moment(event, "timeUnixNano", place), _attributes(event, place))


def _link(link: _Object, place: str) -> SpanLink:
    span_id = _id(_key(link, "spanId"), _SPAN_DIGITS, f"{place}.spanId")
    return SpanLink(span_id, _attributes(link, place))


def _log_events(request: _Object, place: str) -> Iterator[tuple[tuple[str, str], SpanEvent]]:
    for resource, path in _objects(request, "resourceLogs", place):
        for scope, inner in _objects(resource, "scopeLogs", path):
            for log, where in _objects(scope, "logRecords", inner):
                if _key(log, "traceId") and _key(log, "spanId"):
                    yield _log_event(log, where)


def _log_event(log: _Object, place: str) -> tuple[tuple[str, str], SpanEvent]:
    attributes = _attributes(log, place)
    written = log.get("body")
    body = _value(written) if isinstance(written, dict) else None
    said = body if isinstance(body, dict) else {} if body is None else {"content": body}
    name = _text(_key(log, "eventName")) or _text(attributes.get("event.name")) or "log"
    key = (
        _id(_key(log, "traceId"), _TRACE_DIGITS, f"{place}.traceId"),
        _id(_key(log, "spanId"), _SPAN_DIGITS, f"{place}.spanId"),
    )
    return key, SpanEvent(name, _moment(log, "timeUnixNano", place), {**attributes, **said})


def _objects(of: _Object, name: str, place: str) -> Iterator[tuple[_Object, str]]:
    found = _key(of, name)
    if found is None:
        return
    if not isinstance(found, list):
        raise TraceFileError(f"{place}: {name} is {found!r:.60}, and should be a list.")
    for number, item in enumerate(found):
        where = f"{place}: {name}[{number}]" if ": " not in place else f"{place}.{name}[{number}]"
        if not isinstance(item, dict):
            raise TraceFileError(f"{where} is {item!r:.60}, and should be an object.")
        yield item, where


def _attributes(of: _Object, place: str) -> dict[str, JsonValue]:
    return {
        str(pair.get("key")): _value(value)
        for pair, _ in _objects(of, "attributes", place)
        if isinstance(value := pair.get("value"), dict)
    }


def _value(value: _Object) -> JsonValue:
    """Return the plain value of OTLP's AnyValue."""
    for kind, plain in value.items():
        if kind in ("intValue", "int_value"):
            return _integer(plain)
        if kind in ("arrayValue", "array_value"):
            return [_value(item) for item in _values(plain) if isinstance(item, dict)]
        if kind in ("kvlistValue", "kvlist_value"):
            return _attributes({"attributes": _values(plain)}, "kvlistValue")
        return plain
    return None


def _integer(written: JsonValue) -> JsonValue:
    """Return an integer, which the protocol writes as text; other text stays as it is."""
    try:
        return json_value(int(str(written)))
    except ValueError:
        return written


def _values(listed: JsonValue) -> list[JsonValue]:
    values = listed.get("values") if isinstance(listed, dict) else None
    return values if isinstance(values, list) else []


def _key(of: _Object, camel: str) -> JsonValue:
    """Return the value of a key in the protocol's camelCase, or in protobuf's own snake_case."""
    if camel in of:
        return of[camel]
    return of.get("".join(f"_{c.lower()}" if c.isupper() else c for c in camel))


def _moment(of: _Object, name: str, place: str) -> int:
    written = _key(of, name) or 0
    digits = str(written)
    is_time = digits.isdecimal() and len(digits) <= _MAX_DIGITS
    moment = int(digits) if is_time else _TOO_LATE
    if moment >= _TOO_LATE:
        raise TraceFileError(
            f"{place}.{name} is {written!r:.60}, and should be nanoseconds since 1970."
        )
    return moment


def _id(written: JsonValue, digits: int, place: str) -> str:
    text = written if isinstance(written, str) else ""
    if len(text) == digits and set(text.lower()) <= set("0123456789abcdef"):
        return text.lower()
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:  # of letters or of their number
        decoded = b""
    if len(decoded) * 2 != digits:
        raise TraceFileError(f"{place} is {written!r:.60}, and should be {digits} hex digits.")
    return decoded.hex()


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
