"""The journal: the append-only local truth of a run, one JSON object a line.

The first line is the plan; then come `started`, `finished` and `scored` lines as they happen,
each written whole and flushed to the operating system, so a killed process loses nothing that
had finished. A line that a crash cut in two is the last one; it is cut off when the journal is
opened again. Later lines about the same sample replace earlier ones.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from pydantic import JsonValue, TypeAdapter, ValidationError

from linenotes.datasets import Case
from linenotes.evals._plans import RunPlan
from linenotes.evals._samples import Failure, Sample, Score
from linenotes.project import RunError
from linenotes.tracing import Trace

FILE_NAME = "journal.jsonl"
SampleKey = tuple[str, int]
"""(case id, sample index)."""


@dataclass(frozen=True)
class RunRecord:
    """What a journal says: the plan, the finished samples and their scores."""

    plan: RunPlan
    samples: dict[SampleKey, Sample] = field(default_factory=dict)
    scores: dict[SampleKey, tuple[Score, ...]] = field(default_factory=dict)
    running: frozenset[SampleKey] = frozenset()
    """Samples that had started and not finished when the journal ended."""
    wall_seconds: float = 0.0
    """How long agents have run, over all sessions of the run."""


class Journal:
    """Writes one run's journal. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            _cut_torn_tail(path)
            # Unbuffered: what write() has returned for, the operating system holds.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise _cannot_write(path, error) from error

    @classmethod
    def create(cls, folder: Path, plan: RunPlan) -> Journal:
        """Start the journal of a new run in `folder`."""
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        journal = cls(folder / FILE_NAME)
        journal._write({"event": "plan", "plan": plan.model_dump(mode="json")})
        return journal

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
                "trace": orjson.Fragment(sample.trace.to_json()),
            }
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, event: dict[str, object]) -> None:
        line = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            whole = self._file.tell()
            try:
                written = self._file.write(line)
            except OSError as error:
                raise _cannot_write(self.path, error) from error
            if written != len(line):
                self._file.truncate(whole)
                raise _cannot_write(self.path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def read_journal(path: Path) -> RunRecord:
    """Return what the journal says.

    Raises:
        RunError: the file is not a journal.
    """
    try:
        lines = _lines(path)
        plan = RunPlan.model_validate(next(lines)["plan"])
        return _replay(plan, lines)
    except (OSError, StopIteration, KeyError, TypeError, ValueError, ValidationError) as error:
        raise RunError(
            f"{path} is not a journal that this version reads ({type(error).__name__}: {error}). "
            "Move the folder away, or read it with the version that wrote it."
        ) from error


def read_plan(path: Path) -> RunPlan | None:
    """Return only the plan of a journal; None when the file does not start with one."""
    try:
        with path.open("rb") as file:
            return RunPlan.model_validate(orjson.loads(file.readline())["plan"])
    except (OSError, KeyError, TypeError, ValueError, ValidationError):
        return None


_FAILURE = TypeAdapter(Failure | None)
_OUTPUT: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_SCORES = TypeAdapter(tuple[Score, ...])


def _replay(plan: RunPlan, lines: Iterator[dict[str, object]]) -> RunRecord:
    cases = {case.id: case for case in plan.cases}
    samples: dict[SampleKey, Sample] = {}
    scores: dict[SampleKey, tuple[Score, ...]] = {}
    running: set[SampleKey] = set()
    seconds = 0.0
    for line in lines:
        if line["event"] == "worked":
            seconds += float(str(line["seconds"]))
            continue
        key = (str(line["case"]), int(str(line["sample"])))
        if line["event"] == "started":
            running.add(key)
        elif line["event"] == "finished":
            running.discard(key)
            scores.pop(key, None)  # of an earlier try that the infrastructure had failed
            samples[key] = _sample(cases[key[0]], key[1], line)
        elif line["event"] == "scored":
            scores[key] = _SCORES.validate_python(line["scores"])
    return RunRecord(plan, samples, scores, frozenset(running), seconds)


def _sample(case: Case, index: int, line: dict[str, object]) -> Sample:
    return Sample(
        case=case,
        index=index,
        output=_OUTPUT.validate_python(line["output"]),
        trace=Trace.from_json(orjson.dumps(line["trace"])),
        error=_FAILURE.validate_python(line["error"]),
    )


def _lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the whole lines; what follows the last newline was never finished."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)


def _cut_torn_tail(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        if not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)


def _cannot_write(path: Path, error: OSError) -> RunError:
    return RunError(
        f"Cannot write {path}: {error.strerror or error}. Make room or rights there; "
        "what had finished is kept, and `linenotes eval --resume` continues."
    )
