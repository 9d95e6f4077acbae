"""Durations as a person reads them."""

from __future__ import annotations

_SHORTEST = 0.0005
"""Seconds; what took less would read 0 ms."""


def spell_seconds(value: float | None) -> str:
    """Return a duration as a person reads it: `820 ms`, `3.42 s`, `2 min 05 s`.

    Nothing where it is not known or next to nothing, as in what comes from a file without times.
    """
    if value is None or value < _SHORTEST:
        return ""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:  # noqa: PLR2004  a minute
        return f"{value:.2f} s"
    minutes, left = divmod(round(value), 60)
    return f"{minutes:,} min {left:02} s"
