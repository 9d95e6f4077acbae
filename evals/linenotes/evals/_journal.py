"""The journal: the append-only local truth of a run, one JSON object a line.

The first line is the plan; then come `started`, `finished` and `scored` lines as they happen,
each written whole and flushed to the operating system, so a killed process loses nothing that
had finished. A line that a crash cut in two is the last one; it is cut off when the journal is
opened again. One process at a time writes a journal, and what it has written it also knows: its
record is what reading the file again would give. Everything is redacted on its way into the file.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import threading
from io import FileIO
from pathlib import Path
from typing import Self

import orjson

from linenotes.evals._plans import RunPlan
from linenotes.evals._records import FILE_NAME, RunRecord, read_history
from linenotes.evals._samples import Sample, Score
from linenotes.project import Redactor, RunError
from linenotes.tracing import Trace


class Journal:
    """Writes one run's journal. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        """Open a journal to continue it.

        Raises:
            RunError: it is no journal, cannot be written, or another process writes it.
        """
        self.path = path
        self._redactor = Redactor.current()
        self._lock = threading.Lock()
        self._file = _open(path)
        try:
            self._history = read_history(path)
        except RunError:
            self._file.close()
            raise

    @classmethod
    def create(cls, folder: Path, plan: RunPlan) -> Self:
        """Start the journal of a new run in `folder`.

        Raises:
            RunError: it cannot be written.
        """
        path = folder / FILE_NAME
        kept = plan.redacted(Redactor.current())
        try:
            folder.mkdir(parents=True)
            path.write_bytes(_line({"event": "plan", "plan": kept.model_dump(mode="json")}))
        except OSError as error:
            raise _cannot_write(path, error) from error
        return cls(path)

    @property
    def plan(self) -> RunPlan:
        """What the run sets out to do."""
        return self._history.plan

    @property
    def record(self) -> RunRecord:
        """What the journal says so far."""
        with self._lock:
            return self._history.record

    def started(self, case: str, index: int) -> None:
        """Note that a sample is being executed."""
        self._write({"event": "started", "case": case, "sample": index})

    def finished(self, sample: Sample) -> None:
        """Keep a finished sample for good."""
        self._write(
            {
                "event": "finished",
                "case": sample.case.id,
                "sample": sample.index,
                "output": sample.output,
                "error": sample.error,
            },
            trace=sample.trace,
        )

    def scored(self, sample: Sample, scores: tuple[Score, ...]) -> None:
        """Keep the scores of a finished sample."""
        self._write(
            {"event": "scored", "case": sample.case.id, "sample": sample.index, "scores": scores}
        )

    def worked(self, *, seconds: float) -> None:
        """Note how long agents have run; a run that was continued has several such lines."""
        self._write({"event": "worked", "seconds": seconds})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, event: dict[str, object], *, trace: Trace | None = None) -> None:
        event, trace = self._redactor.value((event, trace))
        if trace is not None:
            event = {**event, "trace": orjson.Fragment(trace.to_json())}
        line = _line(event)
        with self._lock:
            try:
                _append(self._file, line)
            except OSError as error:
                raise _cannot_write(self.path, error) from error
            # Read back, so that going on and starting again see the same.
            self._history.add(orjson.loads(line))


def _line(event: dict[str, object]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _open(path: Path) -> FileIO:
    """Open a journal for appending, cut what a crash left unfinished, and keep others away."""
    try:
        # Unbuffered: what write() has returned for, the operating system holds.
        file = path.open("rb+", buffering=0)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(_end_of_last_line(file))
        file.seek(0, os.SEEK_END)
    except BlockingIOError:
        file.close()
        raise RunError(
            f"Run {path.parent.name[:12]!r} is being carried out by another process. "
            "Wait for its end, or stop it."
        ) from None
    except OSError as error:
        file.close()
        raise _cannot_write(path, error) from error
    return file


def _end_of_last_line(file: FileIO) -> int:
    if not file.seek(0, os.SEEK_END):
        return 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(b"\n") + 1


def _append(file: FileIO, line: bytes) -> None:
    """Write a line whole or not at all."""
    end = file.tell()
    if file.write(line) != len(line):
        file.truncate(end)
        file.seek(end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cannot_write(path: Path, error: OSError) -> RunError:
    return RunError(
        f"Cannot write {path}: {error.strerror or error}. Make room or rights there; "
        "what had finished is kept, and `linenotes eval --resume latest` continues."
    )
