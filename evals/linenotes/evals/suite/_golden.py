"""`@golden`: a test function becomes one pytest item a case, and one for the verdict.

The body is a scorer of one sample, written with plain asserts: it runs once for each sample of
each case. Agents are executed before the first item, all samples of the session side by side.

What fails a session is said beforehand. With a `gate`, its comparison with the baseline alone
decides, at known error rates: a case that an unchanged version fails now and then, or always,
fails nobody. The gates of a session share the level at which a drop fails, so that its rate of
false alarms does not grow with their number. With neither `gate` nor `require`, a case fails whose
samples all fail: it is an ordinary test that does not pass even once, and one that passes half the
time does so by chance in 1 of 32 sessions of 5 samples. `require="all"` lets any failing sample
fail its case, which an unchanged version of 20 cases that pass 9 times in 10 does in almost every
session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.datasets import Dataset
    from linenotes.evals.gating._gate import Gate

F = TypeVar("F", bound=Callable[..., object])
Require = Literal["any", "all"]

DECLARED = "linenotes_golden"
"""The attribute of a function that holds what it declares; the plugin looks for it."""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What a golden test declares.

    Raises:
        RunError: a value that nothing could be done with.
    """

    dataset: str | Dataset | None
    """None: the agent's own."""
    agent: str
    samples: int | None = None
    """None: as the project's settings say, or 3."""
    split: str | None = None
    limit: int | None = None
    gate: Gate | None = None
    require: Require | float | None = None

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise RunError(f"Each case needs at least 1 sample, not {self.samples}.")
        if self.gate is not None and self.gate.guardrails:
            raise RunError(
                "A golden test measures one metric, so its gate has no guardrails. Write a golden "
                "test for each, with a gate of its own."
            )
        known = self.require in (None, "any", "all")
        if not known and not (isinstance(self.require, float) and 0 < self.require <= 1):
            raise RunError(
                f"require={self.require!r} is no requirement. Give 'any', 'all', or a rate such "
                "as 0.8."
            )

    @property
    def of_each_case(self) -> Require | None:
        """How many of its samples a case must pass; None where a case by itself fails nothing."""
        if self.require == "all" or self.require == "any":  # noqa: PLR1714  for the type checker
            return self.require
        return "any" if self.require is None and self.gate is None else None

    @property
    def rate(self) -> float | None:
        """The pass rate that must not be missed; None where none is asked for."""
        return self.require if isinstance(self.require, float) else None


def golden(
    dataset: str | Dataset | None = None,
    *,
    agent: str,
    samples: int | None = None,
    split: str | None = None,
    limit: int | None = None,
    gate: Gate | None = None,
    require: Require | float | None = None,
) -> Callable[[F], F]:
    """Make a function of `sample` a golden test, which pytest runs for each case of a dataset.

        @golden("support-desk", agent="support_desk", samples=5, split="val")
        def test_routes_to_the_right_team(sample):
            assert sample.output["team"] == sample.expectations["team"]

    The function may take fixtures and parameters as any test. It may be async; the samples of a
    case are then judged side by side, in as much time as one. A failing assertion is a failing
    sample, and so is an agent that fails; any other exception is a mistake in the test and fails
    its item. Samples that the infrastructure lost are not measured: a case that has no other is an
    error. Tests of one agent on the same cases share the executions, as many a case as the largest
    `samples` among them.

    Args:
        dataset: its name, its file, or the dataset itself; None stands for the agent's own.
        agent: an agent as the command line names it.
        samples: how often each case is executed; `--samples` overrides it.
        split: only the cases of this split.
        limit: at most so many cases, spread over the dataset.
        gate: what must hold against a baseline. It decides alone, unless `require` adds to it.
        require: `any`: each case must pass at least once, which holds where neither this nor a
            gate is given. `all`: every sample must pass. A rate: fail when the pass rate is shown
            to be lower, with its whole 95% interval, so wrongly in 1 of 40 sessions at most.

    Raises:
        RunError: a value that nothing could be done with.
    """
    declared = Golden(
        dataset=dataset,
        agent=agent,
        samples=samples,
        split=split,
        limit=limit,
        gate=gate,
        require=require,
    )

    def declare(function: F) -> F:
        setattr(function, DECLARED, declared)
        return function

    return declare
