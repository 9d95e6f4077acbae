"""A trace as MLflow spans, and back without loss.

Each span becomes one MLflow span. What MLflow has no place for stands in attributes of the root:
the header of the trace, its messages, and the order of the spans. Added for MLflow's pages are
what the trace panel shows, on the root and on agents; the costs of model calls; and scores, as
events of the spans that they judge. Reading drops what was added here or by MLflow.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import orjson
from mlflow.entities import Span as MlflowSpan

from linenotes.tracing._conventions import (
    MESSAGE_ID,
    MESSAGES_RECEIVED,
    MESSAGES_SENT,
    MLFLOW_COST,
)
from linenotes.tracing._ledger import Message
from linenotes.tracing._score_events import score_events
from linenotes.tracing._trace import Span, SpanEvent, SpanLink, Trace, spans_of
from linenotes.tracing.views._sequence_diagram import sequence_diagram
from linenotes.tracing.views._trace_panel import (
    CONVERSATION,
    DIAGRAM,
    MAIL,
    MESSAGES,
    conversation,
    mail,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow.entities import SpanEvent as MlflowSpanEvent
    from mlflow.entities import Trace as MlflowTrace
    from pydantic import JsonValue

    from linenotes.tracing._filed_trace import FiledTrace

RECORD = "linenotes.trace"
"""Root attribute: the trace without its spans, its messages among the rest."""
SPANS = "linenotes.spans"
"""Root attribute: the ids of the spans in their order, each with the `mlflow.` attributes that it
was recorded with. MLflow returns spans by start time, with attributes of its own."""
RUNNING = "linenotes.running"
"""True on a span that had not ended. MLflow's pages cannot show a span without an end, so it gets
the last moment of its trace."""
ADDED = "linenotes.added"
"""True on an event that the trace does not hold: a score is filed with a trace."""

_TRACE_ID = "mlflow.traceRequestId"
_TYPE = "mlflow.spanType"
_INPUTS = "mlflow.spanInputs"
_OUTPUTS = "mlflow.spanOutputs"
_ADDED_HERE = {RECORD, SPANS, RUNNING, DIAGRAM, CONVERSATION, MESSAGES, MAIL}


@dataclass(frozen=True, slots=True)
class SpanToStore:
    """A span with all that is stored of it."""

    trace: Trace
    span: Span
    attributes: dict[str, object]
    """Its own and those that MLflow's pages and the way back need; JSON can hold each."""
    results: Sequence[SpanEvent]
    """What it was judged to be."""

    def document(self, attributes: Mapping[str, str]) -> dict[str, JsonValue]:
        """Return the span as MLflow writes it, keys in its order, with these attributes."""
        span, trace = self.span, self.trace
        ended = trace.last_ns if span.end_ns is None else span.end_ns
        return {
            "trace_id": _base64(trace.trace_id.removeprefix("tr-")),
            "span_id": _base64(span.span_id),
            "parent_span_id": _base64(span.parent_id) if span.parent_id else None,
            "name": span.name,
            "start_time_unix_nano": span.start_ns,
            "end_time_unix_nano": ended or None,
            "events": [
                *(_mlflow_event(event) for event in span.events),
                *(_mlflow_event(event, added=True) for event in self.results),
            ],
            "status": {"code": f"STATUS_CODE_{span.status}", "message": _status_message(span)},
            "attributes": dict(attributes),
            "links": [
                {
                    "trace_id": trace.trace_id,
                    "span_id": link.span_id,
                    "attributes": link.attributes or None,
                }
                for link in span.links
            ],
        }


def mlflow_spans(filed: FiledTrace) -> list[MlflowSpan]:
    """Return the spans of a trace as MLflow stores them, parents before children."""
    return [MlflowSpan.from_dict(_document(span)) for span in spans_to_store(filed)]


def spans_to_store(filed: FiledTrace) -> Iterator[SpanToStore]:
    """Yield the spans of a trace with all that is stored of them, parents before children."""
    trace = filed.trace
    root, *others = spans_of(trace)
    by_id = {message.id: message for message in trace.messages}
    results = score_events(filed)
    yield _to_store(trace, root, _root_attributes(trace), results)
    for span in others:
        yield _to_store(trace, span, _span_attributes(span, by_id), results)


def trace_from_mlflow(stored: MlflowTrace) -> Trace | None:
    """Return the trace that `mlflow_spans` wrote, or None when something else wrote it."""
    root = next((span for span in stored.data.spans if RECORD in span.attributes), None)
    if root is None:
        return None
    by_id = {span.span_id: span for span in stored.data.spans}
    spans = tuple(_span(by_id[id_], kept) for id_, kept in root.attributes[SPANS].items())
    return replace(Trace.from_json(orjson.dumps(root.attributes[RECORD])), spans=spans)


def _root_attributes(trace: Trace) -> dict[str, object]:
    return {
        RECORD: replace(trace, spans=()),
        SPANS: {
            span.span_id: [key for key in span.attributes if key.startswith("mlflow.")]
            for span in trace.spans
        },
        DIAGRAM: sequence_diagram(trace.messages),
        CONVERSATION: conversation(trace.messages),
        MESSAGES: len(trace.messages),
    }


def _span_attributes(span: Span, by_id: dict[str, Message]) -> dict[str, object]:
    if span.type == "CHAT_MODEL":
        said = by_id.get(str(span.attributes.get(MESSAGE_ID)))
        cost = said.cost if said else None
        return {} if cost is None else {MLFLOW_COST: {"total_cost": cost}}
    if span.type != "AGENT":
        return {}

    def messages(attribute: str) -> list[Message]:
        ids = span.attributes.get(attribute)
        return [by_id[id_] for id_ in ids if id_ in by_id] if isinstance(ids, list) else []

    return {MAIL: mail(messages(MESSAGES_RECEIVED), messages(MESSAGES_SENT))}


def _to_store(
    trace: Trace,
    span: Span,
    added: Mapping[str, object],
    results: Mapping[str, Sequence[SpanEvent]],
) -> SpanToStore:
    attributes: dict[str, object] = {
        **span.attributes,
        _TRACE_ID: trace.trace_id,
        _TYPE: span.type,
        **({} if span.inputs is None else {_INPUTS: span.inputs}),
        **({} if span.outputs is None else {_OUTPUTS: span.outputs}),
        **({RUNNING: True} if span.end_ns is None else {}),
        **added,
    }
    return SpanToStore(trace, span, attributes, results.get(span.span_id, ()))


def _document(span: SpanToStore) -> dict[str, JsonValue]:
    return span.document({key: attribute(value) for key, value in span.attributes.items()})


def _mlflow_event(event: SpanEvent, *, added: bool = False) -> dict[str, JsonValue]:
    attributes = {**event.attributes, ADDED: True} if added else event.attributes
    return {"name": event.name, "time_unix_nano": event.time_ns, "attributes": attributes}


def attribute(value: object) -> str:
    """Return `value` as the JSON text that MLflow is to be given of an attribute."""
    text = orjson.dumps(value).decode()
    if isinstance(value, str) and _is_read_as_json(value):
        # MLflow takes text that is JSON for a value encoded twice, and decodes it once too often.
        return orjson.dumps(text).decode()
    return text


def _is_read_as_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[", '"')):
        return False
    try:
        json.loads(text)  # as MLflow does; it knows NaN, for one
    except (ValueError, RecursionError):
        return False
    return True


def _status_message(span: Span) -> str:
    """Return why the span failed: of a span that did not, MLflow keeps no message."""
    if span.status != "ERROR" or span.exception is None:
        return ""
    return span.exception.error_text or ""


def _span(stored: MlflowSpan, kept: list[str]) -> Span:
    attributes = stored.attributes
    recorded = {
        key: value
        for key, value in attributes.items()
        if key in kept or not (key.startswith("mlflow.") or key in _ADDED_HERE)
    }
    return Span(
        span_id=stored.span_id,
        parent_id=stored.parent_id,
        name=stored.name,
        type=attributes[_TYPE],
        start_ns=stored.start_time_ns,
        end_ns=None if RUNNING in attributes else stored.end_time_ns,
        status=stored.status.status_code.value,
        inputs=attributes.get(_INPUTS),
        outputs=attributes.get(_OUTPUTS),
        attributes=recorded,
        events=tuple(_event(event) for event in stored.events if ADDED not in event.attributes),
        links=tuple(SpanLink(li.span_id, dict(li.attributes or {})) for li in stored.links),
    )


def _event(stored: MlflowSpanEvent) -> SpanEvent:
    attributes = cast("dict[str, JsonValue]", dict(stored.attributes))
    return SpanEvent(stored.name, stored.timestamp, attributes)


def _base64(hex_id: str) -> str:
    return b64encode(bytes.fromhex(hex_id)).decode()
