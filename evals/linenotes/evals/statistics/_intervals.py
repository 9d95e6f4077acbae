"""What a set of independent units says about the mean they were drawn from.

Three kinds of evidence: Student's t; the flipping of whole units' signs, which needs no
normality, for few units; and units that never changed. All answer the same questions, so that an
interval and its tests come from one of them. Rates get Wilson's interval instead, because near 0
and 1 the first two claim a certainty that they do not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import special

from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import FloatArray

FEW_UNITS = 30
"""Below this many cases or clusters, signs are flipped instead of trusting the t distribution."""
MOST_ENUMERATED = 20
DRAWS = 10_000
PRIOR_CASES = 10
"""How many cases' worth of "all samples of a unit agree" are added to a design effect."""


@dataclass(frozen=True)
class Bounds:
    """Both ends of an interval; None where the data bound nothing."""

    low: float | None
    high: float | None

    def within(self, least: float, most: float) -> Bounds:
        """Return the same interval, cut to what is possible."""
        if self.low is None or self.high is None:
            return self
        return Bounds(max(self.low, least), min(self.high, most))


class Evidence(Protocol):
    """What the data say about where a mean lies."""

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or less"."""

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or more"."""

    def bounds(self, confidence: float) -> Bounds:
        """Return the two-sided interval."""


@dataclass(frozen=True)
class StudentT:
    """A mean whose error follows Student's t."""

    mean: float
    se: float
    df: float

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or less"."""
        return float(special.stdtr(self.df, (threshold - self.mean) / self.se))

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or more"."""
        return float(special.stdtr(self.df, (self.mean - threshold) / self.se))

    def bounds(self, confidence: float) -> Bounds:
        """Return the mean plus and minus the critical value times the standard error."""
        half = t_critical(self.df, confidence) * self.se
        return Bounds(self.mean - half, self.mean + half)


@dataclass(frozen=True, eq=False)
class SignFlips:
    """A mean judged by flipping the signs of whole units around a supposed value.

    Flipping a set of units yields a total at least as large as the observed one exactly when
    that set's own mean is at most the supposed value. So the means of all subsets hold every
    p-value and, as quantiles, the interval (Hartigan 1969, "typical values"; with clusters as
    units this is the wild cluster bootstrap with Rademacher signs under the null of Cameron,
    Gelbach and Miller 2008, inverted). All subsets up to 20 units; beyond, 10,000 drawn with a
    fixed seed and p = (1 + count) / (draws + 1), as Phipson and Smyth 2010.
    """

    sums: FloatArray
    """Each unit's total of share times value."""
    shares: FloatArray
    """Each unit's total share."""

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or less"."""
        return _flip_p(self.sums - threshold * self.shares)

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or more"."""
        return _flip_p(threshold * self.shares - self.sums)

    def bounds(self, confidence: float) -> Bounds:
        """Return the values that flipping does not reject; none for fewer than 6 units at .95."""
        means = _subset_sums(self.sums) / _subset_sums(self.shares)
        cut = int((1 - confidence) / 2 * (len(means) + 1) + 1e-9)
        if cut < 1:
            return Bounds(None, None)
        ends = np.partition(means, (cut - 1, len(means) - cut))
        return Bounds(float(ends[cut - 1]), float(ends[len(means) - cut]))


def _flip_p(excesses: FloatArray) -> float:
    """Return the share of sign patterns whose total is at least the observed one."""
    totals = _subset_sums(excesses)
    as_large = totals <= ROUNDING * np.abs(excesses).sum()
    return float((1 + as_large.sum()) / (1 + len(totals)))


def _subset_sums(values: FloatArray) -> FloatArray:
    """Return the sums of the non-empty subsets, all or drawn, always in the same order."""
    if len(values) > MOST_ENUMERATED:
        return np.asarray(drawn_subsets(len(values)) @ values)
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate((totals, totals + value))
    return totals[1:]


@lru_cache(maxsize=2)
def drawn_subsets(units: int) -> FloatArray:
    """Return one random subset a row, the same ones each time."""
    draws = np.random.default_rng(0).integers(0, 2, (DRAWS, units))
    return draws[draws.any(axis=1)].astype(float)


@dataclass(frozen=True)
class NoChange:
    """Units none of which changed, out of all that could have.

    A mean change of x needs at least the share x/span of such units to change, so that none of n
    did has at most the probability (1 - x/span)^n: the binomial bound of Clopper and Pearson
    1934 for no event. This is what keeps equal runs of a small suite from looking certain.
    """

    units: int
    span: float
    """The largest change of one unit."""

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or less"."""
        share = min(max(-threshold / self.span, 0.0), 1.0)
        return float((1 - share) ** self.units)

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value against "the mean is `threshold` or more"."""
        return self.p_above(-threshold)

    def bounds(self, confidence: float) -> Bounds:
        """Return the changes that would have left all units alone with enough probability."""
        most = self.span * float(1 - ((1 - confidence) / 2) ** (1 / self.units))
        return Bounds(-most, most)


def student_t(sums: FloatArray, shares: FloatArray) -> StudentT:
    """Return the weighted mean over units with its cluster-robust standard error.

    SE2 = G/(G-1) * sum_c (sum_{i in c} w_i (y_i - mean))^2 / (sum w)^2 with G-1 degrees of
    freedom (Liang and Zeger 1986; Miller 2024, "Adding error bars to evals", section 2.2). With
    a unit a case and equal weights this is s2(case means) / n.
    """
    n = len(sums)
    mean = float(sums.sum() / shares.sum())
    squares = float(((sums - shares * mean) ** 2).sum()) / float(shares.sum()) ** 2
    return StudentT(mean, (n / (n - 1) * squares) ** 0.5, n - 1)


def t_critical(df: float, confidence: float) -> float:
    """Return the two-sided critical value of Student's t."""
    return float(special.stdtrit(df, (1 + confidence) / 2))


def z_critical(confidence: float) -> float:
    """Return the two-sided critical value of the normal distribution."""
    return float(special.ndtri((1 + confidence) / 2))


def wilson(rate: float, n: float, critical: float) -> Bounds:
    """Return the score interval of Wilson 1927 for a rate seen in `n` independent trials."""
    rate = min(max(rate, 0.0), 1.0)
    scale = 1 + critical**2 / n
    centre = (rate + critical**2 / (2 * n)) / scale
    half = critical * (rate * (1 - rate) / n + critical**2 / (4 * n**2)) ** 0.5 / scale
    return Bounds(centre - half, centre + half).within(0.0, 1.0)


def shrunk_design_effect(seen: float, worst: float, cases: int) -> float:
    """Pull a design effect towards its worst value, as if 10 more cases had shown that one.

    Few cases can agree by luck; the shrinkage keeps Wilson's interval honest then (simulated:
    .98 coverage where plain cluster t has .83, for 50 cases of 5 samples near a rate of .97).
    """
    return (cases * seen + PRIOR_CASES * worst) / (cases + PRIOR_CASES)
