"""Closing abandoned recordings: what a dead process had done is stored as a trace that failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from linenotes.project import Project, RunError
from linenotes.tracing._filed_trace import FiledTrace
from linenotes.tracing._trace import Span, Trace
from linenotes.tracing.keeping._project_store import open_store
from linenotes.tracing.live._live_fold import exception_event
from linenotes.tracing.live._live_reading import LiveTrace
from linenotes.tracing.live._live_traces import discard_abandoned, live_traces
from linenotes.tracing.store._mlflow_store import MlflowStore


def close_abandoned(project: Project) -> list[LiveTrace]:
    """Store the abandoned recordings of `project`, remove their files, and return them.

    One that came to its end is stored as it is. One that was cut off is stored as an error that
    says when it was last heard of, and what ran then. A recording that goes on is left alone, and
    a trace that the store has already is not written again.

    Raises:
        StoreError: the store does not take them; their files stay.
    """
    abandoned = [live for live in live_traces(project) if not live.alive]
    if abandoned:
        with open_store(project) as store:
            for live in abandoned:
                if not _is_stored(store, live.trace.trace_id):
                    store.write_traces([FiledTrace(closed(live))])
                discard_abandoned(project, live)
    return abandoned


def closed(live: LiveTrace) -> Trace:
    """Return the trace of a recording that nobody goes on with: what ran ended early."""
    if live.ended:
        return live.trace
    error = _ended_early(live)
    root, *others = (_cut_off(span, live.heard_ns) for span in live.trace.spans)
    root = replace(root, events=(exception_event(error, live.heard_ns),))
    return replace(
        live.trace, state="ERROR", end_ns=live.heard_ns, error=error, spans=(root, *others)
    )


def _ended_early(live: LiveTrace) -> str:
    at = datetime.fromtimestamp(live.heard_ns / 1e9, UTC).isoformat(" ", "seconds")
    running = f" while {' and '.join(live.trace.running)} ran" if live.trace.running else ""
    return f"ProcessEnded: Process {live.pid} ended early{running}; last heard of at {at}."


def _cut_off(span: Span, at: int) -> Span:
    return span if span.end_ns is not None else replace(span, end_ns=at, status="ERROR")


def _is_stored(store: MlflowStore, trace_id: str) -> bool:
    try:
        return store.read_trace(trace_id).state != "IN_PROGRESS"
    except RunError:
        return False
