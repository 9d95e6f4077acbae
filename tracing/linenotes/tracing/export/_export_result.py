"""What became of the traces that were sent to a collector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The ids of the traces that a collector took, and of those that it did not."""

    sent: tuple[str, ...] = ()
    not_sent: tuple[str, ...] = ()
    reason: str | None = None
    """Why the last of them did not arrive."""
