"""What a list says of a trace: a stored one, read without its spans, or one that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from linenotes.tracing._conventions import CASE, SAMPLE, VERSION
from linenotes.tracing._trace import Trace, TraceState
from linenotes.tracing.store._trace_tags import agents_in, search_tags

if TYPE_CHECKING:
    from mlflow.entities import TraceInfo

ERROR = "linenotes.error"
"""Metadata: `ExceptionType: message` of what ended the execution early."""

_NS_PER_MS = 1_000_000
_MAX_PREVIEW = 1_000


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """One trace in a list. What its writer did not say is None or empty."""

    trace_id: str
    name: str
    """The agent's name."""
    state: TraceState
    start_ns: int
    """To the millisecond."""
    duration: float | None
    """Seconds; None while it runs."""
    case: str | None
    sample: int | None
    version: str | None
    run_id: str | None
    request: str
    """The start of what the user asked."""
    response: str
    """The start of what the user got."""
    agents: tuple[str, ...]
    """The agents inside, sorted."""
    tokens: int
    """Input and output tokens together."""
    cost: float | None
    """US dollars; None where nobody knows the price."""
    error: str | None
    recording: Literal["running", "abandoned"] | None = None
    """Of a trace that is not stored: whether its process goes on with it. None: it is stored."""


def trace_header(info: TraceInfo) -> TraceHeader:
    """Return what MLflow's info of a trace says."""
    tags, metadata = info.tags, info.trace_metadata
    case, sample = tags.get(CASE), tags.get(SAMPLE)
    label = f"[{case}#{sample}] " if sample else f"[{case}] "
    milliseconds = info.execution_duration
    return TraceHeader(
        trace_id=info.trace_id,
        name=tags.get("mlflow.traceName", ""),
        state=cast("TraceState", info.state.value),
        start_ns=info.request_time * _NS_PER_MS,
        duration=None if milliseconds is None else milliseconds / 1_000,
        case=case,
        sample=int(sample) if sample else None,
        version=tags.get(VERSION),
        run_id=metadata.get("mlflow.sourceRun"),
        request=(info.request_preview or "").removeprefix(label),
        response=info.response_preview or "",
        agents=tuple(sorted(agents_in(tags))),
        tokens=int((info.token_usage or {}).get("total_tokens", 0)),
        cost=(info.cost or {}).get("total_cost"),
        error=metadata.get(ERROR),
    )


def header_of(trace: Trace) -> TraceHeader:
    """Return what a list says of `trace`, without what only its filing knows."""
    ended = trace.end_ns
    return TraceHeader(
        trace_id=trace.trace_id,
        name=trace.name,
        state=trace.state,
        start_ns=trace.start_ns,
        duration=None if ended is None else (ended - trace.start_ns) / 1e9,
        case=trace.case,
        sample=trace.sample,
        version=None,
        run_id=None,
        request=trace.request[:_MAX_PREVIEW],
        response=trace.response[:_MAX_PREVIEW],
        agents=tuple(sorted(agents_in(search_tags(trace)))),
        tokens=trace.ledger.tokens.total,
        cost=trace.ledger.cost,
        error=trace.error,
    )
