"""What the commands that do something with traces print: `run`, `trace doctor`, `trace export`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from linenotes.evals.documents._failure_documents import SuspectDocument, suspect_document
from linenotes.evals.documents._message_documents import MessageDocument, message_documents
from linenotes.evals.documents._part import Document, Part

if TYPE_CHECKING:
    from linenotes.evals._once import Execution
    from linenotes.tracing import ExportResult, LiveTrace, OtlpTarget


class LiveTraceDocument(Part):
    """A recording that was not stored, as far as it had come."""

    trace_id: str
    agent: str
    case: str | None
    sample: int | None
    messages: int
    """How many had been said."""
    running: list[str]
    """The agents that had not ended."""
    last_heard: str
    """When, as ISO 8601 in UTC."""


class DoctorDocument(Part):
    """`trace doctor --json`."""

    schema_version: Literal[1] = 1
    abandoned: list[LiveTraceDocument]
    """Those whose process has ended."""
    closed: bool
    """Whether they are in the store now; false with `--dry-run`."""
    alive: list[LiveTraceDocument]
    """Those that go on, and are left alone."""


class ExecutionDocument(Part):
    """`run --json`."""

    schema_version: Literal[1] = 1
    trace_id: str
    output: JsonValue = Field(description="The graph's last state; null when it did not finish.")
    error: str | None
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    passed: bool | None
    """By the first score that is a pass or a failure; null where there is none."""
    reason: str
    """Why it failed; empty if it passed, or nobody says."""
    suspect: SuspectDocument | None
    """The first message without the expected answer, of one that failed; null where that cannot be
    said."""
    messages: list[MessageDocument]


class TraceExportDocument(Part):
    """Which stored traces a collector took."""

    schema_version: Literal[1] = 1
    endpoint: str
    """The collector's address, without a password."""
    protocol: Literal["grpc", "http/protobuf"]
    sent: list[str]
    """Ids of traces."""
    not_sent: list[str]
    reason: str | None
    """Why the last of those that were not sent did not arrive."""


def doctor_document(
    abandoned: Sequence[LiveTrace], alive: Sequence[LiveTrace], *, closed: bool
) -> Document:
    """Return what `trace doctor` prints."""
    return DoctorDocument(
        abandoned=[_live(one) for one in abandoned],
        closed=closed,
        alive=[_live(one) for one in alive],
    ).dump()


def _live(live: LiveTrace) -> LiveTraceDocument:
    trace = live.trace
    return LiveTraceDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        case=trace.case,
        sample=trace.sample,
        messages=len(trace.messages),
        running=list(trace.running),
        last_heard=datetime.fromtimestamp(live.heard_ns / 1e9, UTC).isoformat(),
    )


def trace_export_document(target: OtlpTarget, result: ExportResult) -> Document:
    """Return what `trace export` prints."""
    return TraceExportDocument(
        endpoint=target.shown,
        protocol=target.protocol,
        sent=list(result.sent),
        not_sent=list(result.not_sent),
        reason=result.reason,
    ).dump()


def execution_document(execution: Execution) -> Document:
    """Return what `run` prints."""
    sample = execution.sample
    return ExecutionDocument(
        trace_id=sample.trace.trace_id,
        output=sample.output,
        error=str(sample.error) if sample.error else None,
        cost=sample.ledger.cost,
        passed=execution.passed,
        reason=execution.reason,
        suspect=suspect_document(execution.suspect) if execution.suspect else None,
        messages=message_documents(sample.ledger.messages),
    ).dump()
