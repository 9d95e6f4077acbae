"""The table of a comparison in a terminal.

Nothing is cut: where the columns are too wide together, names, labels and verdicts go on in the
next line, first those that lose least by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from linenotes.evals._wording import sized
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._rows import ChangeRow, change_rows, plain

_GAP = 2
_NAME, _BASE, _CANDIDATE, _INTERVAL, _SAID = 0, 1, 2, 4, 5
_NUMBERS = range(1, 4)
"""Columns that are aligned on the right."""
_IN_NAMES = re.compile(r"(?<=[ _./:=+,-])")
"""Where names and labels may be broken."""
_IN_WORDS = re.compile(r"(?<= )")
_Cells = tuple[str, ...]


def change_table(candidate: CandidateReport, width: int) -> Iterator[str]:
    """Yield the rows of a candidate, then why others have no figures."""
    rows = change_rows(candidate)
    versions = (candidate.primary.base.version, candidate.record.plan.version)
    header = ("", *versions, "change", "95%", "")
    body = [_cells(row) for row in rows if row.figures]
    widths = _widths(header, body, width)
    yield from _lines(header, widths, [_IN_NAMES] * len(header))
    for cells in body:
        yield from _lines(cells, widths, [_IN_NAMES, *[_IN_WORDS] * (len(cells) - 1)])
    for row in rows:
        if row.figures is None:
            yield from wrap(f"{row.name}: {row.said}.", width)


def _cells(row: ChangeRow) -> _Cells:
    found = row.figures
    assert found is not None
    unit = found.unit
    return (
        row.name,
        plain(found.before, unit),
        plain(found.after, unit),
        found.change_text.removesuffix(" points"),
        found.interval_text or "no interval",
        said(row),
    )


def said(row: ChangeRow) -> str:
    """Say what follows for a row, and what part it has in the verdict."""
    if row.role == "decides":
        return f"{row.said}, decides"
    if row.role == "guardrail":
        assert row.figures is not None
        assert row.margin is not None
        margin = sized(row.margin, rate=row.figures.unit == "points")
        return f"{row.said}, guards {margin}"
    return row.said


def _widths(header: _Cells, body: Sequence[_Cells], room: int) -> list[int]:
    """Return the widths of the columns, narrowed one after the other until they fit."""
    columns = [*zip(header, *body, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    words = [max(len(word) for cell in column for word in cell.split(" ")) for column in columns]
    numbers = [max((len(cell) for cell in column[1:]), default=0) for column in columns]
    for column, least in (
        *((labelled, max(numbers[labelled], 12)) for labelled in (_BASE, _CANDIDATE)),
        (_NAME, 24),
        (_SAID, words[_SAID]),
        (_NAME, 16),
        (_INTERVAL, words[_INTERVAL]),
        *((labelled, numbers[labelled]) for labelled in (_BASE, _CANDIDATE)),
        (_NAME, 8),
    ):
        excess = sum(widths) + _GAP * (len(widths) - 1) - room
        if excess > 0:
            widths[column] = max(min(widths[column], least), widths[column] - excess)
    return widths


def _lines(
    cells: _Cells, widths: Sequence[int], breaks: Sequence[re.Pattern[str]]
) -> Iterator[str]:
    """Yield a row, each of its cells in as many lines as it needs."""
    broken = [_broken(*each) for each in zip(cells, widths, breaks, strict=True)]
    for parts in zip_longest(*broken, fillvalue=""):
        padded = (
            part.rjust(width) if column in _NUMBERS else part.ljust(width)
            for column, (part, width) in enumerate(zip(parts, widths, strict=True))
        )
        yield (" " * _GAP).join(padded).rstrip()


def _broken(text: str, width: int, breaks: re.Pattern[str]) -> list[str]:
    lines = [""]
    for piece in breaks.split(text):
        for part in wrap(piece, width, drop_whitespace=False):
            if len((lines[-1] + part).rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return [line.rstrip() for line in lines]
