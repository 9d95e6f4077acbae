"""The rates of a gate's verdicts between halves of the same samples, and the drop that it sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from linenotes.evals.statistics._intervals import wilson, z_critical
from linenotes.evals.statistics._many_gates import ManyGates, many_gates
from linenotes.evals.statistics._planning import POWER
from linenotes.evals.statistics._splits import Splits, deal, drops

if TYPE_CHECKING:
    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._tables import CaseTable, FloatArray

_SUITES = (100, 600)
"""The fewest and the most suites that are drawn anew."""
_SPLITS_OF_SUITE = 100
_DRAWN = 20_000_000
"""Units that are drawn for them at most, over all looks; for many cases the fewest suites do."""
_SPLITS_FOR_POWER = 500
_PRECISE = 0.02
"""In proportion, how close the search comes to the smallest drop that is seen."""
_CELLS = 2_000_000
_FEWEST = 100
"""Splits that are made at a time, however many samples there are."""

View = Callable[[ManyGates], ManyGates]
_VIEWS: tuple[View, View] = (lambda gates: gates, lambda gates: gates.at_once)
"""The gate as it is carried out, and one comparison by all samples."""


@dataclass(frozen=True)
class Alarms:
    """What one way of deciding does when nothing has changed, and what drop it sees."""

    false_alarms: float
    """The share of splits whose verdict is "fail"."""
    low: float
    high: float
    passes: float
    """The share of splits whose verdict is "pass"."""
    samples_needed: float
    """The mean share of the planned samples that it took."""
    detects: float | None
    """The smallest drop of the mean that fails in 80% of splits; None where not even the
    largest does."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What is split, and the gate that is put between the halves."""

    table: CaseTable
    values: Sequence[FloatArray]
    """The samples of each case."""
    halves: FloatArray
    """How many of them either half has."""
    target: Target
    margin: float
    alpha: float
    cells: int = _CELLS
    """Samples of either half that are held at a time."""

    @property
    def at_a_time(self) -> int:
        """How many splits are held at a time."""
        return max(_FEWEST, self.cells // int(len(self.values) * self.halves.max()))

    def split(self, splits: int, rng: np.random.Generator) -> Splits:
        """Deal the samples to two halves."""
        return deal(self.values, self.halves, splits, rng)

    def gates(self, splits: Splits, looks: Sequence[int] | None = None) -> ManyGates:
        """Put the gate between the halves, or a comparison that looks only then."""
        return many_gates(
            splits,
            self.table,
            target=self.target,
            margin=self.margin,
            alpha=self.alpha,
            looks=looks,
        )


def audit(
    plan: Audit, splits: int, rng: np.random.Generator, *, confidence: float
) -> tuple[Alarms, Alarms]:
    """Return what the gate does, and what one comparison by all samples does."""
    sizes = [*_sizes(splits, plan.at_a_time)]
    tallies, suites = [], []
    for size in sizes:
        gates = plan.gates(plan.split(size, rng))
        tallies.append(np.stack([_tally(view(gates)) for view in _VIEWS]))
        suites.append(_rates_of_suites(gates, math.ceil(_suites(gates) / len(sizes)), rng))
    shares = np.average(tallies, axis=0, weights=sizes)
    between = _variance_between(np.concatenate(suites))
    seen = _smallest_drops(plan, rng)
    gate, at_once = (
        _alarms(shares[i], float(between[i]), splits, confidence, seen[i])
        for i in range(len(_VIEWS))
    )
    return gate, at_once


def _sizes(splits: int, most: int) -> Iterator[int]:
    for start in range(0, splits, most):
        yield min(most, splits - start)


def _tally(gates: ManyGates) -> FloatArray:
    """Return the shares that fail and pass, and the mean share of samples that it took."""
    ended = gates.endings()
    return np.array([ended.failed.mean(), ended.passed.mean(), gates.times[ended.looks].mean()])


def _alarms(
    shares: FloatArray, between: float, splits: int, confidence: float, detects: float | None
) -> Alarms:
    rate, passes, needed = map(float, shares)
    low, high = _bounds(rate, between, splits, confidence)
    return Alarms(rate, low, high, passes, needed, detects)


def _bounds(rate: float, between: float, splits: int, confidence: float) -> tuple[float, float]:
    """Return the interval of the rate, given how much it varies from suite to suite.

    The variance of a single split is that of the rate with two alarms and two splits without
    one added (Agresti and Coull 1998), so that no alarm at all does not look certain.
    """
    likely = (rate * splits + 2) / (splits + 4)
    binomial = likely * (1 - likely)
    n = binomial / (between + binomial / splits)
    found = wilson(rate, n, z_critical(confidence))
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def _suites(gates: ManyGates) -> int:
    """Return how many suites are drawn anew."""
    size = int(gates.looks[0].sums.shape[2]) * len(gates.looks) * _SPLITS_OF_SUITE
    fewest, most = _SUITES
    return min(max(_DRAWN // size, fewest), most)


def _rates_of_suites(gates: ManyGates, suites: int, rng: np.random.Generator) -> FloatArray:
    """Return the rates of false alarms in suites whose cases or clusters are drawn anew.

    A case drawn twice is split twice, independently.
    """
    splits, units = gates.looks[0].sums.shape[1:]
    rates = []
    for size in _sizes(suites, max(1, _CELLS // (_SPLITS_OF_SUITE * units * 10))):
        drawn = np.repeat(rng.integers(units, size=(size, units)), _SPLITS_OF_SUITE, axis=0)
        found = gates.drawn(rng.integers(splits, size=drawn.shape), drawn)
        failed = np.stack([view(found).failed() for view in _VIEWS], axis=1)
        rates.append(failed.reshape(size, _SPLITS_OF_SUITE, len(_VIEWS)).mean(axis=1))
    return np.concatenate(rates)


def _variance_between(rates: FloatArray) -> FloatArray:
    """Return how much each rate varies over suites: what is left when that within is taken off.

    The estimate of one-way analysis of variance.
    """
    within = (rates * (1 - rates)).mean(axis=0) / (_SPLITS_OF_SUITE - 1)
    return np.asarray(np.maximum(0.0, rates.var(axis=0, ddof=1) - within))


def _smallest_drops(plan: Audit, rng: np.random.Generator) -> list[float | None]:
    """Return for either view the smallest drop that is seen often enough."""
    table, splits = plan.table, plan.split(min(_SPLITS_FOR_POWER, plan.at_a_time), rng)
    lowered = drops(splits, table, rng)
    largest = table.mean if table.bounded else table.span
    ways: tuple[Sequence[int] | None, ...] = (None, (int(plan.halves.max()),))

    def failing(looks: Sequence[int] | None, share: float) -> float:
        return float(plan.gates(lowered(share), looks).failed().mean())

    return [_smallest(partial(failing, looks), largest) for looks in ways]


def _smallest(power: Callable[[float], float], largest: float) -> float | None:
    """Return the smallest drop that is seen often enough, by halving what it can be."""
    if power(1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    while high - low > _PRECISE * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high * largest
