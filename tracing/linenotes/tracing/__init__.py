"""What agents said to one another: the recorder, the ledger, traces and where they are kept."""

from linenotes.tracing._filed_trace import FiledTrace, TraceScore
from linenotes.tracing._ledger import USER, Ledger, Message, MessageKind, Tokens
from linenotes.tracing._prices import Price, Prices, PriceSource, dollars
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
from linenotes.tracing.export._export_result import ExportResult
from linenotes.tracing.export._otlp_exporter import OtlpExporter, exporting
from linenotes.tracing.export._otlp_target import OtlpTarget, otlp_target
from linenotes.tracing.export._resending import resend
from linenotes.tracing.files._conversation_file import (
    FileFormat,
    file_digest,
    read_conversations,
)
from linenotes.tracing.files._imported import ImportedConversation
from linenotes.tracing.keeping._closing import close_abandoned, closed
from linenotes.tracing.keeping._listing import count_traces, list_traces
from linenotes.tracing.keeping._project_store import (
    file_trace,
    open_store,
    read_filed_trace,
    read_thread,
    read_trace,
    store_trace,
)
from linenotes.tracing.live._live_reading import LiveTrace
from linenotes.tracing.live._live_traces import discard_live, find_live, live_traces
from linenotes.tracing.recorder._block import LiveLedger, record
from linenotes.tracing.recorder._metering import CallAhead, Meter, metered
from linenotes.tracing.recordings._library import Library, RecordingUse
from linenotes.tracing.recordings._near_misses import request_lines
from linenotes.tracing.recordings._opening import (
    open_recordings,
    recordings_in_use,
    sample_recordings,
)
from linenotes.tracing.recordings._policy import RecordingPolicy, RecordMode
from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall
from linenotes.tracing.recordings._upkeep import (
    Merged,
    Pruned,
    RecordingsSummary,
    Verified,
    merge_recordings,
    prune_recordings,
    recorded_calls,
    recorded_counts,
    recording_path,
    summarize_recordings,
    verify_recordings,
)
from linenotes.tracing.store._as_mlflow import as_mlflow
from linenotes.tracing.store._mlflow_store import MlflowStore
from linenotes.tracing.store._trace_header import TraceHeader
from linenotes.tracing.store._ui_server import UiServer, experiment_url, start_ui
from linenotes.tracing.views._contents import attachments, details, visible
from linenotes.tracing.views._figures import spell_seconds
from linenotes.tracing.views._focus import Focus
from linenotes.tracing.views._house_style import house_style, policy_digest
from linenotes.tracing.views._incidents import Incident, as_told, incidents
from linenotes.tracing.views._instances import told_apart
from linenotes.tracing.views._mermaid import mermaid
from linenotes.tracing.views._page import conversation_page
from linenotes.tracing.views._shares import Share, shares
from linenotes.tracing.views._span_tree import Branch, span_tree

__all__ = [
    "USER",
    "Branch",
    "CallAhead",
    "CallKey",
    "ExportResult",
    "FileFormat",
    "FiledTrace",
    "Focus",
    "ImportedConversation",
    "Incident",
    "Ledger",
    "Library",
    "LiveLedger",
    "LiveTrace",
    "Merged",
    "Message",
    "MessageKind",
    "Meter",
    "MlflowStore",
    "OtlpExporter",
    "OtlpTarget",
    "Price",
    "PriceSource",
    "Prices",
    "Pruned",
    "RecordMode",
    "RecordedCall",
    "RecordingPolicy",
    "RecordingUse",
    "RecordingsSummary",
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
    "Verified",
    "as_mlflow",
    "as_told",
    "attachments",
    "close_abandoned",
    "closed",
    "conversation_page",
    "count_traces",
    "details",
    "discard_live",
    "dollars",
    "experiment_url",
    "exporting",
    "file_digest",
    "file_trace",
    "find_live",
    "house_style",
    "incidents",
    "json_value",
    "list_traces",
    "live_traces",
    "merge_recordings",
    "mermaid",
    "metered",
    "one_story",
    "open_recordings",
    "open_store",
    "otlp_target",
    "output_text",
    "policy_digest",
    "prune_recordings",
    "read_conversations",
    "read_filed_trace",
    "read_thread",
    "read_trace",
    "record",
    "recorded_calls",
    "recorded_counts",
    "recording_path",
    "recordings_in_use",
    "request_lines",
    "resend",
    "sample_recordings",
    "shares",
    "span_tree",
    "spell_seconds",
    "start_ui",
    "store_trace",
    "summarize_recordings",
    "told_apart",
    "trace_id_for",
    "verify_recordings",
    "visible",
]
