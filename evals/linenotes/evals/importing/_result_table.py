"""A table of results, checked as a whole before anything of it is written.

Each row is one sample of one case: `case`, `sample`, and a column a metric. What is said of the
case, `cluster`, `weight`, `tags`, must be the same in all of its rows. A cell without a value was
not scored; a row without any is a sample that was lost. `error` tells what went wrong instead: an
agent's own failure is a failed sample, one of the infrastructure is a lost one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from linenotes.datasets import Case
from linenotes.evals.engine._failures import attribute_text, storable
from linenotes.evals.importing._result_cells import (
    CellError,
    amount,
    number,
    sample_index,
    seconds,
    tag_values,
    text,
)
from linenotes.evals.importing._result_rows import Row, place, read_rows
from linenotes.evals.journal._samples import Failure
from linenotes.evals.scorers._scorer_loading import is_metric_name
from linenotes.project import ResultsFileError

MOST_ROWS = 500_000
"""So many are held in memory with a few hundred megabytes, here and by whoever reads the run."""
_OF_CASE = ("cluster", "weight", "tags")
_OF_SAMPLE = ("cost", "seconds", "error")
_TAGS = ("tag.", "tags.")
_RESERVED = {"case", "sample", *_OF_CASE, *_OF_SAMPLE}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """What a row says of one sample."""

    case: str
    sample: int
    values: tuple[bool | float | None, ...]
    """One a metric; None where it was not scored."""
    cost: float | None
    seconds: float | None
    failure: Failure | None


@dataclass(frozen=True)
class ResultTable:
    """A table of results: its cases in the order of the file, and a result a row."""

    cases: tuple[Case, ...]
    metrics: tuple[str, ...]
    results: Sequence[Result]

    @property
    def timed(self) -> bool:
        """Whether it tells how long each sample took."""
        return all(result.seconds is not None for result in self.results)


def read_results(path: Path, metrics: Sequence[str] = ()) -> ResultTable:
    """Return what the file says of these metrics, the primary one first; by default of all.

    Raises:
        ResultsFileError: the file is not such a table; names the line and the column.
    """
    reading = _Reading(path, metrics)
    for count, row in enumerate(read_rows(path), start=1):
        if count > MOST_ROWS:
            raise ResultsFileError(
                f"{path.name} has more than {MOST_ROWS:,} rows. Import fewer cases or samples."
            )
        reading.add(row)
    if not reading.results:
        raise ResultsFileError(f"{path.name} has no rows of results. Give one a sample.")
    return reading.table()


@dataclass
class _CaseRows:
    """What the rows of one case have said of it so far, and on which line."""

    said: dict[str, tuple[object, int]] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    """Sample to its line."""


class _Reading:
    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        self.results: list[Result] = []
        self._path = path
        self._wanted = tuple(dict.fromkeys(wanted))
        self._metrics: dict[str, int] = dict.fromkeys(self._wanted, 0)
        """Metric to how often it was scored."""
        self._cases: dict[str, _CaseRows] = {}

    def add(self, row: Row) -> None:
        where = place(self._path, row.line)
        if not self.results:
            self._check_columns(row, where)
        case = _cell(row, "case", text, where)
        sample = _cell(row, "sample", sample_index, where)
        if case is None or sample is None:
            lacking = "case" if case is None else "sample"
            raise ResultsFileError(f"{where}: column {lacking!r} is empty. Every row needs it.")
        self._note_case(case, sample, row, where)
        values = self._values(row, where)
        self.results.append(
            Result(
                case=case,
                sample=sample,
                values=values,
                cost=_cell(row, "cost", amount, where),
                seconds=_cell(row, "seconds", seconds, where),
                failure=_failure(_cell(row, "error", text, where), values),
            )
        )

    def table(self) -> ResultTable:
        for name, count in self._metrics.items():
            if not count:
                raise ResultsFileError(
                    f"{self._path.name}: metric {name!r} has no value in any row. Name others: "
                    "--metric NAME."
                )
        if not self._metrics:
            raise ResultsFileError(
                f"{self._path.name} has no column with scores. Add one a metric, with numbers or "
                "true and false."
            )
        # A metric that came up late has no value in the rows before.
        results = [_padded(result, len(self._metrics)) for result in self.results]
        cases = tuple(self._case(name, rows) for name, rows in self._cases.items())
        return ResultTable(cases, tuple(self._metrics), results)

    def _check_columns(self, row: Row, where: str) -> None:
        lacking = [name for name in ("case", "sample") if name not in row.cells]
        if lacking:
            raise ResultsFileError(
                f"{where}: there is no column {lacking[0]!r}, only {', '.join(row.cells)}. Each "
                "row is a sample of a case: name the case, and number its samples from 0."
            )
        missing = [name for name in self._wanted if name not in row.cells]
        if missing and self._path.suffix.lower() != ".jsonl":
            raise ResultsFileError(
                f"{where}: there is no column {missing[0]!r}, only {', '.join(row.cells)}. Name "
                "one of these: --metric NAME."
            )

    def _values(self, row: Row, where: str) -> tuple[bool | float | None, ...]:
        if not self._wanted:
            for name in row.cells:
                if name not in self._metrics and _may_be_metric(name):
                    _check_name(name, where)
                    self._metrics[name] = 0
        values = tuple(_cell(row, name, number, where) for name in self._metrics)
        for name, value in zip(self._metrics, values, strict=True):
            self._metrics[name] += value is not None
        return values

    def _note_case(self, case: str, sample: int, row: Row, where: str) -> None:
        rows = self._cases.setdefault(case, _CaseRows())
        before = rows.lines.setdefault(sample, row.line)
        if before != row.line:
            raise ResultsFileError(
                f"{where}: sample {sample} of case {case!r} stands on line {before}, too. "
                "Number the samples of a case, or take one row out."
            )
        for name, value in _said_of_case(row, where):
            known, line = rows.said.setdefault(name, (value, row.line))
            if known != value:
                raise ResultsFileError(
                    f"{where}: column {name!r} is {value!r}, and {known!r} on line {line}, in the "
                    f"same case {case!r}. It is said of the case: let all of its rows agree."
                )

    def _case(self, name: str, rows: _CaseRows) -> Case:
        said = {field: value for field, (value, _) in rows.said.items()}
        tags = {
            key.removeprefix("tag."): said.pop(key) for key in [*said] if key.startswith("tag.")
        }
        try:
            return Case.model_validate({"id": name, "inputs": {"case": name}, "tags": tags, **said})
        except ValidationError as error:
            first = next(iter(rows.lines.values()))
            wrong = error.errors()[0]
            column = ".".join(map(str, wrong["loc"])).replace("id", "case")
            raise ResultsFileError(
                f"{place(self._path, first)}: column {column!r} cannot be kept: "
                f"{wrong['msg'].removeprefix('Value error, ')}. Change it."
            ) from None


def _may_be_metric(name: str) -> bool:
    return name not in _RESERVED and not name.startswith(_TAGS)


def _check_name(name: str, where: str) -> None:
    if not is_metric_name(name):
        raise ResultsFileError(
            f"{where}: a metric cannot be called {name!r}: MLflow takes letters, digits, spaces "
            "and `_ - .` only. Rename the column, or choose others: --metric NAME."
        )


def _said_of_case(row: Row, where: str) -> Iterable[tuple[str, object]]:
    """Yield what a row says of its case; an empty cell says nothing."""
    tags = _cell(row, "tags", tag_values, where) or {}
    named = {
        f"tag.{column.partition('.')[2]}": _cell(row, column, text, where)
        for column in row.cells
        if column.startswith(_TAGS)
    }
    said: Mapping[str, object] = {
        "cluster": _cell(row, "cluster", text, where),
        "weight": _cell(row, "weight", amount, where),
    }
    of_tags = ((f"tag.{name}", value) for name, value in tags.items())
    return (
        (name, value)
        for name, value in chain(said.items(), of_tags, named.items())
        if value is not None
    )


def _cell(row: Row, column: str, read: Callable[[object], T], where: str) -> T:
    try:
        return read(row.cells.get(column))
    except CellError as error:
        raise ResultsFileError(f"{where}: column {column!r}: {error}") from None


def _failure(error: str | None, values: Sequence[object]) -> Failure | None:
    if error is not None:
        return attribute_text(storable(error))
    if all(value is None for value in values):
        return Failure("infrastructure", "NotScored", "the row has no value of any metric")
    return None


def _padded(result: Result, width: int) -> Result:
    lacking = width - len(result.values)
    return replace(result, values=(*result.values, *[None] * lacking)) if lacking else result
