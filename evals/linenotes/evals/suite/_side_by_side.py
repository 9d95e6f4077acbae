"""What a failing sample said beside what a passing one said, with the first difference marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from linenotes.evals._wording import printable
from linenotes.tracing import Ledger, Message

_WIDTH = 100
_MARK = "≠ "
_MOST = 12
"""How many messages are shown; of more, those around the first difference."""
_BEFORE = 3
"""How many of them stand before it."""


def side_by_side(failing: Ledger, passing: Ledger) -> list[str]:
    """Return two ledgers in columns, a line a message; both are of one case."""
    wide = (_WIDTH - len(_MARK) - 3) // 2
    pairs = list(zip_longest(failing, passing))
    first = _first_difference(pairs)
    start, end = _window(len(pairs), first)
    lines = [f"  {_cell('failing sample', wide)} | passing sample"]
    for number, (left, right) in enumerate(pairs[start:end], start=start):
        mark = _MARK if number == first else " " * len(_MARK)
        lines.append(f"{mark}{_cell(_told(left), wide)} | {_cell(_told(right), wide)}".rstrip())
    if first is None:
        lines.append("  They said the same; what differs is in the state.")
    return [*lines, *_rest(start, end, len(pairs))]


def alone(ledger: Ledger) -> list[str]:
    """Return one ledger, a line a message."""
    messages = list(ledger)
    lines = [f"  {_cell(_told(message), _WIDTH - 2).rstrip()}" for message in messages[:_MOST]]
    return [*lines, *_rest(0, len(lines), len(messages))]


def _first_difference(pairs: Sequence[tuple[Message | None, Message | None]]) -> int | None:
    return next((place for place, (a, b) in enumerate(pairs) if _said(a) != _said(b)), None)


def _said(message: Message | None) -> tuple[object, ...] | None:
    if message is None:
        return None
    return message.kind, message.sender, message.recipients, message.text


def _told(message: Message | None) -> str:
    return f"{message.route}: {message.text}" if message else ""


def _cell(text: str, wide: int) -> str:
    """Return a text on one line of so many columns."""
    from rich.cells import cell_len, set_cell_size

    line = " ".join(printable(text).split())
    cut = cell_len(line) > wide
    return set_cell_size(line, wide - 1) + "…" if cut else set_cell_size(line, wide)


def _window(count: int, first: int | None) -> tuple[int, int]:
    start = max(0, min((first or 0) - _BEFORE, count - _MOST))
    return start, min(count, start + _MOST)


def _rest(start: int, end: int, count: int) -> Iterator[str]:
    if start or end < count:
        yield f"  ({start} messages before and {count - end} after are not shown)"
