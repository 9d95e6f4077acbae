"""Ledgers of LangGraph threads.

Only imported when a thread is read, since langgraph is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from linenotes.project import RunError
from linenotes.tracing._ledger import Ledger
from linenotes.tracing._trace import trace_id_for
from linenotes.tracing.sources._blueprint import Blueprint
from linenotes.tracing.sources._replay import replay
from linenotes.tracing.sources._thread import read_thread
from linenotes.tracing.sources._thread_events import thread_events

if TYPE_CHECKING:
    from langgraph.pregel import Pregel


def ledger_from_checkpoints(
    graph: Pregel[Any, Any, Any, Any] | BaseCheckpointSaver[Any], thread_id: str
) -> Ledger:
    """Return the ledger of a thread.

    Raises:
        RunError: the checkpointer knows no such thread, or there is no checkpointer.
    """
    if isinstance(graph, BaseCheckpointSaver):
        saver, blueprint = graph, Blueprint(thread_id)
    else:
        saver, blueprint = _saver_of(graph), Blueprint.of(graph, thread_id)
    kept = list(saver.list({"configurable": {"thread_id": thread_id}}))
    if not kept:
        raise RunError(
            f"The checkpointer has no thread {thread_id!r}. "
            "Give the `thread_id` that the graph was invoked with."
        )
    events = thread_events(read_thread(kept, blueprint), blueprint)
    return replay(
        events,
        trace_id=trace_id_for("thread", thread_id),
        agent=None,
        start_ns=events[0].at_ns,
        end_ns=events[-1].at_ns,
    ).ledger


def _saver_of(graph: Pregel[Any, Any, Any, Any]) -> BaseCheckpointSaver[Any]:
    if isinstance(graph.checkpointer, BaseCheckpointSaver):
        return graph.checkpointer
    raise RunError(
        f"The graph {graph.name!r} has no checkpointer, so no thread of it is kept. "
        "Compile it with one, or give the checkpointer itself."
    )
