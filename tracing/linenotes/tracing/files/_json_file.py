"""A file of JSON: one document, or one document a line.

Each document comes with its place, `FILE` or `FILE:line 7`, for the message about a mistake in it.
Lines are read one by one; a file of one document is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from linenotes.project import TraceFileError

if TYPE_CHECKING:
    from io import BufferedReader

    from pydantic import JsonValue

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value of a file."""

    place: str
    """`FILE`, or `FILE:line 7` where the file holds a document a line."""
    value: JsonValue


def read_documents(path: Path) -> Iterator[Document]:
    """Yield the documents of `path` in their order.

    Raises:
        TraceFileError: the file cannot be read, is empty, or is not JSON at some place.
    """
    with opened(path) as file:
        yield from _documents(file, path)


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file: it is read several times from its start.

    Raises:
        TraceFileError: it cannot be read, or is a pipe or a device.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise TraceFileError(
                f"{str(path)!r} is no regular file. Write the conversations into one first."
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise TraceFileError(
            f"Cannot read {str(path)!r}: {error.strerror or error}. Name a readable file."
        ) from error


def _documents(file: BufferedReader, path: Path) -> Iterator[Document]:
    if _holds_a_document_a_line(file):
        for number, line in enumerate(_from_start(file), start=1):
            if line.strip():
                place = f"{path}:line {number}"
                yield Document(place, _parsed(line, place))
        return
    yield Document(str(path), _whole(file, str(path)))


def _whole(file: BufferedReader, place: str) -> JsonValue:
    content = b"".join(_from_start(file))
    if not content.strip():
        raise TraceFileError(f"{place!r} is empty. Name a file with conversations.")
    return _parsed(content, place)


def _holds_a_document_a_line(file: BufferedReader) -> bool:
    """Return whether the first line is JSON by itself, and another that is not empty follows."""
    lines = (line for line in _from_start(file) if line.strip())
    first = next(lines, None)
    if first is None or next(lines, None) is None:
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True


def _from_start(file: BufferedReader) -> Iterator[bytes]:
    file.seek(0)
    for number, line in enumerate(file):
        yield line.removeprefix(_BOM) if number == 0 else line


def _parsed(content: bytes, place: str) -> JsonValue:
    try:
        parsed: JsonValue = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise TraceFileError(
            f"{place} is not JSON ({error.msg}, {where}), and nothing of it was imported. "
            "Conversations are read as JSON, as JSON lines, or as OTLP-JSON."
        ) from None
    return parsed
