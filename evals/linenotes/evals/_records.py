"""What a journal says of a run: the plan, the finished samples and their scores.

Reading replays the lines in order; a later line about a sample replaces an earlier one. What
follows the last newline was never finished and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import orjson
from pydantic import JsonValue, TypeAdapter, ValidationError

from linenotes.evals._plans import RunPlan
from linenotes.evals._samples import Failure, Sample, Score
from linenotes.project import RunError
from linenotes.tracing import Trace

FILE_NAME = "journal.jsonl"
SampleKey = tuple[str, int]
"""(case id, sample index)."""

_UNREADABLE = (AttributeError, KeyError, OSError, TypeError, ValueError, ValidationError)


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


class History:
    """A record in the making: grows line by line, as the journal is read or written."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self._cases = {case.id: case for case in plan.cases}
        self._samples: dict[SampleKey, Sample] = {}
        self._scores: dict[SampleKey, tuple[Score, ...]] = {}
        self._running: set[SampleKey] = set()
        self._seconds = 0.0

    @property
    def record(self) -> RunRecord:
        """What the lines so far say."""
        return RunRecord(
            plan=self.plan,
            samples=dict(self._samples),
            scores=dict(self._scores),
            running=frozenset(self._running),
            wall_seconds=self._seconds,
        )

    def add(self, line: dict[str, object]) -> None:
        """Take in the next line."""
        if line["event"] == "worked":
            self._seconds += float(str(line["seconds"]))
            return
        key = (str(line["case"]), int(str(line["sample"])))
        if line["event"] == "started":
            self._running.add(key)
        elif line["event"] == "finished":
            self._running.discard(key)
            self._scores.pop(key, None)  # of an earlier try that the infrastructure had failed
            self._samples[key] = self._sample(key, line)
        elif line["event"] == "scored":
            self._scores[key] = _SCORES.validate_python(line["scores"])

    def _sample(self, key: SampleKey, line: dict[str, object]) -> Sample:
        return Sample(
            case=self._cases[key[0]],
            index=key[1],
            output=cast("JsonValue", line["output"]),
            trace=Trace.from_json(orjson.dumps(line["trace"])),
            error=_FAILURE.validate_python(line["error"]),
        )


_FAILURE = TypeAdapter(Failure | None)
_SCORES = TypeAdapter(tuple[Score, ...])


def read_history(path: Path) -> History:
    """Return what the journal says, for more to be added.

    Raises:
        RunError: the file is not a journal.
    """
    try:
        lines = _lines(path)
        history = History(RunPlan.model_validate(next(lines, {})["plan"]))
        for line in lines:
            history.add(line)
    except _UNREADABLE as error:
        raise RunError(
            f"{path} is not a journal that this version reads ({type(error).__name__}: {error}). "
            "Move the folder away, or read it with the version that wrote it."
        ) from error
    return history


def read_journal(path: Path) -> RunRecord:
    """Return what the journal says.

    Raises:
        RunError: the file is not a journal.
    """
    return read_history(path).record


def read_plan(path: Path) -> RunPlan | None:
    """Return only the plan of a journal; None when the file does not start with one."""
    try:
        return RunPlan.model_validate(next(_lines(path), {})["plan"])
    except _UNREADABLE:
        return None


def _lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the whole lines; what follows the last newline was never finished."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
