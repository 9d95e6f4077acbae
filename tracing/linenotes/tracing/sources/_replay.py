"""A recording of what has already happened: stored events heard by the live listener.

A stored MLflow trace and a LangGraph thread both become the callbacks that LangChain made, or
would have made, at the time. The rules that turn them into messages are those of `record()`;
no source has rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from linenotes.tracing._trace import trace_id_for
from linenotes.tracing.recorder._recording import Recording

if TYPE_CHECKING:
    from linenotes.tracing._trace import Trace
    from linenotes.tracing.sources._callbacks import Callback


@dataclass(frozen=True, slots=True)
class Event:
    """A callback and when it was made."""

    at_ns: int
    """Nanoseconds since the epoch."""
    callback: Callback


def replay(
    events: Iterable[Event], *, trace_id: str, agent: str | None, start_ns: int, end_ns: int
) -> Trace:
    """Return the trace of `events`, which come in the order in which they happened."""
    now = start_ns
    recording = Recording(
        agent=agent,
        case=None,
        sample=None,
        trace_id=trace_id,
        on_message=None,
        clock=lambda: now,
    )
    for event in events:
        now = event.at_ns
        event.callback(recording.listener)
    now = end_ns
    return recording.finish(None)


def run_id_for(*identity: str | int) -> UUID:
    """Return the id of the run that `identity` stands for."""
    return UUID(trace_id_for(*identity).removeprefix("tr-"))
