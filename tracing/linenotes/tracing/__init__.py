"""What agents said to one another: the recorder, the ledger, traces and where they are kept."""

from linenotes.tracing._ledger import USER, Ledger, Message, MessageKind, Tokens
from linenotes.tracing._trace import (
    Span,
    SpanEvent,
    SpanLink,
    SpanType,
    Trace,
    TraceState,
    trace_id_for,
)
from linenotes.tracing._values import json_value, output_text
from linenotes.tracing.recorder._block import LiveLedger, record
from linenotes.tracing.store._filed_trace import FiledTrace, TraceScore
from linenotes.tracing.store._mlflow_store import MlflowStore
from linenotes.tracing.store._project_store import open_store, store_trace
from linenotes.tracing.store._trace_header import TraceHeader
from linenotes.tracing.store._ui_server import UiServer, experiment_url, start_ui

__all__ = [
    "USER",
    "FiledTrace",
    "Ledger",
    "LiveLedger",
    "Message",
    "MessageKind",
    "MlflowStore",
    "Span",
    "SpanEvent",
    "SpanLink",
    "SpanType",
    "Tokens",
    "Trace",
    "TraceHeader",
    "TraceScore",
    "TraceState",
    "UiServer",
    "experiment_url",
    "json_value",
    "open_store",
    "output_text",
    "record",
    "start_ui",
    "store_trace",
    "trace_id_for",
]
