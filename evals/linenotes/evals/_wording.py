"""Words that several reports use."""

from __future__ import annotations

from collections.abc import Sequence

SPEAKS_OF = {"population": "cases like these", "dataset": "exactly these cases"}
"""What an interval speaks of, by its target."""
_NAMED = 5
"""How many cases a sentence names."""


def counted(number: int, noun: str) -> str:
    """Return `1 case`, `2 cases`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def named(cases: Sequence[str]) -> str:
    """Return the first names, and a sign that there are more."""
    return ", ".join(cases[:_NAMED]) + (", …" if len(cases) > _NAMED else "")
