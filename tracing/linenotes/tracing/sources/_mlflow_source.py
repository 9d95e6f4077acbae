"""Traces from what others than linenotes stored in MLflow.

Of a trace that MLflow's autolog recorded, all is rebuilt that it kept: senders, recipients,
kinds, causes, models and tokens. It does not keep which messages in a prompt were which (told by
their words), the ids of messages that a node had just written (told by when they turn up), and
the values of a state other than messages, dicts and texts, which come back as their text.

Only imported when a trace is read, since mlflow and langgraph are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing.sources._replay import replay
from linenotes.tracing.sources._span_events import span_events
from linenotes.tracing.sources._stored_spans import read_spans

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

    from linenotes.tracing._trace import Trace


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
