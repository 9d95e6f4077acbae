"""Sends stored traces to a collector one after the other, and waits for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from linenotes.project import Redactor
from linenotes.tracing.export._otlp_target import OtlpTarget
from linenotes.tracing.store._filed_trace import FiledTrace

_PATIENCE = 3
"""So many traces in a row that do not arrive, and the others are not tried."""


@dataclass(frozen=True)
class Resent:
    """Which traces a collector took and which it did not."""

    sent: tuple[str, ...]
    not_sent: tuple[str, ...]
    reason: str | None = None
    """Why the last of them did not arrive."""


def resend(traces: Iterable[FiledTrace], target: OtlpTarget) -> Resent:
    """Send traces to a collector; a collector that fails several in a row is left alone.

    They are redacted as the redactor in force says: others may have stored them.
    """
    from linenotes.tracing.export._otlp_sender import OtlpSender

    sender = OtlpSender(target, Redactor.current())
    sent: list[str] = []
    not_sent: list[str] = []
    reason = None
    failed_in_a_row = 0
    try:
        for filed in traces:
            if failed_in_a_row < _PATIENCE and sender.send(filed):
                sent.append(filed.trace.trace_id)
                failed_in_a_row = 0
                continue
            if failed_in_a_row < _PATIENCE:
                reason = sender.reason
            failed_in_a_row += 1
            not_sent.append(filed.trace.trace_id)
    finally:
        sender.close()
    return Resent(tuple(sent), tuple(not_sent), reason)
