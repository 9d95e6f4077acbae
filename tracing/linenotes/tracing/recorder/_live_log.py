"""The file that a recording appends to while it runs, one JSON object a line.

Its process holds a lock on it as long as the recording goes on, which the system lets go of when
the process ends in whatever way: an unlocked file has no writer any more. A line is with the
operating system when `write` returns, so that a kill loses nothing; a line that was cut in two is
the last one. What cannot be written ends the log and never the recording.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import orjson

from linenotes.project import RedactorWithMemory
from linenotes.tracing._values import json_value

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class LiveHeader:
    """The first line: which recording it is, and whose."""

    trace_id: str
    root_id: str
    """The id of the root span."""
    agent: str | None
    case: str | None
    sample: int | None
    start_ns: int
    pid: int = field(default_factory=os.getpid)
    """For people to read: the lock tells whether the process lives."""


class LiveLog:
    """Writes one file, until it is closed or the disk does not take it."""

    def __init__(self, folder: Path, header: LiveHeader, redactor: RedactorWithMemory) -> None:
        """Begin the file of a trace, in place of one that an earlier recording left there."""
        self.header = header
        self._redactor = redactor
        self._failure: OSError | None = None
        self._folder = folder
        self._file: FileIO | None = None
        try:
            self._file = _begin(
                folder / (header.trace_id + SUFFIX), _lines([self._redactor.value(header)])
            )
        except OSError as error:
            self._failure = error
        _OPEN.add(self)

    def write(self, lines: Sequence[object]) -> None:
        """Append lines, each a JSON object."""
        if self._file is None:
            return
        try:
            _write_all(self._file, _lines(self._redactor.value(list(lines))))
        except OSError as error:
            self._failure = error
            self.close()

    def close(self) -> None:
        """Write nothing more, and let go of the lock. The file stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def shortcoming(self) -> str:
        """Say what a killed process will lack because the file could not be written."""
        if self._failure is None:
            return ""
        reason = self._failure.strerror or str(self._failure)
        return (
            f"The log of running recordings cannot be written in {self._folder}: {reason}. "
            "The trace is whole, but what comes after would be lost if the process were killed. "
            "Make room or rights there."
        )


_OPEN: weakref.WeakSet[LiveLog] = weakref.WeakSet()


def _close_copies() -> None:
    """Leave the files to the parent: a fork must neither write them nor keep their locks."""
    for log in _OPEN:
        log.close()


os.register_at_fork(after_in_child=_close_copies)


def _begin(path: Path, header: bytes) -> FileIO:
    """Return a new locked file: nobody ever sees it at `path` without its lock and its header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = begun.open("xb", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write_all(file, header)
        begun.replace(path)
    except OSError:
        file.close()
        begun.unlink(missing_ok=True)
        raise
    return file


def _lines(lines: Sequence[object]) -> bytes:
    return b"".join(map(_line, lines))


def _line(line: object) -> bytes:
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # it holds what no JSON can, such as half an emoji
        return orjson.dumps(json_value(line), option=orjson.OPT_APPEND_NEWLINE)


def _write_all(file: FileIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
