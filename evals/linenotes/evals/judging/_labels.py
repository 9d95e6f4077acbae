"""What people say of samples: a table of `case, sample, label`, with `rater` where several judged.

Labels are of the kind that the judge gives: passes, numbers or names. Several labels of one sample
are one opinion: the mean, and for the confusion matrix what most of them say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from linenotes.evals.importing._result_cells import CellError, number, sample_index, text
from linenotes.evals.importing._result_rows import Row, place, read_rows
from linenotes.evals.importing._result_table import MOST_ROWS
from linenotes.evals.journal._samples import SampleKey
from linenotes.project import ResultsFileError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["pass", "number", "name"]
"""What a judge gives: passes and failures, numbers, or names of categories."""
T = TypeVar("T")
_ONE_RATER = "people"
_WORDS = {"pass": True, "passed": True, "fail": False, "failed": False}


@dataclass(frozen=True, slots=True)
class Label:
    """What one rater says of one sample."""

    case: str
    sample: int
    rater: str
    value: bool | float | str
    line: int

    @property
    def key(self) -> SampleKey:
        """The sample."""
        return self.case, self.sample


def read_labels(path: Path, kind: Kind) -> list[Label]:
    """Return the labels of a file; rows without a label are skipped.

    Raises:
        ResultsFileError: the file is no table of labels; names the line and the column.
    """
    labels: list[Label] = []
    lines: dict[tuple[SampleKey, str], int] = {}
    for row in read_rows(path):
        label = _label(row, kind, place(path, row.line))
        if label is None:
            continue
        before = lines.setdefault((label.key, label.rater), row.line)
        if before != row.line:
            raise ResultsFileError(
                f"{place(path, row.line)}: {label.rater!r} has labelled sample {label.sample} of "
                f"case {label.case!r} on line {before}, too. Take one out, or name the raters in "
                "a column 'rater'."
            )
        labels.append(label)
        if len(labels) > MOST_ROWS:
            raise ResultsFileError(f"{path.name} has more than {MOST_ROWS:,} labels. Give fewer.")
    if not labels:
        raise ResultsFileError(f"{path.name} has no labels. Give one a sample.")
    return labels


def label_table(labels: list[Label]) -> pd.DataFrame:
    """Return the columns case, sample, rater, label: one row a rating."""
    import pandas as pd

    rows = [
        (
            one.case,
            one.sample,
            one.rater,
            one.value if isinstance(one.value, str) else float(one.value),
        )
        for one in labels
    ]
    return pd.DataFrame(rows, columns=["case", "sample", "rater", "label"])


def _label(row: Row, kind: Kind, where: str) -> Label | None:
    lacking = next((name for name in ("case", "sample", "label") if name not in row.cells), None)
    if lacking is not None:
        raise ResultsFileError(
            f"{where}: there is no column {lacking!r}, only {', '.join(row.cells)}. The columns "
            "are case, sample and label, and rater where several people judged."
        )
    case, sample = _cell(row, "case", text, where), _cell(row, "sample", sample_index, where)
    if case is None or sample is None:
        raise ResultsFileError(f"{where}: case or sample is empty. Say which sample it is.")
    value = _cell(row, "label", _READERS[kind], where)
    rater = _cell(row, "rater", text, where) or _ONE_RATER
    return None if value is None else Label(case, sample, rater, value, row.line)


def _cell(row: Row, column: str, read: Callable[[object], T], where: str) -> T:
    try:
        return read(row.cells.get(column))
    except CellError as error:
        raise ResultsFileError(f"{where}: column {column!r}: {error}") from None


def _passed(cell: object) -> bool | None:
    """Return a pass or a failure; words that people write are understood."""
    word = _WORDS.get(cell.strip().lower()) if isinstance(cell, str) else None
    value = number(cell) if word is None else word
    if value not in (None, 0, 1):
        raise CellError(f"{cell!r} is neither a pass nor a failure. Write pass or fail.")
    return None if value is None else bool(value)


_READERS: dict[Kind, Callable[[object], bool | float | str | None]] = {
    "pass": _passed,
    "number": number,
    "name": text,
}
