"""Golden files: datasets as people write them, in JSONL, YAML or CSV.

A file is read whole or not at all. Everything that is wrong with it is told at once, each with
its line: a person mends the file in one go, and no run starts on half of its cases.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from linenotes.datasets._cases import Case, Dataset
from linenotes.datasets._csv_rows import csv_rows
from linenotes.datasets._jsonl_rows import jsonl_rows
from linenotes.datasets._rows import Problem, Row, Rows
from linenotes.datasets._yaml_rows import yaml_rows
from linenotes.project import DatasetError, canonical_json

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_READERS: dict[str, Callable[[str], Rows]] = {
    ".jsonl": jsonl_rows,
    ".yaml": yaml_rows,
    ".yml": yaml_rows,
    ".csv": csv_rows,
}
SUFFIXES = tuple(_READERS)
"""The endings of golden files, in the order in which a name is looked for."""


def read_golden_file(path: Path, *, name: str | None = None) -> Dataset:
    """Return the dataset that the golden file at `path` holds.

    Its name is the one that the file gives, else `name`, else the file's name without ending.

    Raises:
        DatasetError: the file is not there, has another ending, or is not valid; `problems`
            lists everything that is wrong with it, in the order of its lines.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise DatasetError(
            f"{str(path)!r} is no golden file: its name must end in {', '.join(SUFFIXES)}."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"Golden file {str(path)!r} cannot be read: {error.strerror}. Check its path."
        ) from None
    found = reader(content.decode("utf-8-sig", errors="replace"))
    found.problems += _not_utf8(content)
    cases = tuple(_cases(found))
    if found.problems:
        raise _invalid(path, found.problems)
    return Dataset(found.name or name or path.stem, cases, path)


def _invalid(path: Path, problems: list[Problem]) -> DatasetError:
    lines = tuple(f"{path}:{problem.line}: {problem.text}." for problem in sorted(problems))
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    error = DatasetError(
        f"Golden file {str(path)!r} has {count}, so no case of it was loaded. "
        "Mend the lines that are listed.",
        problems=lines,
    )
    for line in lines:
        error.add_note(line)
    return error


def _not_utf8(content: bytes) -> Iterator[Problem]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte {error.start + 1} of the line"
            yield Problem(number, f"{byte} is not UTF-8; save the file as UTF-8")


def _cases(found: Rows) -> Iterator[Case]:
    """Give the valid cases; everything else becomes a problem of `found`."""
    if not found.rows and not found.problems:
        found.problems.append(Problem(1, "the file holds no cases"))
    found.problems += _repeated_ids(found.rows)
    asked: dict[bytes, str] = {}
    for row in found.rows:
        try:
            case = Case.model_validate(row.fields)
        except ValidationError as invalid:
            found.problems += [_problem(row, error) for error in invalid.errors()]
            continue
        first = asked.setdefault(canonical_json(case.inputs), case.id)
        if first != case.id:
            text = f"case {case.id!r} has the same inputs as case {first!r}"
            found.problems.append(Problem(row.line_of(("inputs",)), text))
        yield case


def _repeated_ids(rows: list[Row]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row in rows:
        name, line = row.fields.get("id"), row.line_of(("id",))
        if not isinstance(name, str):
            continue
        if name in first:
            yield Problem(line, f"id {name!r} is also that of line {first[name]}")
        first.setdefault(name, line)


def _problem(row: Row, error: ErrorDetails) -> Problem:
    named = row.fields.get("id")
    case = f"case {named!r}: " if isinstance(named, str) and error["loc"] != ("id",) else ""
    return Problem(row.line_of(error["loc"]), case + _complaint(error))


def _complaint(error: ErrorDetails) -> str:
    field = ".".join(str(part) for part in error["loc"])
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "missing":
            problem = "is missing"
        case "extra_forbidden":
            return f"unknown key {field!r} ({_closest(field)})"
        case "value_error":
            problem = str(context["error"])
        case "string_type":
            problem = f"must be text, not {reprlib.repr(error['input'])}; put it in quotes"
        case "string_pattern_mismatch":
            problem = f"must be one line of text with no space at its ends, not {error['input']!r}"
        case _:
            problem = f"is not valid: {error['msg']}, not {reprlib.repr(error['input'])}"
    return f"{field!r} {problem}"


def _closest(field: str) -> str:
    known = list(Case.model_fields)
    close = difflib.get_close_matches(field, known, n=1)
    return f"close to {close[0]!r}" if close else f"a case has {', '.join(known)}"
