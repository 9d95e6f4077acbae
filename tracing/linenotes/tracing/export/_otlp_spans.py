"""A trace as OpenTelemetry spans with the ids that it has in MLflow.

Names, kinds and attributes are those of the GenAI conventions, so that any collector shows
agents as agents; what nobody has named yet goes along under `linenotes.`. What only MLflow's
pages read stays behind.

Only imported when traces are sent, since OpenTelemetry's SDK is slow to import.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from linenotes.tracing import _conventions as names
from linenotes.tracing._score_events import score_events
from linenotes.tracing._trace import spans_of
from linenotes.tracing.export._gen_ai_messages import (
    agent_input,
    agent_output,
    model_input,
    model_output,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue
    from pydantic import JsonValue

    from linenotes.tracing._filed_trace import FiledTrace
    from linenotes.tracing._trace import Span, SpanEvent, SpanType, Trace

_OPERATIONS: Mapping[SpanType, str] = {
    "WORKFLOW": names.INVOKE_AGENT,
    "AGENT": names.INVOKE_AGENT,
    "CHAT_MODEL": names.CHAT,
    "TOOL": names.EXECUTE_TOOL,
    "RETRIEVER": names.RETRIEVAL,
}
_CONTENTS: Mapping[SpanType, tuple[str, str]] = {
    "TOOL": (names.TOOL_ARGUMENTS, names.TOOL_RESULT),
    "RETRIEVER": (names.RETRIEVAL_QUERY, names.RETRIEVAL_DOCUMENTS),
    # Under the names of GenAI messages, collectors take it for a model call.
    "HANDOFF": (names.MESSAGE_CONTENT, names.MESSAGE_CONTENT),
}
_CLIENTS = frozenset({"CHAT_MODEL", "RETRIEVER"})
_MLFLOW = "mlflow."
_PLAIN = (str, bool, int, float)
_LARGEST = 2**63


def otlp_spans(filed: FiledTrace) -> list[ReadableSpan]:
    """Return the spans of a finished trace, with its scores as events."""
    trace = filed.trace
    resource = _resource(trace.name)
    scope = InstrumentationScope("linenotes", _version(), names.SCHEMA_URL)
    results = score_events(filed)
    return [
        ReadableSpan(
            name=_name(span),
            context=_context(trace, span.span_id),
            parent=_context(trace, span.parent_id) if span.parent_id else None,
            resource=resource,
            attributes=_attributes(filed, span),
            events=_events((*span.events, *results.get(span.span_id, ()))),
            links=[
                Link(_context(trace, link.span_id), _values(link.attributes)) for link in span.links
            ],
            kind=SpanKind.CLIENT if span.type in _CLIENTS else SpanKind.INTERNAL,
            status=_status(span),
            start_time=span.start_ns,
            end_time=trace.last_ns if span.end_ns is None else span.end_ns,
            instrumentation_scope=scope,
        )
        for span in spans_of(trace)
    ]


def _resource(agent: str) -> Resource:
    own = Resource.create({names.SERVICE_NAME: f"linenotes/{agent}"})
    return own.merge(OTELResourceDetector().detect())  # the environment has the last word


def _version() -> str | None:
    try:
        return importlib.metadata.version("linenotes")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return None


def _name(span: Span) -> str:
    """Return the operation and its object; a model call is called `chat MODEL` already."""
    operation = _OPERATIONS.get(span.type)
    named = operation is None or span.type == "CHAT_MODEL"
    return span.name if named else f"{operation} {span.name}"


def _context(trace: Trace, span_id: str) -> SpanContext:
    return SpanContext(
        trace_id=int(trace.trace_id.removeprefix("tr-"), 16),
        span_id=int(span_id, 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _attributes(filed: FiledTrace, span: Span) -> dict[str, AttributeValue]:
    recorded = {k: v for k, v in span.attributes.items() if not k.startswith(_MLFLOW)}
    operation = {names.OPERATION_NAME: _OPERATIONS.get(span.type)}
    identity = _identity(filed) if span.parent_id is None else {}
    return _values({**operation, **recorded, **_contents(span), **_failure(span), **identity})


def _identity(filed: FiledTrace) -> dict[str, JsonValue]:
    """Return what a person finds the trace by. It is for the root: OTLP knows spans only."""
    return {
        names.SESSION: filed.trace.case or filed.trace.thread,
        names.CASE: filed.trace.case,
        names.SAMPLE: filed.trace.sample,
        names.RUN: filed.run_id,
        names.VERSION: filed.version,
    }


def _contents(span: Span) -> dict[str, JsonValue]:
    if span.type == "CHAT_MODEL":
        return {
            names.INPUT_MESSAGES: model_input(span.inputs) or agent_input(span.inputs),
            names.OUTPUT_MESSAGES: model_output(span.outputs) or agent_output(span.outputs),
            names.TOOL_DEFINITIONS: span.attributes.get(names.MLFLOW_TOOLS),
        }
    if span.type in _CONTENTS:
        inputs, outputs = _CONTENTS[span.type]
        return {outputs: span.outputs} | ({} if span.inputs is None else {inputs: span.inputs})
    return {
        names.INPUT_MESSAGES: agent_input(span.inputs),
        names.OUTPUT_MESSAGES: agent_output(span.outputs),
    }


def _failure(span: Span) -> dict[str, JsonValue]:
    if span.status != "ERROR" or span.exception is None:
        return {}
    return {names.ERROR_TYPE: span.exception.error_type}


def _status(span: Span) -> Status:
    if span.status != "ERROR":
        return Status(StatusCode[span.status])
    return Status(StatusCode.ERROR, span.exception.error_text if span.exception else None)


def _events(events: Sequence[SpanEvent]) -> list[Event]:
    return [Event(event.name, _values(event.attributes), event.time_ns) for event in events]


def _values(attributes: Mapping[str, JsonValue]) -> dict[str, AttributeValue]:
    return {key: _value(value) for key, value in attributes.items() if value is not None}


def _value(value: JsonValue) -> AttributeValue:
    """Return a plain value or a list of texts as such, anything else as JSON text."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)  # the protocol has 64 bits for it
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [str(one) for one in value]
    return orjson.dumps(value).decode()
