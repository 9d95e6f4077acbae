"""What `trace show` and `trace list` print: one trace whole, and the headers of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._message_documents import (
    MessageDocument,
    TokensDocument,
    message_documents,
    tokens_document,
)
from linenotes.evals.documents._part import Document, Part
from linenotes.tracing import Focus, TraceState, shares, span_tree

if TYPE_CHECKING:
    from linenotes.tracing import Branch, Share, Trace, TraceHeader, TraceScore


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
        tokens=tokens_document(trace.ledger.tokens),
        cost=trace.ledger.cost,
        messages=message_documents(focus.apply(trace.ledger).messages),
        actors=[_actor(share) for share in actors if focus.shows(share.actor)],
        spans=[_span(branch) for branch in span_tree(trace, focus)],
        scores=[_score(score) for score in scores],
    ).dump()


def trace_list_document(traces: Sequence[TraceHeader]) -> Document:
    """Return what `trace list` prints."""
    return TraceListDocument(traces=[_header(trace) for trace in traces]).dump()


def _actor(share: Share) -> ActorDocument:
    return ActorDocument(
        actor=share.actor,
        role=share.role,
        sent=share.sent,
        received=share.received,
        calls=share.calls,
        tokens=tokens_document(share.tokens),
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
