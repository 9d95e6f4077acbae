"""The journal: the append-only local truth of a run, one JSON object a line.

The first line is the plan; then come `started`, `finished`, `cut off` and `scored` lines as they
happen, each written whole and flushed to the operating system, so a killed process loses nothing
that had finished. What a finished sample said stands in a file beside, written before its line, so
that reading a journal costs little however much was said. A line that a crash cut in two is the
last one; it is cut off when the journal is opened again, and a sample whose end is missing is
noted as lost. An `amended` line changes what the plan says: the first line stays.

One process at a time writes a journal, and what it has written it also knows: its record is what
reading the file again would give. Everything is redacted on its way into the files.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import orjson

from linenotes.evals.journal._appending import AppendOnlyFile
from linenotes.evals.journal._plans import Amendment, RunPlan
from linenotes.evals.journal._records import FILE_NAME, RunRecord, read_history
from linenotes.evals.journal._sample_file import FILE_NAME as SAMPLES_NAME
from linenotes.evals.journal._sample_file import write_sample
from linenotes.evals.journal._samples import Outcome, Sample, SampleKey, Score
from linenotes.evals.journal._spending import Spending
from linenotes.project import Redactor, RunError


@dataclass(frozen=True)
class TornTail:
    """What a crash had left unfinished, and was cut off when the journal was opened again."""

    bytes: int
    samples: tuple[SampleKey, ...]
    """Samples that had finished and are lost, since their end is missing."""


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
        with ExitStack() as files:
            self._file = files.enter_context(_open(path))
            with _write_errors(path):
                torn = self._file.cut_torn_line()
            self._history = read_history(path)
            self._samples = files.enter_context(_open_samples(path.parent / SAMPLES_NAME))
            with _write_errors(path):
                torn += self._samples.cut(self._history.samples_end)
            self.torn = TornTail(torn, self._history.torn)
            for case, index in self.torn.samples:
                self._write({"event": "lost", "case": case, "sample": index})
            self._files = files.pop_all()

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
            raise RunError(
                f"Cannot write {path}: {error.strerror or error}. Make room or rights there, or "
                "set LINENOTES_STATE to another folder. Nothing was run."
            ) from error
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

    @property
    def spent(self) -> Spending:
        """What all samples of the run have spent, those that had to be repeated each time."""
        with self._lock:
            return self._history.spent

    def kept_scores(self, key: SampleKey) -> tuple[Score, ...] | None:
        """Return the scores that stand of a sample that is scored again; None of any other."""
        with self._lock:
            return self._history.kept.get(key)

    def started(self, case: str, index: int) -> None:
        """Note that a sample is being executed."""
        self._write({"event": "started", "case": case, "sample": index})

    def finished(self, sample: Sample, *, cost: float | None = None) -> None:
        """Keep a finished sample for good; `cost` is for one whose ledger tells none."""
        output, error, trace = self._redactor.value((sample.output, sample.error, sample.trace))
        shown = replace(sample, output=output, error=error, trace=trace)
        outcome = Outcome.of(shown)
        with self._lock, _write_errors(self.path):
            place = write_sample(self._samples, shown)
            self._append(
                {
                    "event": "finished",
                    "case": sample.case.id,
                    "sample": sample.index,
                    "outcome": outcome if cost is None else replace(outcome, cost=cost),
                    "at": place,
                }
            )

    def scored(self, sample: Sample, scores: tuple[Score, ...]) -> None:
        """Keep the scores of a finished sample."""
        self._write(
            {"event": "scored", "case": sample.case.id, "sample": sample.index, "scores": scores}
        )

    def cut_off(self, case: str, index: int, spent: Spending) -> None:
        """Note what a sample has spent that was given up before its end."""
        self._write({"event": "cut off", "case": case, "sample": index, "spent": spent})

    def amended(self, amendment: Amendment) -> None:
        """Change what the run sets out to do."""
        self._write({"event": "amended", "amendment": amendment.model_dump(mode="json")})

    def working(self, *, seconds: float) -> None:
        """Note that agents have run for so many seconds more, and go on."""
        self._write({"event": "working", "seconds": seconds})

    def worked(self, *, seconds: float) -> None:
        """Note the end of a session, in which agents have run for so many seconds more."""
        self._write({"event": "worked", "seconds": seconds})

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, event: dict[str, object]) -> None:
        with self._lock, _write_errors(self.path):
            self._append(self._redactor.value(event))

    def _append(self, event: dict[str, object]) -> None:
        line = _line(event)
        self._file.append(line)
        # Read back, so that going on and starting again see the same.
        self._history.add(orjson.loads(line))


def _line(event: dict[str, object]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _open(path: Path) -> AppendOnlyFile:
    """Open a journal for appending, and keep others away."""
    try:
        with ExitStack() as opened, _write_errors(path):
            file = opened.enter_context(AppendOnlyFile(path))
            fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            opened.pop_all()
            return file
    except BlockingIOError:
        raise RunError(
            f"Run {path.parent.name[:12]!r} is being carried out by another process. "
            "Wait for its end, or stop it."
        ) from None


def is_being_written(path: Path) -> bool:
    """Say whether a process writes the journal now."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # others may look as well
        except BlockingIOError:
            return True
    return False


def _open_samples(path: Path) -> AppendOnlyFile:
    with _write_errors(path):
        return AppendOnlyFile(path)


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    """Raise what keeps a file of a run from being written as a RunError that says the cure."""
    try:
        yield
    except BlockingIOError:
        raise  # nothing is wrong with the file: another process has it
    except OSError as error:
        raise RunError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there; what had "
            f"finished is kept, and `linenotes eval --resume {path.parent.name[:12]}` continues."
        ) from error
