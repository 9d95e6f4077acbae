"""Has a live score drifted? Cumulative sums that forget good times and add up bad ones.

A chart says what to add for an observation and at which sum to raise an alarm (Page 1954,
"Continuous inspection schemes"). It is chosen by its average run length: how many observations
pass until a false alarm while all is well, and until an alarm once it is not. A watch is the
state between two observations, a value that can be stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import FloatArray

SLACK = 0.5
"""Half the shift to be found, in standard deviations."""
_STATES = 20_000
"""Most sums between 0 and the threshold that are told apart."""
_FINEST = 200
"""Into how many parts the smaller step of a rate is cut at most."""
_NODES = 80
"""Points between 0 and the threshold at which a run length of numbers is solved for."""
_LARGEST = 50.0
"""A threshold beyond which run lengths are longer than anyone can count."""
_HALVINGS = 30


@dataclass(frozen=True)
class RateChart:
    """The log-likelihood ratio of one rate of passing against another."""

    good: float
    """The rate while all is well, as a reference window showed it that is used for nothing else."""
    bad: float
    """The rate that is to be found soon."""
    threshold: float

    def __post_init__(self) -> None:
        if not (0 < self.good < 1 and 0 < self.bad < 1 and self.good != self.bad):
            raise ValueError(
                f"The rates {self.good!r} and {self.bad!r} must differ and lie between 0 and 1."
            )
        _require_positive(self.threshold)

    def step(self, *, passed: bool) -> float:
        """Return what an observation adds: log of its chance if bad, over that if good."""
        if passed:
            return math.log(self.bad / self.good)
        return math.log((1 - self.bad) / (1 - self.good))

    def run_length(self, rate: float) -> float:
        """Return how many observations an alarm takes on average when they pass at `rate`.

        The Markov chain of Brook and Evans 1972, on a lattice of which both steps are multiples
        (Reynolds and Stoumbos 1999), so that it is exact but for the rounding of their ratio.
        """
        failed, passed = self.step(passed=False), self.step(passed=True)
        chance = 1 - rate if failed > 0 else rate
        return _run_length_of_steps(
            max(failed, passed), -min(failed, passed), chance, self.threshold
        )

    def watch(self) -> RateWatch:
        """Return the state before the first observation."""
        return RateWatch(self)


@dataclass(frozen=True)
class RateWatch:
    """What a chart of a rate has added up so far."""

    chart: RateChart
    sum: float = 0.0
    since: int = 0
    """Observations since the sum was last 0: when a drift most likely began."""

    @property
    def alarm(self) -> bool:
        """Whether the rate has drifted."""
        return self.sum >= self.chart.threshold

    def after(self, *, passed: bool) -> RateWatch:
        """Return the state after one more observation."""
        total = max(0.0, self.sum + self.chart.step(passed=passed))
        return replace(self, sum=total, since=self.since + 1 if total else 0)


@dataclass(frozen=True)
class NumberChart:
    """The two-sided sum of standardized numbers, such as latency, cost or tokens."""

    mean: float
    """While all is well, as a reference window showed it that is used for nothing else."""
    deviation: float
    """The standard deviation there."""
    threshold: float
    slack: float = SLACK

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise ValueError(f"The standard deviation {self.deviation!r} must be above 0.")
        _require_positive(self.threshold)

    def run_length(self, shift: float = 0.0) -> float:
        """Return how many observations an alarm takes when the mean shifts by so many deviations.

        Each side solves the integral equation of Page 1954 by Gauss-Legendre quadrature (Goel
        and Wu 1971); both together raise alarms at the sum of their rates (van Dobben de Bruyn
        1968).
        """
        up, down = (
            _run_length_of_normal(self.slack - side * shift, self.threshold) for side in (1, -1)
        )
        return 1 / (1 / up + 1 / down)

    def watch(self) -> NumberWatch:
        """Return the state before the first observation."""
        return NumberWatch(self)


@dataclass(frozen=True)
class NumberWatch:
    """What a chart of a number has added up so far, upwards and downwards."""

    chart: NumberChart
    up: float = 0.0
    down: float = 0.0

    @property
    def alarm(self) -> bool:
        """Whether the number has drifted."""
        return max(self.up, self.down) >= self.chart.threshold

    def after(self, value: float) -> NumberWatch:
        """Return the state after one more observation."""
        z = (value - self.chart.mean) / self.chart.deviation
        return replace(
            self,
            up=max(0.0, self.up + z - self.chart.slack),
            down=max(0.0, self.down - z - self.chart.slack),
        )


def rate_chart(good: float, bad: float, *, run_length: float) -> RateChart:
    """Return the chart with the lowest threshold that alarms falsely so seldom, on average.

    Raises:
        ValueError: a rate is not between 0 and 1, or the run length is not above 1.
    """
    chart = RateChart(good, bad, 1.0)
    return replace(chart, threshold=_threshold(run_length, _at(chart, good)))


def number_chart(
    mean: float, deviation: float, *, run_length: float, slack: float = SLACK
) -> NumberChart:
    """Return the chart with the lowest threshold that alarms falsely so seldom, on average.

    Raises:
        ValueError: the deviation is not positive, or the run length is not above 1.
    """
    chart = NumberChart(mean, deviation, 1.0, slack)
    return replace(chart, threshold=_threshold(run_length, _at(chart, 0.0)))


def _at(chart: RateChart | NumberChart, level: float) -> Callable[[float], float]:
    return lambda threshold: replace(chart, threshold=threshold).run_length(level)


def _threshold(wanted: float, run_length: Callable[[float], float]) -> float:
    """Return the lowest threshold with the run length that is wanted, by halving."""
    if not wanted > 1:
        raise ValueError(f"The run length {wanted!r} must be above 1.")
    low, high = 0.0, 1.0
    while run_length(high) < wanted and high < _LARGEST:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if run_length(middle) >= wanted else (middle, high)
    return high


def _require_positive(threshold: float) -> None:
    if not threshold > 0:
        raise ValueError(f"The threshold {threshold!r} must be above 0.")


@lru_cache(maxsize=128)
def _run_length_of_steps(up: float, down: float, chance_up: float, threshold: float) -> float:
    from scipy.sparse import csc_array, eye_array
    from scipy.sparse.linalg import spsolve

    rises, falls, unit = _lattice(up, down, threshold)
    states = np.arange(math.ceil(threshold / unit - ROUNDING))
    size = (len(states), len(states))
    below = states[states + rises < len(states)]
    rising = csc_array((np.full(len(below), chance_up), (below, below + rises)), size)
    fallen = np.maximum(states - falls, 0)
    falling = csc_array((np.full(len(states), 1 - chance_up), (states, fallen)), size)
    matrix = csc_array(eye_array(len(states)) - rising - falling)
    return float(spsolve(matrix, np.ones(len(states)))[0])


def _lattice(up: float, down: float, threshold: float) -> tuple[int, int, float]:
    """Return both steps as whole numbers of a unit, by the best fraction for their ratio."""
    small, large = min(up, down), max(up, down)
    finest = max(1, min(_FINEST, int(_STATES * small / threshold)))
    ratio = Fraction(large / small).limit_denominator(finest)
    steps = (ratio.numerator, ratio.denominator)
    return (*(steps if up > down else steps[::-1]), small / ratio.denominator)


@lru_cache(maxsize=128)
def _run_length_of_normal(slack: float, threshold: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    inside = threshold * (nodes + 1) / 2
    states = np.concatenate(([0.0], inside))
    density = np.exp(-((inside - states[:, None] + slack) ** 2) / 2) / math.sqrt(2 * math.pi)
    moves: FloatArray = np.column_stack(
        (special.ndtr(slack - states), density * weights * threshold / 2)
    )
    lengths = np.linalg.solve(np.eye(len(states)) - moves, np.ones(len(states)))
    return float(lengths[0])
