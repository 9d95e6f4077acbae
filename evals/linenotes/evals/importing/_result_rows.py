"""Rows of a table that others wrote: CSV, JSON Lines or Parquet, read one by one.

A row is column to cell, as the file has it, with the line that it begins on. What is wrong with
the file is said with its name and that line. A file of any size is read in little memory; whoever
keeps the rows says how many are too many.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from linenotes.project import ResultsFileError

Cells = Mapping[str, object]
_LONGEST_LINE = 1 << 20
"""Characters of a line, so that a file without line ends does not fill the memory."""
_DELIMITERS = ",;\t"
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line that it begins on, of Parquet its number, and its cells."""

    line: int
    cells: Cells


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a .csv, .tsv, .jsonl or .parquet file; empty lines are skipped.

    Raises:
        ResultsFileError: the file cannot be read, or is not what its suffix says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ResultsFileError(
            f"{path.name}: a file that ends with {path.suffix!r} is not read. "
            f"Give one of {', '.join(_READERS)}."
        )
    with _file_errors(path), closing(reader(path)) as rows:
        yield from rows


def place(path: Path, line: int) -> str:
    """Return where a row stands, as a message begins."""
    return f"{path.name}:{line}"


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsFileError(
            f"Cannot read {path}: {error.strerror or error}. Name a file that is there."
        ) from error
    except UnicodeDecodeError as error:
        raise ResultsFileError(
            f"{path.name}: byte {error.start} is not UTF-8. Save the file as UTF-8."
        ) from error


def _text(path: Path) -> TextIO:
    # A byte order mark is no part of the first column's name.
    return path.open(encoding="utf-8-sig", newline="")


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 1
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise ResultsFileError(
                f"{place(path, number)}: the line has more than {_LONGEST_LINE:,} characters. "
                "Write one row a line."
            )
        yield line
        number += 1


def _csv_rows(path: Path) -> Generator[Row, None, None]:
    with _text(path) as file:
        lines = _lines(file, path)
        first = next(lines, "")
        header = _header(path, first)
        reader = csv.reader(lines, delimiter=_delimiter(first), strict=True)
        line = 2
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield Row(line, _under(header, cells, place(path, line)))
                line = reader.line_num + 2
        except csv.Error as error:
            raise ResultsFileError(
                f"{place(path, line)}: not valid CSV: {error}. Mend the row there."
            ) from None


def _delimiter(header: str) -> str:
    """Return what stands between the columns: spreadsheets of some countries write others."""
    return max(_DELIMITERS, key=header.count)


def _header(path: Path, line: str) -> list[str]:
    header = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    if not any(header):
        raise ResultsFileError(
            f"{place(path, 1)}: there are no names of columns. The first line must hold them."
        )
    if "" in header:
        raise ResultsFileError(
            f"{place(path, 1)}: column {header.index('') + 1} has no name. Name it, or leave it "
            "out: pandas writes an index without `index=False`."
        )
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise ResultsFileError(
            f"{place(path, 1)}: the column {twice!r} stands there twice. Rename one."
        )
    return header


def _under(header: list[str], cells: list[str], where: str) -> Cells:
    if len(cells) != len(header):
        raise ResultsFileError(
            f"{where}: {len(cells)} cells under {len(header)} columns. Put a cell that holds the "
            "separator in double quotes."
        )
    return dict(zip(header, cells, strict=True))


def _jsonl_rows(path: Path) -> Generator[Row, None, None]:
    with _text(path) as file:
        for number, line in enumerate(_lines(file, path), start=1):
            if line.strip():
                yield Row(number, _json_object(line, place(path, number)))


def _json_object(line: str, where: str) -> Cells:
    try:
        # NaN is what some writers put for a score that there is none of.
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ResultsFileError(f"{where}: not valid JSON: {error}. Mend the line.") from None
    if not isinstance(value, dict):
        raise ResultsFileError(f"{where}: a line must be one JSON object, a row of the table.")
    return value


def _parquet_rows(path: Path) -> Generator[Row, None, None]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ImportError as error:
        raise ResultsFileError(
            f"{path.name}: Parquet files are read by pyarrow. Install it: pip install pyarrow."
        ) from error
    number = 1
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH):
                for cells in batch.to_pylist():
                    yield Row(number, cells)
                    number += 1
    except pa.ArrowException as error:
        raise ResultsFileError(
            f"{path.name}: row {number} on is no Parquet that is read: {error}. Write it again."
        ) from error


_READERS: dict[str, Callable[[Path], Generator[Row, None, None]]] = {
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
}
