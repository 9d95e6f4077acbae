"""The documents about conversations: one, a list of them, and what was done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from linenotes.evals.documents._part import Document, Part
from linenotes.tracing import Focus, MessageKind, TraceState, shares, span_tree

if TYPE_CHECKING:
    from linenotes.evals._once import Execution
    from linenotes.tracing import (
        Branch,
        ExportResult,
        LiveTrace,
        Message,
        OtlpTarget,
        Share,
        Tokens,
        Trace,
        TraceHeader,
        TraceScore,
    )


class TokensDocument(Part):
    """Tokens of one model call."""

    input: int
    output: int
    cached: int
    """The part of `input` that the provider had in its cache."""
    reasoning: int
    """The part of `output` that was thought and not said."""


class MessageDocument(Part):
    """Who said what to whom, and why."""

    id: str
    kind: MessageKind
    sender: str
    recipients: list[str]
    seen_by: list[str]
    """Who read it later."""
    cause: list[str]
    """Ids of the messages that this one answers."""
    text: str
    content: JsonValue = Field(description="What the text does not say: blocks, arguments, payload")
    tool_call_id: str | None
    sampled: bool
    """True when a model said it, false when code wrote it."""
    model: str | None
    tokens: TokensDocument
    cost: float | None
    """US dollars; null where the price is not known."""
    start_ns: int
    """Nanoseconds since the epoch; 0 where nobody knows."""
    end_ns: int
    step: int | None
    """The superstep of the graph."""
    activation: str | None
    """Tells two instances of one actor apart."""


class ActorDocument(Part):
    """What one actor did and cost."""

    actor: str
    role: Literal["user", "agent", "tool"]
    sent: int
    received: int
    calls: int
    """Model calls."""
    tokens: TokensDocument
    cost: float | None
    seconds: float


class SpanDocument(Part):
    """One unit of work."""

    id: str
    parent: str | None
    name: str
    type: str
    status: str
    running: bool
    start_ns: int
    seconds: float | None
    errors: list[str]
    """What went wrong right here."""


class ScoreDocument(Part):
    """What one scorer said."""

    name: str
    value: bool | float | str | None
    """Null when the scorer failed, or does not apply."""
    rationale: str | None
    error: str | None
    """`ExceptionType: message` when the scorer failed."""


class TraceDocument(Part):
    """`trace show --json`."""

    schema_version: Literal[1] = 1
    trace_id: str
    agent: str
    state: TraceState
    case: str | None
    sample: int | None
    request: str
    response: str
    error: str | None
    start_ns: int
    seconds: float | None
    """Null while it runs."""
    tokens: TokensDocument
    cost: float | None
    messages: list[MessageDocument]
    """As chosen with --depth and --actor; plumbing is among them."""
    actors: list[ActorDocument]
    spans: list[SpanDocument]
    """Parents before children."""
    scores: list[ScoreDocument]
    """Of the trace as it is stored."""


class TraceHeaderDocument(Part):
    """One trace in a list."""

    trace_id: str
    agent: str
    state: TraceState
    case: str | None
    sample: int | None
    version: str | None
    run_id: str | None
    start_ns: int
    seconds: float | None
    """Null while it runs."""
    tokens: int
    cost: float | None
    agents: list[str]
    """The agents inside."""
    request: str
    """The start of what the user asked."""
    response: str
    error: str | None
    recording: Literal["running", "abandoned"] | None
    """Of a trace that is not stored: whether its process goes on with it."""


class TraceListDocument(Part):
    """`trace list --json`."""

    schema_version: Literal[1] = 1
    traces: list[TraceHeaderDocument]
    """Newest first."""


class LiveTraceDocument(Part):
    """A recording that was not stored, as far as it had come."""

    trace_id: str
    agent: str
    case: str | None
    sample: int | None
    messages: int
    """How many had been said."""
    running: list[str]
    """The agents that had not ended."""
    last_heard: str
    """When, as ISO 8601 in UTC."""


class DoctorDocument(Part):
    """`trace doctor --json`."""

    schema_version: Literal[1] = 1
    abandoned: list[LiveTraceDocument]
    """Those whose process has ended."""
    closed: bool
    """Whether they are in the store now; false with `--dry-run`."""
    alive: list[LiveTraceDocument]
    """Those that go on, and are left alone."""


class ExecutionDocument(Part):
    """`run --json`."""

    schema_version: Literal[1] = 1
    trace_id: str
    output: JsonValue = Field(description="The graph's last state; null when it did not finish.")
    error: str | None
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    messages: list[MessageDocument]


class TraceExportDocument(Part):
    """Which stored traces a collector took."""

    schema_version: Literal[1] = 1
    endpoint: str
    """The collector's address, without a password."""
    protocol: Literal["grpc", "http/protobuf"]
    sent: list[str]
    """Ids of traces."""
    not_sent: list[str]
    reason: str | None
    """Why the last of those that were not sent did not arrive."""


def trace_document(
    trace: Trace, focus: Focus | None = None, *, scores: Sequence[TraceScore] = ()
) -> Document:
    """Return what `trace show` prints of `trace`, as far as it is in `focus`.

    Raises:
        RunError: `focus` names an actor that takes no part.
    """
    focus = focus or Focus(plumbing=True)
    actors = shares(trace.ledger, depth=focus.depth)
    return TraceDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        state=trace.state,
        case=trace.case,
        sample=trace.sample,
        request=trace.request,
        response=trace.response,
        error=trace.error,
        start_ns=trace.start_ns,
        seconds=None if trace.end_ns is None else (trace.end_ns - trace.start_ns) / 1e9,
        tokens=_tokens(trace.ledger.tokens),
        cost=trace.ledger.cost,
        messages=_messages(focus.apply(trace.ledger).messages),
        actors=[_actor(share) for share in actors if focus.shows(share.actor)],
        spans=[_span(branch) for branch in span_tree(trace, focus)],
        scores=[_score(score) for score in scores],
    ).dump()


def trace_list_document(traces: Sequence[TraceHeader]) -> Document:
    """Return what `trace list` prints."""
    return TraceListDocument(traces=[_header(trace) for trace in traces]).dump()


def doctor_document(
    abandoned: Sequence[LiveTrace], alive: Sequence[LiveTrace], *, closed: bool
) -> Document:
    """Return what `trace doctor` prints."""
    return DoctorDocument(
        abandoned=[_live(one) for one in abandoned],
        closed=closed,
        alive=[_live(one) for one in alive],
    ).dump()


def _live(live: LiveTrace) -> LiveTraceDocument:
    trace = live.trace
    return LiveTraceDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        case=trace.case,
        sample=trace.sample,
        messages=len(trace.messages),
        running=list(trace.running),
        last_heard=datetime.fromtimestamp(live.heard_ns / 1e9, UTC).isoformat(),
    )


def trace_export_document(target: OtlpTarget, result: ExportResult) -> Document:
    """Return what `trace export` prints."""
    return TraceExportDocument(
        endpoint=target.shown,
        protocol=target.protocol,
        sent=list(result.sent),
        not_sent=list(result.not_sent),
        reason=result.reason,
    ).dump()


def execution_document(execution: Execution) -> Document:
    """Return what `run` prints."""
    sample = execution.sample
    return ExecutionDocument(
        trace_id=sample.trace.trace_id,
        output=sample.output,
        error=str(sample.error) if sample.error else None,
        cost=sample.ledger.cost,
        messages=_messages(sample.ledger.messages),
    ).dump()


def _messages(messages: Sequence[Message]) -> list[MessageDocument]:
    return [
        MessageDocument(
            id=message.id,
            kind=message.kind,
            sender=message.sender,
            recipients=list(message.recipients),
            seen_by=list(message.seen_by),
            cause=list(message.cause),
            text=message.text,
            content=message.content,
            tool_call_id=message.tool_call_id,
            sampled=message.sampled,
            model=message.model,
            tokens=_tokens(message.tokens),
            cost=message.cost,
            start_ns=message.start_ns,
            end_ns=message.end_ns,
            step=message.step,
            activation=message.activation,
        )
        for message in messages
    ]


def _tokens(tokens: Tokens) -> TokensDocument:
    return TokensDocument(
        input=tokens.input,
        output=tokens.output,
        cached=tokens.cached,
        reasoning=tokens.reasoning,
    )


def _actor(share: Share) -> ActorDocument:
    return ActorDocument(
        actor=share.actor,
        role=share.role,
        sent=share.sent,
        received=share.received,
        calls=share.calls,
        tokens=_tokens(share.tokens),
        cost=share.cost,
        seconds=round(share.seconds, 6),
    )


def _span(branch: Branch) -> SpanDocument:
    return SpanDocument(
        id=branch.span.span_id,
        parent=branch.span.parent_id,
        name=branch.span.name,
        type=branch.span.type,
        status=branch.span.status,
        running=branch.running,
        start_ns=branch.span.start_ns,
        seconds=branch.seconds,
        errors=list(branch.errors),
    )


def _score(score: TraceScore) -> ScoreDocument:
    return ScoreDocument(
        name=score.name, value=score.value, rationale=score.rationale, error=score.error
    )


def _header(trace: TraceHeader) -> TraceHeaderDocument:
    return TraceHeaderDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        state=trace.state,
        case=trace.case,
        sample=trace.sample,
        version=trace.version,
        run_id=trace.run_id,
        start_ns=trace.start_ns,
        seconds=trace.duration,
        tokens=trace.tokens,
        cost=trace.cost,
        agents=list(trace.agents),
        request=trace.request,
        response=trace.response,
        error=trace.error,
        recording=trace.recording,
    )
