"""Words that several reports use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linenotes.evals.journal._plans import RunPlan

SPEAKS_OF = {"population": "cases like these", "dataset": "exactly these cases"}
"""What an interval speaks of, by its target."""
_NAMED = 5
"""How many cases a sentence names."""
_FINE = 0.1
"""Sizes below 10 points have a decimal, for margins such as 2.5 points."""


def counted(number: int, noun: str) -> str:
    """Return `1 case`, `2 cases`, `1,200 cases`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """Return `text` with a space for whatever a terminal would carry out rather than show."""
    return "".join(c if c.isprintable() else " " for c in text)


def named(cases: Sequence[str]) -> str:
    """Return the first names, and a sign that there are more."""
    return ", ".join(cases[:_NAMED]) + (", …" if len(cases) > _NAMED else "")


def signed(value: float, *, rate: bool) -> str:
    """Return a change with its sign: `+12` points of a rate, `+0.03` of what is none."""
    # Rounded before it is written: a drop of less than half a point is no `-0`.
    return f"{round(100 * value):+d}" if rate else f"{value:+.3g}"


def sized(value: float, *, rate: bool) -> str:
    """Return the size of a change: `12 points`, `2.5 points`, or `0.03` of what is no rate."""
    if not rate:
        return f"{value:.3g}"
    return f"{round(100 * value, 1 if value < _FINE else 0):g} points"


def more_samples(plan: RunPlan) -> str:
    """Say what gives a run more samples; an imported one cannot be resumed here."""
    if plan.imported is None:
        return f"linenotes eval --resume {plan.run_id[:12]} --samples K"
    verb = "trace import" if plan.has_conversations else "import"
    return f"linenotes {verb} FILE, with more samples a case than {plan.imported.file!r} has"
