"""The body of a golden test as a scorer: it judges the samples of a case.

A failing assertion says that the sample failed. Whatever else the body raises says nothing of the
agent: the test is broken, and neither a pass nor a failure is counted.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Literal

import pytest

from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._failures import describe, failure_of
from linenotes.evals.journal._samples import Failure, Sample, Score

Body = Callable[[Sample], object]
"""Called with one sample, and all that a test gets besides bound to it."""
SIDE_BY_SIDE = 8
"""How many samples of a case an async body judges at once, unless told otherwise."""
CaseStatus = Literal["passing", "unstable", "failing", "lost", "broken"]


@dataclass(frozen=True)
class Judgement:
    """What a test says of one sample."""

    index: int
    trace_id: str
    kind: Literal["passed", "failed", "agent failed", "lost", "broken"]
    why: str = ""
    """On one line; empty for a pass."""
    error: BaseException | None = None
    """What the body raised, while its item runs."""
    failure: Failure | None = None
    """What broke the test."""

    @property
    def is_failure(self) -> bool:
        """Whether the sample counts as failed."""
        return self.kind in ("failed", "agent failed")

    def score(self, metric: str) -> Score | None:
        """Return it as a score of `metric`; None for a sample that scorers never see."""
        if self.kind in ("lost", "agent failed"):
            return None
        if self.failure is not None:
            return Score(metric, error=self.failure)
        return Score(metric, value=self.kind == "passed", rationale=self.why or None)

    def settled(self) -> Judgement:
        """Return it without the exception, which holds on to all that its frames hold."""
        return replace(self, error=None)


@dataclass(frozen=True)
class CaseJudgement:
    """What a test says of all samples of one case."""

    case: str
    of_samples: tuple[Judgement, ...]
    """In the order of the samples; none of one that was never executed."""

    @property
    def passed(self) -> int:
        """How many samples passed."""
        return sum(one.kind == "passed" for one in self.of_samples)

    @property
    def measured(self) -> int:
        """How many samples passed or failed."""
        return sum(one.kind == "passed" or one.is_failure for one in self.of_samples)

    @property
    def lost(self) -> int:
        """How many samples the infrastructure lost."""
        return sum(one.kind == "lost" for one in self.of_samples)

    @property
    def fraction(self) -> str:
        """`3/5`: passed of measured."""
        return f"{self.passed}/{self.measured}"

    @property
    def status(self) -> CaseStatus:
        """What the samples have in common."""
        if self.broken is not None:
            return "broken"
        if not self.measured:
            return "lost"
        if self.passed == self.measured:
            return "passing"
        return "unstable" if self.passed else "failing"

    @property
    def broken(self) -> Judgement | None:
        """A sample that the test could not judge, if there is one."""
        return next((one for one in self.of_samples if one.kind == "broken"), None)

    @property
    def example(self) -> Judgement | None:
        """The failing sample that is shown, if there is one: rather an assertion's."""
        failing = sorted(self._failing(), key=lambda one: one.kind != "failed")
        return failing[0] if failing else None

    @property
    def passing(self) -> Judgement | None:
        """The first passing sample, if there is one."""
        return next((one for one in self.of_samples if one.kind == "passed"), None)

    def settled(self) -> CaseJudgement:
        """Return it without the exceptions."""
        return replace(self, of_samples=tuple(one.settled() for one in self.of_samples))

    def _failing(self) -> Iterator[Judgement]:
        return (one for one in self.of_samples if one.is_failure)


def judge_case(
    case: str, samples: Sequence[Sample], body: Body, *, at_once: int = SIDE_BY_SIDE
) -> CaseJudgement:
    """Judge all samples of a case by `body`; a skip or an xfail of the body goes through.

    An async body judges `at_once` samples side by side, as it may wait for a judge; what comes of
    it is the same as one after another.
    """
    with ExitStack() as unawaited:
        begun = [_begin(sample, body, unawaited) for sample in samples]
        judged = [one for one in begun if isinstance(one, Judgement)]
        if len(judged) < len(begun):
            judged = complete(_side_by_side([*zip(samples, begun, strict=True)], at_once))
    return CaseJudgement(case, tuple(judged))


_Begun = Judgement | Awaitable[object]
"""What there is of a sample when the body has returned."""


def _begin(sample: Sample, body: Body, unawaited: ExitStack) -> _Begun:
    if sample.error is not None:
        kind: Literal["lost", "agent failed"] = (
            "lost" if sample.error.kind == "infrastructure" else "agent failed"
        )
        return Judgement(sample.index, sample.trace.trace_id, kind, str(sample.error))
    try:
        given = body(sample.untied())
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                unawaited.callback(given.close)
            return given
        _refuse_value(given)
    except BaseException as error:  # noqa: BLE001  what is no judgement is raised again
        return _judged(sample, error)
    return Judgement(sample.index, sample.trace.trace_id, "passed")


async def _side_by_side(pairs: Sequence[tuple[Sample, _Begun]], at_once: int) -> list[Judgement]:
    free = asyncio.Semaphore(at_once)
    tasks = [asyncio.create_task(_finished(sample, begun, free)) for sample, begun in pairs]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _finished(sample: Sample, begun: _Begun, free: asyncio.Semaphore) -> Judgement:
    if isinstance(begun, Judgement):
        return begun
    async with free:
        try:
            _refuse_value(await begun)
        except BaseException as error:  # noqa: BLE001  what is no judgement is raised again
            return _judged(sample, error)
    return Judgement(sample.index, sample.trace.trace_id, "passed")


def _judged(sample: Sample, error: BaseException) -> Judgement:
    """Return what an exception of the body says of a sample; raise it where it says nothing."""
    index, trace_id = sample.index, sample.trace.trace_id
    if isinstance(error, pytest.xfail.Exception) or _is_of_timeout(error):
        raise error
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return Judgement(index, trace_id, "failed", _first_line(error), error)
    if isinstance(error, Exception | SystemExit):  # a broken test says nothing of the agent
        failure = failure_of("scorer", error)
        return Judgement(index, trace_id, "broken", str(failure), error, failure)
    raise error


def _is_of_timeout(error: BaseException) -> bool:
    """Tell whether pytest-timeout ended the item, which it does by failing whatever runs."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "pytest_timeout" for frame, _ in frames)


def _first_line(error: BaseException) -> str:
    """Return what an assertion says first; how it came about stands in the item's own report."""
    lines = str(error).splitlines()
    return describe(AssertionError(lines[0])) if lines else type(error).__name__


def _refuse_value(given: object) -> None:
    if given is not None:
        raise TypeError(
            f"The test returned {given!r}, which asserts nothing: every sample would pass. "
            "Write assert instead of return."
        )
