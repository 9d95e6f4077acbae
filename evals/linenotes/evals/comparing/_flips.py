"""Cases that improved or got worse between two runs, each with an example to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A sample to read."""

    sample: int
    value: float
    trace_id: str | None
    """None where the run does not hold its samples."""
    why: str
    """What the scorer or the agent said of it; empty if nothing."""


@dataclass(frozen=True)
class FlippedCase:
    """A case whose mean changed."""

    case: str
    before: tuple[float, ...]
    """The values of the base's samples, in their order."""
    after: tuple[float, ...]
    low: Example
    """The lowest sample of the run in which the case was worse: one that failed."""
    high: Example
    """The highest sample of the other run, to read beside it: one that passed."""
