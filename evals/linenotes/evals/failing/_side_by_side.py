"""What a failing sample said beside what a passing one said, with the first difference marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from linenotes.evals._wording import printable
from linenotes.evals.failing._departures import Pair, pairs, same, told
from linenotes.tracing import Ledger, Message

_WIDTH = 100
_MARK = "≠ "
_MOST = 12
"""How many messages are shown; of more, those around the first difference."""
_BEFORE = 3
"""How many of them stand before it."""


def side_by_side(
    failing: Ledger, passing: Ledger, *, suspected: Message | None = None
) -> list[str]:
    """Return two ledgers in columns, a line a message; both are of one case.

    Equal messages stand beside one another, whichever came first.

    Args:
        failing: on the left.
        passing: on the right.
        suspected: the message that is marked; else it is the first difference.
    """
    wide = (_WIDTH - len(_MARK) - 3) // 2
    rows = pairs(failing, passing)
    first = _marked(rows, suspected)
    start, end = _window(len(rows), first)
    lines = [f"  {_cell('failing sample', wide)} | passing sample"]
    for number, (left, right) in enumerate(rows[start:end], start=start):
        mark = _MARK if number == first else " " * len(_MARK)
        lines.append(f"{mark}{_cell(_told(left), wide)} | {_cell(_told(right), wide)}".rstrip())
    if first is None:
        lines.append("  They said the same; what differs is in the state.")
    return [*lines, *_rest(start, end, len(rows))]


def alone(ledger: Ledger, *, suspected: Message | None = None) -> list[str]:
    """Return one ledger, a line a message, with the suspected one marked."""
    rows: list[Pair] = [(message, None) for message in told(ledger)]
    first = _marked(rows, suspected) if suspected else None
    start, end = _window(len(rows), first)
    lines = [
        f"{_MARK if number == first else '  '}{_cell(_told(left), _WIDTH - 2).rstrip()}"
        for number, (left, _) in enumerate(rows[start:end], start=start)
    ]
    return [*lines, *_rest(start, end, len(rows))]


def _marked(rows: Sequence[Pair], suspected: Message | None) -> int | None:
    """Return the row of the suspected message, if it is there, else of the first difference."""
    asked = (number for number, row in enumerate(rows) if suspected and suspected in row)
    differing = (number for number, row in enumerate(rows) if not same(*row))
    return next(chain(asked, differing), None)


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
