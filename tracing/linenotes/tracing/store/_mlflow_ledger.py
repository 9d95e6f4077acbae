"""The ledger and the trace of what is stored in MLflow, whoever recorded it.

Only imported when a trace is read, since mlflow is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.project import RunError, without_credentials
from linenotes.tracing._ledger import Ledger
from linenotes.tracing.sources._mlflow_source import foreign_trace
from linenotes.tracing.store._mlflow_client import TraceClient
from linenotes.tracing.store._mlflow_spans import trace_from_mlflow

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

    from linenotes.tracing._trace import Trace


def any_trace_from_mlflow(stored: MlflowTrace) -> Trace:
    """Return `stored` as it was recorded by linenotes, or else rebuilt from its spans."""
    return trace_from_mlflow(stored) or foreign_trace(stored)


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
