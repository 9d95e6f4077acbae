"""What agents said to one another: the recorder, the ledger, traces and where they are kept."""

from linenotes.tracing._ledger import USER, Ledger, Message, MessageKind, Tokens
from linenotes.tracing._story import one_story
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
from linenotes.tracing.export._otlp_exporter import Delivery, OtlpExporter, exporting
from linenotes.tracing.export._otlp_target import OtlpTarget, otlp_target
from linenotes.tracing.export._resending import Resent, resend
from linenotes.tracing.recorder._block import LiveLedger, record
from linenotes.tracing.store._filed_trace import FiledTrace, TraceScore
from linenotes.tracing.store._mlflow_store import MlflowStore
from linenotes.tracing.store._project_store import file_trace, open_store, store_trace
from linenotes.tracing.store._trace_header import TraceHeader
from linenotes.tracing.store._ui_server import UiServer, experiment_url, start_ui

__all__ = [
    "USER",
    "Delivery",
    "FiledTrace",
    "Ledger",
    "LiveLedger",
    "Message",
    "MessageKind",
    "MlflowStore",
    "OtlpExporter",
    "OtlpTarget",
    "Resent",
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
    "exporting",
    "file_trace",
    "json_value",
    "one_story",
    "open_store",
    "otlp_target",
    "output_text",
    "record",
    "resend",
    "start_ui",
    "store_trace",
    "trace_id_for",
]
