"""Many paired comparisons at once, by arrays: a pair of runs a row, a unit of inference a column.

The tests are those of `_paired`, with the same verdicts: this is for thousands of splits of the
same samples, where one comparison after the other would take minutes. All that a test needs of a
unit are sums over its cases, so that pairs can also be put together of units drawn anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

from linenotes.evals.statistics._intervals import FEW_UNITS, MOST_ENUMERATED, drawn_subsets
from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    import numpy.typing as npt

    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._tables import CaseTable, FloatArray, IntArray

    BoolArray = npt.NDArray[np.bool_]

_BLOCK = 200
"""Pairs whose signs are flipped at a time: 16 MB of totals."""
_LEAST_BEYOND_ONE = 3 / 32
"""The least share of sign patterns whose total is one standard deviation or more."""


@dataclass(frozen=True, eq=False)
class Halves:
    """What two runs measured, over and over: a pair of runs a row, a case a column."""

    base: FloatArray
    """Means of the cases' samples."""
    candidate: FloatArray
    base_variances: FloatArray
    """Unbiased, within the case; 0 for a single sample."""
    candidate_variances: FloatArray
    samples: FloatArray
    """Samples a case in either run, the same in all pairs."""


@dataclass(frozen=True, eq=False)
class ManyPairs(ABC):
    """Pairs of runs as sums over the cases of each unit; which sums, says the subclass."""

    sums: FloatArray
    """By kind of sum, pair, unit."""
    table: CaseTable
    """The cases, for what all pairs share: the scale of the scores, clusters, weights."""
    single: bool
    """No case has two samples in a run."""

    def take(self, rows: IntArray) -> Self:
        """Return these pairs only."""
        return replace(self, sums=self.sums[:, rows])

    def drawn(self, rows: IntArray, units: IntArray) -> Self:
        """Return pairs that consist of units of these, as two arrays of pair and unit say."""
        return replace(self, sums=self.sums[:, rows, units])

    @abstractmethod
    def mirrored(self) -> Self:
        """Return the pairs with base and candidate exchanged."""

    @abstractmethod
    def is_worse(self, alpha: float) -> BoolArray:
        """Say of each pair whether "not worse" is rejected."""

    @abstractmethod
    def is_within(self, margin: float, alpha: float) -> BoolArray:
        """Say of each pair whether "worse by the margin or more" is rejected."""

    def passed(self, *, margin: float, alpha: float) -> BoolArray:
        """Say of each pair whether its verdict is `pass`."""
        return self.is_within(margin, alpha) if margin > 0 else self.mirrored().is_worse(alpha)

    def failed(self, *, margin: float, alpha: float) -> BoolArray:
        """Say of each pair whether its verdict is `fail`: worse, and not by less than a margin."""
        failed = self.is_worse(alpha)
        worse = np.flatnonzero(failed)
        failed[worse] = ~self.take(worse).passed(margin=margin, alpha=alpha)
        return failed

    @property
    def even_weights(self) -> bool:
        """All cases weigh the same."""
        return bool((self.table.weights == self.table.weights[0]).all())


def many_pairs(halves: Halves, table: CaseTable, target: Target) -> ManyPairs:
    """Return the pairs, ready for the tests of `target`."""
    changes = halves.candidate - halves.base
    changes = np.where(np.abs(changes) > ROUNDING * table.span, changes, 0.0)
    by_case = _such_cases if target == "population" else _these_cases
    kind = _SuchCases if target == "population" else _TheseCases
    single = bool((halves.samples == 1).all())
    sums = np.stack([np.broadcast_to(s, changes.shape) for s in by_case(changes, halves, table)])
    return kind(_over_units(sums, table), table, single)


def _over_units(by_case: FloatArray, table: CaseTable) -> FloatArray:
    if table.clusters is None:
        return by_case
    members = np.eye(int(table.clusters.max()) + 1)[table.clusters]
    return np.asarray(by_case @ members)


def _such_cases(changes: FloatArray, _: Halves, table: CaseTable) -> list[FloatArray]:
    up, down = (changes > 0).astype(float), (changes < 0).astype(float)
    return [table.weights * changes, table.weights, up, down]


@dataclass(frozen=True, eq=False)
class _SuchCases(ManyPairs):
    """Of each unit: weighted change, weight, cases that improved, cases that got worse."""

    def mirrored(self) -> Self:
        change, weight, improved, worsened = self.sums
        return replace(self, sums=np.stack([-change, weight, worsened, improved]))

    def is_worse(self, alpha: float) -> BoolArray:
        _, _, improved, worsened = self.sums.sum(axis=2)
        if self.table.binary and self.single and self.table.clusters is None and self.even_weights:
            tosses = (improved + worsened).astype(int)
            return np.asarray(special.bdtr(improved, tosses, 0.5) < alpha)
        sums, shares = self._scaled()
        if sums.shape[1] < FEW_UNITS:
            return _flips_reject(-sums, alpha)
        mean, se = _mean_and_error(sums, shares)
        guarded = self.table.binary | (se <= ROUNDING * self.table.span)
        mean, se = np.where(guarded, _mean_and_error(*self._with_pair()), (mean, se))
        rejected = special.stdtr(sums.shape[1] - 1, mean / se) < alpha
        return np.asarray(rejected & (improved + worsened > 0))

    def is_within(self, margin: float, alpha: float) -> BoolArray:
        sums, _ = self._scaled()
        units = sums.shape[1]
        if units < FEW_UNITS:
            sums, shares = self._with_pair()
            rejected = _flips_reject(sums + margin * shares, alpha)
        else:
            mean, se = _mean_and_error(*self._with_pair())
            rejected = special.stdtr(units - 1, (-margin - mean) / se) < alpha
        unchanged = (1 - min(margin / self.table.span, 1.0)) ** units
        return np.where(self.sums[2:].sum(axis=(0, 2)) > 0, rejected, unchanged < alpha)

    def _scaled(self) -> tuple[FloatArray, FloatArray]:
        change, weight = self.sums[:2]
        total = weight.sum(axis=1, keepdims=True)
        return np.asarray(change / total), np.asarray(weight / total)

    def _with_pair(self) -> tuple[FloatArray, FloatArray]:
        """Add a unit that got better and one that got worse, as `_paired` says."""
        sums, shares = self._scaled()
        share = shares.mean(axis=1)
        changed = (sums != 0).sum(axis=1)
        unseen = 1 - changed / sums.shape[1] if self.table.bounded else (changed == 0).astype(float)
        squares = (sums**2).sum(axis=1) + unseen * (share * self.table.span) ** 2
        size = (squares / (changed + unseen)) ** 0.5
        more = np.column_stack((sums, size, -size))
        return more, np.column_stack((shares, share, share))


def _mean_and_error(sums: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean over the units of each row, and its standard error."""
    n, total = sums.shape[1], shares.sum(axis=1)
    mean = sums.sum(axis=1) / total
    squares = ((sums - shares * mean[:, None]) ** 2).sum(axis=1) / total**2
    return mean, (n / (n - 1) * squares) ** 0.5


def _flips_reject(excesses: FloatArray, alpha: float) -> BoolArray:
    """Say of each row whether so large a total is rare among those of flipped signs.

    A total that is no larger than the root of the summed squares is reached by at least 3 of 32
    sign patterns (Dvorak and Tiep 2022, "Probability mass of Rademacher sums beyond one standard
    deviation"), so that most rows need no flipping.
    """
    rejected = np.zeros(len(excesses), dtype=bool)
    large = excesses.sum(axis=1) > np.sqrt((excesses**2).sum(axis=1))
    rows = np.flatnonzero(large if alpha <= _LEAST_BEYOND_ONE else np.ones_like(large))
    rejected[rows] = _flip_p(excesses[rows]) < alpha
    return rejected


def _flip_p(excesses: FloatArray) -> FloatArray:
    """Return for each row the share of sign patterns whose total is at least the observed one."""
    limits = ROUNDING * np.abs(excesses).sum(axis=1)
    units = excesses.shape[1]
    if units <= MOST_ENUMERATED:
        pairs = zip(excesses, limits, strict=True)
        return np.asarray([_low_subsets(row, limit) / 2**units for row, limit in pairs])
    subsets = drawn_subsets(units).T
    low = [
        (excesses[start : start + _BLOCK] @ subsets <= limits[start : start + _BLOCK, None]).sum(1)
        for start in range(0, len(excesses), _BLOCK)
    ]
    return np.asarray((1 + np.concatenate([[], *low])) / (1 + subsets.shape[1]))


def _low_subsets(values: FloatArray, limit: float) -> int:
    """Count the subsets, the empty one too, whose sum is at most `limit`.

    A subset is one of the first half of the values and one of the second (Horowitz and Sahni
    1974), so that 20 values take two lists of 1,024 sums.
    """
    half = len(values) // 2
    firsts, seconds = _all_sums(values[:half]), np.sort(_all_sums(values[half:]))
    return int(np.searchsorted(seconds, limit - firsts, side="right").sum())


def _all_sums(values: FloatArray) -> FloatArray:
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate((totals, totals + value))
    return totals


def _these_cases(changes: FloatArray, halves: Halves, table: CaseTable) -> list[FloatArray]:
    weights, k = table.weights, halves.samples
    noises = [
        weights**2 * variances / k
        for variances in (halves.base_variances, halves.candidate_variances)
    ]
    passes = (halves.base + halves.candidate) * k
    return [
        weights * changes,
        weights,
        noises[0] + noises[1],
        (noises[0] ** 2 + noises[1] ** 2) / (k - 1),
        2 * (k - 1),
        halves.base_variances + halves.candidate_variances,
        1 / k,
        np.ones(len(k)),
        halves.candidate * k - passes / 2,
        passes * (2 * k - passes) / (4 * (2 * k - 1)),
    ]


@dataclass(frozen=True, eq=False)
class _TheseCases(ManyPairs):
    """Of each unit: weighted change, weight, noise, its square by freedom, freedom, variances.

    Then the mean of 1/K, cases, and the excess of passes with its variance given all passes of
    the case (Mantel and Haenszel 1959). All cases have two samples or more in either run.
    """

    def mirrored(self) -> Self:
        sums = self.sums.copy()
        sums[[0, 8]] *= -1
        return replace(self, sums=sums)

    def is_worse(self, alpha: float) -> BoolArray:
        if not (self.table.binary and self.even_weights):
            mean, se, df = self._evidence()
            return np.asarray(special.stdtr(df, mean / se) < alpha)
        excess, variance = self.sums[8:].sum(axis=2)
        informative = variance > 0
        size = np.abs(excess) / np.sqrt(np.where(informative, variance, 1.0))
        z = np.copysign(size, self.sums[0].sum(axis=1))
        return np.asarray(informative & (special.ndtr(z) < alpha))

    def is_within(self, margin: float, alpha: float) -> BoolArray:
        mean, se, df = self._evidence()
        return np.asarray(special.stdtr(df, (-margin - mean) / se) < alpha)

    def _evidence(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean, standard error with the added pair, and degrees of freedom."""
        totals = self.sums.sum(axis=2)
        change, weight, noise, squares, freedom, variances, inverse, cases = totals[:8]
        step = self.table.span if self.table.binary else (variances / cases) ** 0.5
        step = np.where(step == 0, self.table.span, step)
        pair = 2 * (step * inverse / cases / cases) ** 2
        df = np.where(noise > 0, noise**2 / np.where(noise > 0, squares, 1.0), freedom)
        return change / weight, (noise / weight**2 + pair) ** 0.5, df
