"""A recording of what has already happened: stored events heard by the live listener.

A stored MLflow trace and a LangGraph thread both become the callbacks that LangChain made, or
would have made, at the time. The rules that turn them into messages are those of `record()`;
no source has rules of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, UUID, uuid5

from linenotes.tracing._trace import storable
from linenotes.tracing.recorder._conversation import Conversation
from linenotes.tracing.recorder._listener import Listener
from linenotes.tracing.recorder._span_builder import Recorded, build_trace

if TYPE_CHECKING:
    from linenotes.tracing._trace import Trace

_OUTSIDER = "assistant"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as the call that tells a listener of it."""

    at_ns: int
    tell: Callable[[Listener], None]


def replay(
    events: Iterable[Event],
    *,
    trace_id: str,
    agent: str | None,
    start_ns: int,
    end_ns: int | None,
    error: BaseException | None = None,
) -> Trace:
    """Return the trace of `events`, which come in the order in which they happened."""
    now = start_ns
    conversation = Conversation(_OUTSIDER, None)
    listener = Listener(conversation, lambda: now)
    for event in events:
        now = event.at_ns
        event.tell(listener)
    conversation.close(listener.running_tasks())
    trace = build_trace(
        Recorded(
            trace_id=trace_id,
            agent=agent,
            case=None,
            sample=None,
            runs=listener.runs,
            roots=listener.roots,
            rows=conversation.rows,
            start_ns=start_ns,
            end_ns=end_ns,
            error=error,
            interrupted=listener.interrupted,
        )
    )
    _report(trace_id, listener.defects)
    return storable(trace)


def run_id_for(*identity: str | int) -> UUID:
    """Return the id of the run that `identity` stands for."""
    return uuid5(NAMESPACE_OID, "\x1f".join(str(part) for part in identity))


def _report(trace_id: str, defects: list[Exception]) -> None:
    if defects:
        warnings.warn(
            f"{len(defects)} events of {trace_id} could not be understood, so messages may be "
            f"missing. The first failure: {defects[0]!r}.",
            RuntimeWarning,
            stacklevel=2,
        )
