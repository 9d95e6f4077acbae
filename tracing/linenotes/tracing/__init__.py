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
from linenotes.tracing.views._contents import attachments, details
from linenotes.tracing.views._figures import spell_money, spell_seconds
from linenotes.tracing.views._focus import Focus
from linenotes.tracing.views._incidents import Incident, as_told, incidents, running
from linenotes.tracing.views._mermaid import mermaid
from linenotes.tracing.views._page import conversation_page
from linenotes.tracing.views._shares import Share, shares, total_cost
from linenotes.tracing.views._span_tree import Branch, span_tree

__all__ = [
    "USER",
    "Branch",
    "FiledTrace",
    "Focus",
    "Incident",
    "Ledger",
    "LiveLedger",
    "Message",
    "MessageKind",
    "MlflowStore",
    "Share",
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
    "as_told",
    "attachments",
    "conversation_page",
    "details",
    "experiment_url",
    "incidents",
    "json_value",
    "mermaid",
    "open_store",
    "output_text",
    "record",
    "running",
    "shares",
    "span_tree",
    "spell_money",
    "spell_seconds",
    "start_ui",
    "store_trace",
    "total_cost",
    "trace_id_for",
]
