"""What a golden file holds before it is checked: rows of plain JSON values, and where they stand.

The three formats are read into the same rows, and checked by the same rules afterwards, so a
format can neither forgive nor forbid what another does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

Place = tuple[str | int, ...]
"""The way to a value: keys and list indices, outermost first."""


@dataclass(frozen=True, order=True)
class Problem:
    """Something that a person has to mend in a golden file."""

    line: int
    """From 1."""
    text: str
    """A sentence without its full stop."""


@dataclass(frozen=True)
class Row:
    """One case as it was written."""

    line: int
    fields: dict[str, JsonValue]
    lines: Mapping[Place, int] = field(default_factory=dict)
    """The lines of fields that stand on lines of their own."""

    def line_of(self, place: Place) -> int:
        """Return the line of `place`, or of the closest thing around it."""
        around = (place[:size] for size in range(len(place), 0, -1))
        return next((self.lines[outer] for outer in around if outer in self.lines), self.line)


@dataclass
class Rows:
    """A golden file as it was written."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    name: str | None = None
    """The dataset's name, where the file gives one."""
