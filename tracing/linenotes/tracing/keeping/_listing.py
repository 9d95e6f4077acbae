"""Which traces a project has: those of its store, and the recordings that no store has yet.

A recording is told by its file alone, which names no run and no version. The id of a sample's
trace follows from its run, though, so a run's recordings are known by their ids.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from linenotes.project import Project
from linenotes.tracing.keeping._project_store import open_store
from linenotes.tracing.live._live_reading import LiveTrace
from linenotes.tracing.live._live_traces import live_traces
from linenotes.tracing.store._trace_header import TraceHeader, header_of
from linenotes.tracing.store._trace_tags import TraceQuery, holds


def list_traces(
    project: Project, *, limit: int = 50, **wanted: Unpack[TraceQuery]
) -> list[TraceHeader]:
    """Return the newest traces of `project` of which all that is given holds.

    What can be asked for is what `MlflowStore.find_traces` takes. A recording that goes on or was
    abandoned is among them; its version is not known, and its run only by the whole of its id.

    Raises:
        StoreError: the store did not answer.
    """
    recordings = [live for live in live_traces(project) if holds(live.trace, wanted)]
    with open_store(project) as store:
        stored = store.find_traces(**wanted, limit=limit)
        kept = store.runs_of([live.trace.trace_id for live in recordings])
    # As `read_trace` does: what is recorded again counts, and an abandoned one that is kept not.
    alone = [one for one in recordings if one.alive or one.trace.trace_id not in kept]
    found = {header.trace_id: header for header in (*stored, *map(_header, alone))}
    return sorted(found.values(), key=lambda header: header.start_ns, reverse=True)[:limit]


def count_traces(project: Project) -> int:
    """Return how many traces `project` has, stored or not.

    Raises:
        StoreError: the store did not answer.
    """
    recordings = [live.trace.trace_id for live in live_traces(project)]
    with open_store(project) as store:
        return store.count_traces() + len(recordings) - len(store.runs_of(recordings))


def _header(live: LiveTrace) -> TraceHeader:
    return replace(header_of(live.trace), recording="running" if live.alive else "abandoned")
