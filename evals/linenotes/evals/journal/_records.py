"""What a journal says of a run: the plan, the outcomes of the samples and their scores.

Reading replays the lines in order; a later line about a sample replaces an earlier one. What
follows the last newline was never finished and says nothing, and a sample that the file of samples
does not hold to its end never finished either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import orjson
from pydantic import TypeAdapter, ValidationError

from linenotes.evals.journal._plans import Amendment, RunPlan
from linenotes.evals.journal._sample_file import FILE_NAME as SAMPLES_NAME
from linenotes.evals.journal._sample_file import Place, StoredSamples
from linenotes.evals.journal._samples import ErrorKind, Outcome, Sample, SampleKey, Score
from linenotes.evals.journal._spending import Spending
from linenotes.project import RunError

FILE_NAME = "journal.jsonl"

_FINISHED = b'{"event":"finished",'
_UNREADABLE = (AttributeError, KeyError, OSError, TypeError, ValueError, ValidationError)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many samples the cases of a run have."""

    low: int
    """Of the case with the fewest."""
    high: int

    @classmethod
    def of(cls, plan: RunPlan, cases: Iterable[str]) -> Self:
        """Return how often `cases` names the cases of a plan."""
        counts = Counter(cases)
        found = [counts[case.id] for case in plan.cases]
        return cls(min(found, default=0), max(found, default=0))

    def __str__(self) -> str:
        return f"{self.low}" if self.low == self.high else f"{self.low} to {self.high}"


@dataclass(frozen=True)
class RunRecord:
    """What a journal says: the plan, the finished samples and their scores."""

    plan: RunPlan
    """What the run sets out to do, amendments included."""
    outcomes: Mapping[SampleKey, Outcome] = field(default_factory=dict)
    """What is at hand of each finished sample."""
    samples: Mapping[SampleKey, Sample] = field(default_factory=dict)
    """The finished samples whole; looking one up reads it."""
    scores: Mapping[SampleKey, tuple[Score, ...]] = field(default_factory=dict)
    kept: Mapping[SampleKey, tuple[Score, ...]] = field(default_factory=dict)
    """Samples that are to be scored again, each with the scores that stand nevertheless."""
    withdrawn: frozenset[str] = frozenset()
    """Metrics that the run had before its scorers were changed."""
    running: frozenset[SampleKey] = frozenset()
    """Samples that had started and not finished when the journal ended."""
    wall_seconds: float = 0.0
    """How long agents have run, over all sessions of the run."""
    revision: int = 0
    """How often the run was changed or continued after it had first come to an end."""

    @property
    def is_whole(self) -> bool:
        """Whether every sample that was planned has finished."""
        imported = self.plan.imported
        planned = imported.samples if imported else len(self.plan.cases) * self.plan.samples
        return len(self.outcomes) == planned

    @property
    def depth(self) -> Depth:
        """How many samples of a case have finished: K, where the run is whole."""
        return Depth.of(self.plan, (case for case, _ in self.outcomes))

    @property
    def lost(self) -> frozenset[SampleKey]:
        """The samples that the infrastructure failed."""
        return self._failed_by("infrastructure")

    @property
    def failed(self) -> frozenset[SampleKey]:
        """The samples that the agent failed."""
        return self._failed_by("agent")

    def _failed_by(self, kind: ErrorKind) -> frozenset[SampleKey]:
        errors = {key: outcome.error for key, outcome in self.outcomes.items()}
        return frozenset(key for key, error in errors.items() if error and error.kind == kind)


class History:
    """A record in the making: grows line by line, as the journal is read or written."""

    def __init__(self, plan: RunPlan, folder: Path) -> None:
        self.plan = plan
        self.spent = Spending()
        """What all samples have spent, those that had to be repeated each time."""
        self.torn: tuple[SampleKey, ...] = ()
        """Samples that had finished, and of which the file of samples lacks the end."""
        self.kept: dict[SampleKey, tuple[Score, ...]] = {}
        """Samples that are to be scored again, each with the scores that stand nevertheless."""
        self._samples_path = folder / SAMPLES_NAME
        self._cases = {case.id: case for case in plan.cases}
        self._outcomes: dict[SampleKey, Outcome] = {}
        self._places: dict[SampleKey, Place] = {}
        self._scores: dict[SampleKey, tuple[Score, ...]] = {}
        self._withdrawn: frozenset[str] = frozenset()
        self._running: set[SampleKey] = set()
        self._seconds = 0.0
        self._sessions = 0
        self._amendments = 0

    @property
    def record(self) -> RunRecord:
        """What the lines so far say."""
        return RunRecord(
            plan=self.plan,
            outcomes=dict(self._outcomes),
            samples=StoredSamples(self._samples_path, self._cases, dict(self._places)),
            scores=dict(self._scores),
            kept=dict(self.kept),
            withdrawn=self._withdrawn,
            running=frozenset(self._running),
            wall_seconds=self._seconds,
            revision=self._amendments + max(0, self._sessions - 1),
        )

    @property
    def samples_end(self) -> int:
        """How many bytes of the file of samples the lines know of."""
        return max((place.end for place in self._places.values()), default=0)

    def add(self, line: dict[str, object]) -> None:
        """Take in the next line."""
        if line["event"] in {"working", "worked"}:
            self._seconds += float(str(line["seconds"]))
            self._sessions += line["event"] == "worked"
            return
        if line["event"] == "amended":
            self._amend(Amendment.model_validate(line["amendment"]))
            return
        key = (str(line["case"]), int(str(line["sample"])))
        if line["event"] == "started":
            self._running.add(key)
        elif line["event"] == "finished":
            self._running.discard(key)
            self._forget_scores(key)  # of an earlier try that the infrastructure had failed
            self._outcomes[key] = _OUTCOME.validate_python(line["outcome"])
            self.spent += Spending.of(self._outcomes[key])
            self._places[key] = self._place(key, line["at"])
        elif line["event"] == "cut off":
            self._running.discard(key)
            self.spent += _SPENDING.validate_python(line["spent"])
        elif line["event"] == "scored":
            self.kept.pop(key, None)
            self._scores[key] = _SCORES.validate_python(line["scores"])
        elif line["event"] == "lost":
            self._forget(key)

    def forget_torn(self, samples_size: int) -> None:
        """Forget the samples that do not stand whole in a file of so many bytes."""
        self.torn = tuple(key for key, place in self._places.items() if place.end > samples_size)
        for key in self.torn:
            self._forget(key)

    def _forget(self, key: SampleKey) -> None:
        self._forget_scores(key)
        self._outcomes.pop(key, None)
        self._places.pop(key, None)

    def _forget_scores(self, key: SampleKey) -> None:
        self._scores.pop(key, None)
        self.kept.pop(key, None)

    def _amend(self, amendment: Amendment) -> None:
        self._amendments += 1
        before, self.plan = self.plan.metrics, self.plan.amended(amendment)
        if amendment.scorers is not None:
            had = self._withdrawn | frozenset(before)
            self._withdrawn = had - frozenset(self.plan.metrics)
            stand = amendment.kept
            known = self.kept | self._scores
            self.kept = {key: _named(scores, stand) for key, scores in known.items()}
            self._scores.clear()

    def _place(self, key: SampleKey, at: object) -> Place:
        if key[0] not in self._cases:
            raise ValueError(f"case {key[0]!r} is not in the plan")
        return _PLACE.validate_python(at)


def _named(scores: tuple[Score, ...], names: frozenset[str]) -> tuple[Score, ...]:
    return tuple(score for score in scores if score.name in names)


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
        history.forget_torn(_size(path.parent / SAMPLES_NAME))
    except _UNREADABLE as error:
        raise RunError(
            f"{path} is not a journal that this version reads ({type(error).__name__}: {error}). "
            "Move the folder away, or read it with the version that wrote it."
        ) from error
    return history


def _size(samples: Path) -> int:
    return samples.stat().st_size if samples.exists() else 0


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


def has_finished(path: Path) -> bool:
    """Say whether a sample of the run has finished, without reading more than that takes."""
    with path.open("rb") as file:
        return any(line.startswith(_FINISHED) and line.endswith(b"\n") for line in file)


def _lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the whole lines; what follows the last newline was never finished."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
