"""The samples of a case as a strip of marks: passed, failed, or without a score."""

from __future__ import annotations

from collections.abc import Iterable

_MARKS = {True: "✓", False: "✗", None: "·"}


def strip(passes: Iterable[bool | None]) -> str:
    """Return a mark a sample, such as `✗✓✓·✓`; the dot is for one that was lost."""
    return "".join(_MARKS[passed] for passed in passes)
