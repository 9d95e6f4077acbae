"""Sends stored traces to a collector one after the other, and waits for each."""

from __future__ import annotations

from collections.abc import Iterable

from linenotes.project import Redactor
from linenotes.tracing._filed_trace import FiledTrace
from linenotes.tracing.export._export_result import ExportResult
from linenotes.tracing.export._otlp_target import OtlpTarget


def resend(traces: Iterable[FiledTrace], target: OtlpTarget) -> ExportResult:
    """Send traces to a collector; after three failures in a row the rest is not tried.

    They are redacted by the redactor in force, since something else may have stored them.
    """
    from linenotes.tracing.export._otlp_sender import MAX_FAILURES, OtlpSender

    sender = OtlpSender(target, Redactor.current())
    sent: list[str] = []
    not_sent: list[str] = []
    reason = None
    failed_in_a_row = 0
    try:
        for filed in traces:
            if failed_in_a_row == MAX_FAILURES:
                not_sent.append(filed.trace.trace_id)
            elif sender.send(filed):
                sent.append(filed.trace.trace_id)
                failed_in_a_row = 0
            else:
                not_sent.append(filed.trace.trace_id)
                reason = sender.reason
                failed_in_a_row += 1
    finally:
        sender.close()
    return ExportResult(tuple(sent), tuple(not_sent), reason)
