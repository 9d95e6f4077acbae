"""Scorers: functions of one sample that give a named value.

A scorer may be a plain function, sync or async, an MLflow scorer, or a DeepEval metric. It runs
on finished samples only, so scoring never calls an agent. A scorer that raises is a scorer
error: counted apart, never a 0.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from linenotes.evals.engine._failures import failure_of
from linenotes.evals.journal._samples import Sample, Score, ScoreValue
from linenotes.evals.scorers._score_values import checked
from linenotes.project import Redactor

ScoreFunction = Callable[[Sample], ScoreValue | Score | Awaitable[ScoreValue | Score]]


@dataclass(frozen=True)
class Scorer:
    """A named function of a sample, and the spec that finds it again."""

    name: str
    """The name of the metric."""
    spec: str
    function: ScoreFunction

    async def score(self, sample: Sample) -> Score:
        """Return the score of `sample`; an exception or a useless value is a scorer error."""
        try:
            value = await self._value(sample)
        except (Exception, SystemExit) as error:  # noqa: BLE001  its failure is data on the score
            return Score(self.name, error=failure_of("scorer", error))
        return checked(self.name, value)

    async def _value(self, sample: Sample) -> object:
        """Call the function; one that is not async may ask a judge, so it waits in a thread."""
        given: object
        if _is_async(self.function):
            given = self.function(sample)
        else:
            given = await asyncio.to_thread(_call, self.function, sample)
        return await given if inspect.isawaitable(given) else given


async def score_sample(sample: Sample, scorers: Sequence[Scorer]) -> tuple[Score, ...]:
    """Return one score for each scorer, redacted; none for a sample that did not finish."""
    if sample.error is not None:
        return ()
    return Redactor.current().value(tuple([await scorer.score(sample) for scorer in scorers]))


def matches_expectations(sample: Sample) -> bool:
    """Say whether the output holds every expectation under its own name.

    Raises:
        KeyError: the output has no such key.
        TypeError: the output has no keys at all.
        ValueError: the case expects nothing.
    """
    if not sample.expectations:
        raise ValueError("the case has no expectations to match; name another scorer")
    if not isinstance(sample.output, dict):
        raise TypeError(f"the output is {type(sample.output).__name__}, not an object with keys")
    return all(sample.output[key] == value for key, value in sample.expectations.items())


BUILT_IN: dict[str, ScoreFunction] = {"matches_expectations": matches_expectations}


def _is_async(function: ScoreFunction) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004  of an object, its method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _call(function: ScoreFunction, sample: Sample) -> object:
    try:
        return function(sample)
    except StopIteration as error:
        # A future cannot hold one: whoever waits for it would wait for ever.
        raise RuntimeError("the scorer raised StopIteration") from error
