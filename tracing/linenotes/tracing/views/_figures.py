"""Durations as a person reads them."""

from __future__ import annotations


def spell_seconds(value: float) -> str:
    """Return a duration as a person reads it: `820 ms`, `3.42 s`, `2 min 05 s`."""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:  # noqa: PLR2004  a minute
        return f"{value:.2f} s"
    minutes, left = divmod(round(value), 60)
    return f"{minutes:,} min {left:02} s"
