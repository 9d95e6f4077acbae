"""Scorers: functions of one sample that give one named value, or several.

A scorer may be a plain function, sync or async, an object with `__call__` or `score`, an MLflow
scorer, or a DeepEval metric. It runs on finished samples only, so scoring never calls an agent. A
scorer that raises is a scorer error: counted apart, never a 0. One that reads what others say runs
after them, and has no score where one of them has none.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from linenotes.evals.engine._failures import failure_of
from linenotes.evals.journal._samples import Failure, Sample, Score, ScoreValue
from linenotes.evals.scorers._score_values import checked, checked_values
from linenotes.project import Redactor

Given = ScoreValue | Score | Mapping[str, ScoreValue | Score] | Sequence[Score]
"""What a scorer may return."""
ScoreFunction = Callable[[Sample], Given | Awaitable[Given]]


@dataclass(frozen=True)
class Scorer:
    """A named function of a sample, and the spec that finds it again."""

    name: str
    """The name of the metric, or what the names of its metrics begin with."""
    spec: str
    function: ScoreFunction
    values: tuple[str, ...] = ()
    """The names of the values that it gives: `overlap` with `recall` gives `overlap.recall`. Empty
    for a scorer that gives one value."""
    reads: tuple[str, ...] = ()
    """Metrics of other scorers that it finds in `sample.scores`."""
    unit: str | None = None
    """What its numbers are counted in, such as EUR; None for shares and bare numbers."""
    judge: str | None = None
    """Who judges, pinned: a model and its prompt. None for code, which needs no calibration."""
    code: str | None = None
    """The identity of the code that gives its scores, or the version of the library that it is of;
    None for a built-in one, and where there is no source."""
    scores_failures: bool = False
    """Whether it also scores the samples that the agent failed."""

    def __call__(self, sample: Sample) -> Given | Awaitable[Given]:
        """Return what the function returns."""
        return self.function(sample)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that it gives."""
        return tuple(f"{self.name}.{value}" for value in self.values) or (self.name,)

    async def scores(self, sample: Sample) -> tuple[Score, ...]:
        """Return a score for each metric; an exception or a useless value is a scorer error."""
        try:
            given = await self._given(sample)
        except (Exception, SystemExit) as error:  # noqa: BLE001  its failure is data on the score
            return self._failed(failure_of("scorer", error))
        if not self.values:
            return (checked(self.name, given),)
        return checked_values(self.name, self.values, given)

    async def scores_after(self, sample: Sample, others: Mapping[str, Score]) -> tuple[Score, ...]:
        """Return its scores, given what others have said of the sample that it reads."""
        if sample.error is not None:
            return await self.scores(sample)
        read: dict[str, ScoreValue] = {}
        for name in self.reads:
            score = others.get(name)
            if score is None or score.value is None:
                why = f": {score.error}" if score and score.error else ""
                lacking = Failure("scorer", "ScorerError", f"{name!r} has no score{why}")
                return self._failed(lacking)
            read[name] = score.value
        return await self.scores(replace(sample, scores=read))

    def _failed(self, failure: Failure) -> tuple[Score, ...]:
        return tuple(Score(metric, error=failure) for metric in self.metrics)

    async def _given(self, sample: Sample) -> object:
        """Call the function; one that is not async may ask a judge, so it waits in a thread."""
        given: object
        sample = sample.untied()
        if _is_async(self.function):
            given = self.function(sample)
        else:
            given = await asyncio.to_thread(_call, self.function, sample)
        return await given if inspect.isawaitable(given) else given


def specs_of(scorers: Iterable[Scorer]) -> dict[str, str]:
    """Return metric to the spec of its scorer."""
    return {metric: scorer.spec for scorer in scorers for metric in scorer.metrics}


def units_of(scorers: Iterable[Scorer]) -> dict[str, str]:
    """Return metric to its unit, for those that have one."""
    return {metric: s.unit for s in scorers if s.unit is not None for metric in s.metrics}


def judges_of(scorers: Iterable[Scorer]) -> dict[str, str]:
    """Return metric to who judges it, for those that a model judges."""
    return {metric: s.judge for s in scorers if s.judge is not None for metric in s.metrics}


def codes_of(scorers: Iterable[Scorer]) -> dict[str, str]:
    """Return metric to the identity of its scorer's code, for those that have one."""
    return {metric: s.code for s in scorers if s.code is not None for metric in s.metrics}


def reads_of(scorers: Iterable[Scorer]) -> dict[str, tuple[str, ...]]:
    """Return metric to the metrics that its scorer reads, for those that read any."""
    return {metric: scorer.reads for scorer in scorers if scorer.reads for metric in scorer.metrics}


class ScorersInPlan(TypedDict):
    """What a plan says of scorers, each by metric."""

    scorers: dict[str, str]
    units: dict[str, str]
    reads: dict[str, tuple[str, ...]]
    judges: dict[str, str]
    codes: dict[str, str]


def as_planned(scorers: Sequence[Scorer]) -> ScorersInPlan:
    """Return what a plan says of scorers, as `RunPlan.of` takes it."""
    return ScorersInPlan(
        scorers=specs_of(scorers),
        units=units_of(scorers),
        reads=reads_of(scorers),
        judges=judges_of(scorers),
        codes=codes_of(scorers),
    )


async def score_sample(
    sample: Sample, scorers: Sequence[Scorer], *, stand: Sequence[Score] = ()
) -> tuple[Score, ...]:
    """Return the scores that each scorer gives, redacted.

    A sample that the agent failed gets those only that are declared for failures, such as what a
    failure is worth; one that the infrastructure failed gets none.

    Args:
        sample: the sample.
        scorers: who judges it; those that read what others say come last.
        stand: what was said of the sample before, and is not said again.
    """
    if sample.error is not None and sample.error.kind != "agent":
        return ()
    given: dict[str, Score] = {score.name: score for score in stand}
    said: list[Score] = []
    for scorer in sorted(scorers, key=lambda scorer: bool(scorer.reads)):
        if sample.error is None or scorer.scores_failures:
            said += await scorer.scores_after(sample, given)
            given |= {score.name: score for score in said}
    order = [metric for scorer in scorers for metric in scorer.metrics]
    said.sort(key=lambda score: order.index(score.name))
    return Redactor.current().value(tuple(said))


def _is_async(function: ScoreFunction) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004  of an object, its method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _call(function: ScoreFunction, sample: Sample) -> object:
    try:
        return function(sample)
    except StopIteration as error:
        # A future cannot hold one: whoever waits for it would wait for ever.
        raise RuntimeError("the scorer raised StopIteration") from error
