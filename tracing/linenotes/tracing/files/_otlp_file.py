"""Traces from a file of OTLP spans: the spans as they are, with the messages derived from them.

A trace keeps its id, its spans their ids, names, times, attributes, events and links. What
MLflow's pages show of a span, its inputs and outputs, comes from the messages. Case and sample
are read where linenotes wrote them; elsewhere each trace is a case of its own. Scores are the
evaluation events of the conventions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.project import TraceFileError
from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER
from linenotes.tracing._trace import Span, SpanType, Trace
from linenotes.tracing._values import json_value
from linenotes.tracing.files._chat_completions import chat_request, chat_response, openai_message
from linenotes.tracing.files._imported import ImportedConversation
from linenotes.tracing.files._otlp_attributes import (
    AGENT_OPERATIONS,
    MODEL_OPERATIONS,
    agent_name,
    model_of,
    operation,
)
from linenotes.tracing.files._otlp_json import OtlpSpan, read_spans
from linenotes.tracing.files._otlp_ledger import OtlpLedger, derive_ledger
from linenotes.tracing.files._otlp_messages import Exchanges, content_of
from linenotes.tracing.files._otlp_own import exported_by_linenotes, exported_ledger
from linenotes.tracing.files._otlp_tree import rooted
from linenotes.tracing.recorder._content import bubbles

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.files._json_file import Document

_SHORT = 12
"""How many digits of its trace id name a case that has no name."""


def read_otlp(
    documents: Iterable[Document], *, agent: str | None
) -> Iterator[ImportedConversation]:
    """Yield the traces of a file, in the order in which they began.

    Args:
        documents: the exports.
        agent: the name of the traces; None stands for that of the root's agent.

    Raises:
        TraceFileError: something is not OTLP, named by its place and key; or no span is of
            an agent.
    """
    traces: dict[str, list[OtlpSpan]] = {}
    for span in read_spans(documents):
        traces.setdefault(span.trace_id, []).append(span)
    if not traces:
        raise TraceFileError("The file holds no spans. Export some traces into it first.")
    if not any(_is_of_an_agent(span) for spans in traces.values() for span in spans):
        raise TraceFileError(
            "No span of the file is of a model, a tool or an agent: none has an attribute "
            "`gen_ai.…`. Export spans that follow OpenTelemetry's GenAI conventions."
        )
    for spans in sorted(traces.values(), key=lambda spans: min(s.start_ns for s in spans)):
        yield _conversation(rooted(spans), agent)


def _is_of_an_agent(span: OtlpSpan) -> bool:
    named = (*span.attributes, *(event.name for event in span.events))
    return any(name.startswith(("gen_ai.", "linenotes.")) for name in named)


def _conversation(spans: Sequence[OtlpSpan], agent: str | None) -> ImportedConversation:
    root = spans[0]
    case = str(root.attributes.get(names.CASE) or f"tr-{root.trace_id[:_SHORT]}")
    sample = root.attributes.get(names.SAMPLE)
    trace = _trace(spans, agent or agent_name(root))
    trace = replace(trace, case=case, sample=sample if isinstance(sample, int) else 0)
    return ImportedConversation(
        trace=trace,
        case=case,
        sample=trace.sample or 0,
        place=root.place,
        inputs={"task": case, "question": trace.request},
        scores=_scores(spans),
        timed=True,
    )


def _trace(spans: Sequence[OtlpSpan], name: str) -> Trace:
    root, ours, exchanges = spans[0], exported_by_linenotes(spans), Exchanges()
    ledger = exported_ledger(spans) if ours else derive_ledger(spans, exchanges)
    replies = [row.text for row in ledger.messages if USER in row.recipients]
    return Trace(
        trace_id=f"tr-{root.trace_id}",
        name=name,
        state="ERROR" if root.failed else "OK",
        start_ns=root.start_ns,
        end_ns=root.end_ns,
        request=next((row.text for row in ledger.messages if row.kind == "input"), ""),
        response=replies[-1] if replies else "",
        spans=tuple(_span(span, ledger, exchanges, ours=ours) for span in spans),
        messages=ledger.messages,
        error=_error(spans) if root.failed else None,
    )


def _span(span: OtlpSpan, ledger: OtlpLedger, exchanges: Exchanges, *, ours: bool) -> Span:
    type_ = _type(span)
    prefix = f"{operation(span)} " if ours and type_ != "CHAT_MODEL" else ""
    inputs, outputs = _contents(span, type_, ledger, exchanges)
    return Span(
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name.removeprefix(prefix),
        type=type_,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        status="ERROR" if span.failed else "OK",
        inputs=inputs,
        outputs=outputs,
        attributes={**span.attributes, **_attributes(span, type_, ledger)},
        events=span.events,
        links=span.links,
    )


def _type(span: OtlpSpan) -> SpanType:
    doing = operation(span)
    if span.parent_id is None and (names.SCHEMA in span.attributes or not doing):
        return "WORKFLOW"
    if not doing and names.TRANSFER_TARGET in span.attributes:
        return "HANDOFF"
    if doing in AGENT_OPERATIONS:
        return "AGENT"
    if doing in MODEL_OPERATIONS:
        return "CHAT_MODEL"
    if doing == names.EXECUTE_TOOL:
        return "TOOL"
    return "RETRIEVER" if doing in (names.RETRIEVAL, "embeddings") else "WORKFLOW"


def _contents(
    span: OtlpSpan, type_: SpanType, ledger: OtlpLedger, exchanges: Exchanges
) -> tuple[JsonValue, JsonValue]:
    """Return a span's inputs and outputs in the forms that the recorder gives them."""
    if type_ == "CHAT_MODEL":
        return _model_call(span, exchanges)
    if type_ == "TOOL":
        said = ledger.named(filter(None, [ledger.of_span.get(span.span_id)]))
        return content_of(span.attributes.get(names.TOOL_ARGUMENTS)), said[0].text if said else None
    if span.parent_id is None:
        asked = [row for row in ledger.messages if row.kind == "input"]
        return bubbles(asked), bubbles([row for row in ledger.messages if row.recipients])
    got, sent = (side.get(span.span_id, ()) for side in (ledger.received, ledger.sent))
    return bubbles(ledger.named(got)), bubbles(ledger.named(sent))


def _model_call(span: OtlpSpan, exchanges: Exchanges) -> tuple[JsonValue, JsonValue]:
    exchange = exchanges.of(span)
    return (
        chat_request(
            span.attributes.get(names.REQUEST_MODEL), list(map(openai_message, exchange.inputs))
        ),
        chat_response(
            span.attributes.get(names.RESPONSE_MODEL), list(map(openai_message, exchange.outputs))
        ),
    )


def _attributes(span: OtlpSpan, type_: SpanType, ledger: OtlpLedger) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    if said := ledger.of_span.get(span.span_id):
        found[names.MESSAGE_ID] = said
    if type_ == "CHAT_MODEL":
        found[names.MLFLOW_MESSAGE_FORMAT] = "openai"
        if model := model_of(span):
            found[names.MLFLOW_MODEL] = model
    if type_ == "AGENT":
        found[names.MESSAGES_RECEIVED] = list(ledger.received.get(span.span_id, ()))
        found[names.MESSAGES_SENT] = list(ledger.sent.get(span.span_id, ()))
    return found


def _error(spans: Sequence[OtlpSpan]) -> str:
    events = (event for span in spans for event in span.events)
    if found := next((event for event in events if event.name == names.EXCEPTION), None):
        return found.error
    return next((span.status_message for span in spans if span.status_message), "Error")


def _scores(spans: Sequence[OtlpSpan]) -> dict[str, bool | float]:
    found: dict[str, bool | float] = {}
    for event in (event for span in spans for event in span.events):
        name = event.attributes.get(names.EVALUATION_NAME)
        value = json_value(event.attributes.get(names.EVALUATION_VALUE))
        if event.name == names.EVALUATION_RESULT and name and isinstance(value, int | float):
            found[str(name)] = value
    return found
