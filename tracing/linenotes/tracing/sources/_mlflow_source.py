"""Ledgers and traces from what is stored in MLflow, whoever recorded it.

Of a trace that MLflow's autolog recorded, all is rebuilt that it kept: senders, recipients,
kinds, causes, models and tokens. It does not keep which messages in a prompt were which (told by
their words), the ids of messages that a node had just written (told by when they turn up), and
the values of a state other than messages, dicts and texts, which come back as their text.

Only imported when a trace is read, since mlflow and langgraph are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.project import RunError, without_credentials
from linenotes.tracing._ledger import Ledger
from linenotes.tracing.sources._replay import replay
from linenotes.tracing.sources._span_events import span_events
from linenotes.tracing.sources._stored_spans import read_spans
from linenotes.tracing.store._mlflow_spans import trace_from_mlflow

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

    from linenotes.tracing._trace import Trace


def any_trace_from_mlflow(stored: MlflowTrace) -> Trace:
    """Return `stored` as it was recorded by linenotes, or else rebuilt from its spans."""
    return trace_from_mlflow(stored) or foreign_trace(stored)


def foreign_trace(stored: MlflowTrace) -> Trace:
    """Return a trace that something other than linenotes recorded, with its messages."""
    spans = read_spans(stored.data.spans)
    root = next((span for span in spans if span.parent is None), None)
    start_ns = root.start_ns if root else stored.info.request_time * 1_000_000
    return replay(
        span_events(spans),
        trace_id=stored.info.trace_id,
        agent=root.name if root else None,
        start_ns=start_ns,
        end_ns=(root.end_ns if root else None) or start_ns,
    )


def ledger_from_mlflow(trace: MlflowTrace | str, tracking_uri: str | None) -> Ledger:
    """Return the ledger of an MLflow trace, or of the one with this id in the store there.

    Raises:
        RunError: no trace has the id.
        StoreError: the store did not answer.
    """
    if not isinstance(trace, str):
        return any_trace_from_mlflow(trace).ledger
    return any_trace_from_mlflow(_fetched(trace, str(tracking_uri))).ledger


def _fetched(trace_id: str, uri: str) -> MlflowTrace:
    from linenotes.tracing.store._mlflow_client import TraceClient

    client = TraceClient(uri)
    try:
        stored = client.read(trace_id)
    finally:
        client.close()
    if stored is None:
        raise RunError(
            f"No trace {trace_id!r} in the store {without_credentials(uri)!r}. "
            "Give the whole id, `tr-` and 32 hex digits, and the tracking URI of its store."
        )
    return stored
