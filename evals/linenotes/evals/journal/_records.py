"""What a journal says of a run: the plan, the outcomes of the samples and their scores.

Reading replays the lines in order; a later line about a sample replaces an earlier one. What
follows the last newline was never finished and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._sample_file import FILE_NAME as SAMPLES_NAME
from linenotes.evals.journal._sample_file import Place, StoredSamples
from linenotes.evals.journal._samples import Outcome, Sample, SampleKey, Score
from linenotes.evals.journal._spending import Spending
from linenotes.project import RunError

FILE_NAME = "journal.jsonl"

_UNREADABLE = (AttributeError, KeyError, OSError, TypeError, ValueError, ValidationError)


@dataclass(frozen=True)
class RunRecord:
    """What a journal says: the plan, the finished samples and their scores."""

    plan: RunPlan
    outcomes: Mapping[SampleKey, Outcome] = field(default_factory=dict)
    """What is at hand of each finished sample."""
    samples: Mapping[SampleKey, Sample] = field(default_factory=dict)
    """The finished samples whole; looking one up reads it."""
    scores: Mapping[SampleKey, tuple[Score, ...]] = field(default_factory=dict)
    running: frozenset[SampleKey] = frozenset()
    """Samples that had started and not finished when the journal ended."""
    wall_seconds: float = 0.0
    """How long agents have run, over all sessions of the run."""

    @property
    def is_whole(self) -> bool:
        """Whether every sample that was planned has finished."""
        imported = self.plan.imported
        planned = imported.samples if imported else len(self.plan.cases) * self.plan.samples
        return len(self.outcomes) == planned


class History:
    """A record in the making: grows line by line, as the journal is read or written."""

    def __init__(self, plan: RunPlan, folder: Path) -> None:
        self.plan = plan
        self.spent = Spending()
        """What all samples have spent, those that had to be repeated each time."""
        self._samples_path = folder / SAMPLES_NAME
        self._cases = {case.id: case for case in plan.cases}
        self._outcomes: dict[SampleKey, Outcome] = {}
        self._places: dict[SampleKey, Place] = {}
        self._scores: dict[SampleKey, tuple[Score, ...]] = {}
        self._running: set[SampleKey] = set()
        self._seconds = 0.0

    @property
    def record(self) -> RunRecord:
        """What the lines so far say."""
        return RunRecord(
            plan=self.plan,
            outcomes=dict(self._outcomes),
            samples=StoredSamples(self._samples_path, self._cases, dict(self._places)),
            scores=dict(self._scores),
            running=frozenset(self._running),
            wall_seconds=self._seconds,
        )

    @property
    def samples_end(self) -> int:
        """How many bytes of the file of samples the lines know of."""
        return max((place.end for place in self._places.values()), default=0)

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
            self._outcomes[key] = _OUTCOME.validate_python(line["outcome"])
            self.spent += Spending.of(self._outcomes[key])
            self._places[key] = self._place(key, line["at"])
        elif line["event"] == "cut off":
            self._running.discard(key)
            self.spent += _SPENDING.validate_python(line["spent"])
        elif line["event"] == "scored":
            self._scores[key] = _SCORES.validate_python(line["scores"])

    def _place(self, key: SampleKey, at: object) -> Place:
        if key[0] not in self._cases:
            raise ValueError(f"case {key[0]!r} is not in the plan")
        return _PLACE.validate_python(at)


_OUTCOME = TypeAdapter(Outcome)
_PLACE = TypeAdapter(Place)
_SPENDING = TypeAdapter(Spending)
_SCORES = TypeAdapter(tuple[Score, ...])


def read_history(path: Path) -> History:
    """Return what the journal says, for more to be added.

    Raises:
        RunError: the file is not a journal.
    """
    try:
        lines = _lines(path)
        history = History(RunPlan.model_validate(next(lines, {})["plan"]), path.parent)
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
