"""Two runs compared after each sweep over the cases, so that a clear answer stops the run early.

The two tests of `_comparisons` are looked at after K = 1, 2, 3, 4, 5, 6, 8, 10 samples of each
case. Each look compares their p-values with its own level, and what the levels of all looks let
through together is alpha. As much of alpha is spent as there is of the planned information. The
tests do not know of one another, so that going on after a test could have stopped costs nothing. A
look without evidence is none and spends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from linenotes.evals.statistics._boundaries import critical_values, linear_spending
from linenotes.evals.statistics._comparisons import (
    Comparison,
    describe,
    tested,
    verdict_by,
)
from linenotes.evals.statistics._deciding import what_would_decide
from linenotes.evals.statistics._estimates import Target
from linenotes.evals.statistics._looks import evidence_at_look, look_times, spending_time
from linenotes.evals.statistics._paired import PairedEvidence, Pairs, pair_up
from linenotes.evals.statistics._planning import detectable_change
from linenotes.evals.statistics._tables import CaseTable, read_scores

if TYPE_CHECKING:
    import pandas as pd

BaseRun = Literal["stored", "interleaved"]
"""Whether the base was there before, whole, or gets its samples together with the candidate."""


@dataclass(frozen=True)
class Look:
    """What the tests said after a sweep."""

    samples: int
    """K: the samples of each case that the candidate had."""
    time: float
    """The share of alpha that was spent by then, as `spending_time` has it."""
    level: float
    """What a one-sided p-value had to be below."""
    delta: float
    p_worse_by_margin: float
    p_not_worse: float
    """Corrected where several metrics decide together."""


@dataclass(frozen=True)
class SequentialComparison:
    """A candidate against a base, as it stood at the look that decided, or else at the last."""

    result: Comparison
    """With the level of that look as its alpha. Its interval is wide enough to hold at every look
    alike (the repeated confidence interval of Jennison and Turnbull 1989)."""
    looks: tuple[Look, ...]
    """All that had evidence, up to that one."""
    samples: int
    """K at the last of them."""
    planned: int
    """The largest K."""

    @property
    def decided(self) -> bool:
        """Whether it passed or failed, so that no more samples are needed."""
        return self.result.verdict in ("pass", "fail")

    @property
    def stopped_early(self) -> bool:
        """Whether it was decided before all planned samples were there."""
        return self.decided and self.samples < self.planned


def compare_in_looks(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    planned: int,
    reached: int,
    closed: bool = False,
    base_run: BaseRun = "interleaved",
    target: Target = "population",
    margin: float = 0.05,
    confidence: float = 0.95,
    metrics: int = 1,
) -> SequentialComparison:
    """Compare two runs as far as they have come, with a valid look after each sweep.

    Each look is computed again from the samples that there were then, so the same samples always
    give the same answer, however often they are asked.

    Args:
        base: what there is, as `case, sample, value[, cluster, weight]`; samples count from 0.
        candidate: what might replace it.
        planned: the largest K: how many samples of each case there are to be.
        reached: how many samples of each case there are.
        closed: no more samples will come, for a reason that has nothing to do with their values,
            such as the end of a budget. A last look then takes in all that there is, also of a
            sweep that was cut short, and spends what is left of alpha.
        base_run: a stored base is whole at every look.
        target: cases like these (population), or exactly these (dataset, two samples a case
            planned; the look at the first of them counts what lies between cases as noise, too).
        margin: the drop that a pass must rule out, in the score's own unit; with 0 a pass must
            show that the candidate is better (superiority).
        confidence: of the interval; each test is at 1 - confidence, less below 100 units, over
            all looks together.
        metrics: how many metrics must all pass, so that a drop in any of them fails. Each drop is
            then tested at a share of alpha (Bonferroni; the first drop ends it, so that Holm's
            later steps would come too late). A pass needs no correction.

    Raises:
        ValueError: a table is malformed, or the margin is negative.
    """
    if margin < 0:
        raise ValueError(f"The margin {margin!r} is negative.")
    stages = _stages(base, candidate, planned, reached, closed=closed, base_run=base_run)
    asked = _Asked(target, margin, confidence, metrics, planned)
    series = _Series(asked, fixed_base=base_run == "stored")
    for stage in stages:
        series.take(stage)
        if series.result.verdict in ("pass", "fail"):
            break
    return SequentialComparison(
        series.explained(), tuple(series.looks), samples=stage.samples, planned=planned
    )


@dataclass(frozen=True)
class _Stage:
    """What there is at a look."""

    samples: int
    time: float
    base: CaseTable
    candidate: CaseTable


def _stages(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    planned: int,
    reached: int,
    *,
    closed: bool,
    base_run: BaseRun,
) -> Iterator[_Stage]:
    whole = read_scores(base) if base_run == "stored" else None
    for samples in look_times(planned):
        if samples <= reached:
            before = read_scores(_first(base, samples)) if whole is None else whole
            time = spending_time(samples, planned, stored=whole)
            yield _Stage(samples, time, before, read_scores(_first(candidate, samples)))
    if closed and reached < planned:
        yield _Stage(reached, 1.0, read_scores(base), read_scores(candidate))
    elif reached < look_times(planned)[0]:
        yield _Stage(0, 0.0, read_scores(base), read_scores(_first(candidate, 0)))


def _first(scores: pd.DataFrame, samples: int) -> pd.DataFrame:
    return scores[scores["sample"] < samples]


@dataclass(frozen=True)
class _Asked:
    target: Target
    margin: float
    confidence: float
    metrics: int
    planned: int


class _Series:
    """Looks in their order, each with the levels that those before it leave."""

    def __init__(self, asked: _Asked, *, fixed_base: bool) -> None:
        self._asked = asked
        self._fixed_base = fixed_base
        self._information: list[float] = []
        self._times: list[float] = []
        self._alpha = 0.0
        self._pairs: Pairs
        self._evidence: PairedEvidence
        self.looks: list[Look] = []
        self.result: Comparison

    def take(self, stage: _Stage) -> None:
        """Look at what there is."""
        asked, tables = self._asked, (stage.base, stage.candidate)
        self._pairs = pairs = pair_up(*tables)
        compared = describe(pairs, tables, asked.target, asked.margin, asked.confidence)
        evidence = evidence_at_look(pairs, asked.target, planned=asked.planned)
        if isinstance(evidence, str):
            self.result = replace(compared, notes=(evidence,))
            return
        self._alpha, self._evidence = compared.alpha, evidence
        self._information.append(evidence.guarded_se**-2)
        self._times.append(stage.time)
        self.result = self._at_the_boundary(compared, evidence)
        self.looks.append(_look(stage, self.result))

    def _at_the_boundary(self, compared: Comparison, evidence: PairedEvidence) -> Comparison:
        """Return the tests at the level of this look, and the interval that holds at every look."""
        sides = 1 - 2 * self._level((1 - compared.confidence) / 2)
        at_level = replace(compared, alpha=self._level(compared.alpha), confidence=sides)
        found = tested(at_level, evidence, binary=self._pairs.binary)
        return replace(
            self._among_metrics(found, compared.alpha),
            confidence=compared.confidence,
            p_no_difference=None,  # not valid at several looks, and no test of the gate
            detectable_change=detectable_change(evidence.guarded_se, alpha=1 - compared.confidence),
            method=f"{found.method}; group sequential",
        )

    def _among_metrics(self, found: Comparison, alpha: float) -> Comparison:
        """Raise the p-value of a drop by as much as its share of alpha lowers the level."""
        assert found.p_worse_by_margin is not None
        assert found.p_not_worse is not None
        share = self._level(alpha / self._asked.metrics)
        p_not_worse = min(1.0, found.p_not_worse * found.alpha / share)
        return replace(
            found,
            p_not_worse=p_not_worse,
            verdict=verdict_by(found.p_worse_by_margin, p_not_worse, found.alpha),
        )

    def _level(self, alpha: float) -> float:
        """Return what p-values must be below at the last look, of tests at `alpha` over all."""
        spent = np.array([linear_spending(time, alpha) for time in self._times])
        critical = critical_values(np.array([self._information]), spent)
        return float(special.ndtr(-critical[0, -1]))

    def explained(self) -> Comparison:
        """Return the last look with what would bring a verdict where there is none."""
        found = self.result
        if found.se is None or found.verdict != "inconclusive":
            return found
        needs = what_would_decide(
            self._pairs,
            self._evidence,
            margin=found.margin,
            alpha=self._alpha,
            target=found.target,
            fixed_base=self._fixed_base,
            drops=self._asked.metrics,
        )
        notes = found.notes if needs.note is None else (*found.notes, needs.note)
        return replace(
            found, cases_to_decide=needs.cases, samples_to_decide=needs.samples, notes=notes
        )


def _look(stage: _Stage, found: Comparison) -> Look:
    assert found.delta is not None
    assert found.p_worse_by_margin is not None
    assert found.p_not_worse is not None
    return Look(
        samples=stage.samples,
        time=stage.time,
        level=found.alpha,
        delta=found.delta,
        p_worse_by_margin=found.p_worse_by_margin,
        p_not_worse=found.p_not_worse,
    )
