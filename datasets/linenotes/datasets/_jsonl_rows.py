"""Golden files in JSON Lines: one case a line; blank lines are skipped."""

from __future__ import annotations

from linenotes.datasets._json_values import JsonError, read_json
from linenotes.datasets._rows import Problem, Row, Rows


def jsonl_rows(text: str) -> Rows:
    """Read `text`, the content of a .jsonl file."""
    found = Rows()
    # Not splitlines: U+2028 and its like are letters inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = read_json(line)
        except JsonError as error:
            found.problems.append(Problem(number, str(error)))
            continue
        if isinstance(value, dict):
            found.rows.append(Row(number, value))
        else:
            found.problems.append(Problem(number, "a line must be one JSON object, a case"))
    return found
