"""Golden files in CSV: one case a row, under a header.

The columns are `id`, `split`, `cluster`, `weight`, and any number of `inputs.NAME`,
`expectations.NAME` and `tags.NAME`. An empty cell says nothing: the case lacks that value.

A cell of inputs or expectations that is JSON is that value: a number, true, false, null, an
object, an array or a text in double quotes. Any other cell is text, as it stands: 007, +49 30
1234, 2024-05-01 and TRUE are text. Digits alone are a number, so a text of digits that does not
begin with 0 is written as JSON text, "5551234", which a spreadsheet saves as three quotes on
either side. A cell in brackets or braces that is not JSON is an error rather than text. `id`,
`split`, `cluster` and tags are always text.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from linenotes.datasets._json_values import JsonError, NotJsonError, read_json
from linenotes.datasets._rows import Problem, Row, Rows

if TYPE_CHECKING:
    from pydantic import JsonValue

_TEXTS = ("id", "split", "cluster")
_GROUPS = ("inputs", "expectations", "tags")
_COLUMNS = "id, split, cluster, weight, inputs.NAME, expectations.NAME and tags.NAME"


def csv_rows(text: str) -> Rows:
    """Read `text`, the content of a .csv file."""
    found = Rows()
    lines = _numbered_rows(text, found)
    line, header = next(lines, (1, []))
    if not header:
        return found
    found.problems += [Problem(line, problem) for problem in _header_problems(header)]
    if "id" not in header:
        return found
    for number, cells in lines:
        if len(cells) == len(header):
            found.rows.append(_row(number, header, cells, found))
            continue
        count = f"{len(cells)} cells under {len(header)} columns"
        found.problems.append(Problem(number, f"{count}; put a cell with a comma in double quotes"))
    return found


def _numbered_rows(text: str, found: Rows) -> Iterator[tuple[int, list[str]]]:
    """Give each row that is not blank with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        found.problems.append(Problem(line, f"not valid CSV: {error}"))


def _header_problems(header: list[str]) -> Iterator[str]:
    if "id" not in header:
        yield f"the first line must name the columns, with commas between: {_COLUMNS}"
        return
    for name, count in Counter(header).items():
        group, dot, rest = name.partition(".")
        if name not in (*_TEXTS, "weight") and not (group in _GROUPS and dot and rest):
            yield f"unknown column {name!r}; the columns are {_COLUMNS}"
        if count > 1:
            yield f"the column {name!r} stands there twice"


def _row(line: int, header: list[str], cells: list[str], found: Rows) -> Row:
    fields: dict[str, JsonValue] = {}
    for column, cell in zip(header, cells, strict=True):
        if not cell:
            continue
        group, dot, name = column.partition(".")
        text = group == "tags" or column in _TEXTS
        try:
            value = cell if text else _cell_value(cell)
        except JsonError as error:
            found.problems.append(Problem(line, f"{column!r}: {error}"))
            value = None
        if not dot:
            fields[column] = value
            continue
        values = fields.setdefault(group, {})
        assert isinstance(values, dict)
        values[name] = value
    return Row(line, fields)


def _cell_value(cell: str) -> JsonValue:
    try:
        return read_json(cell)
    except NotJsonError as error:
        if (cell[0], cell[-1]) in {("{", "}"), ("[", "]")}:
            raise JsonError(f"{error}; to keep it as text, put it in JSON quotes") from None
        return cell
