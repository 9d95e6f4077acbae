"""Many paired comparisons at once, by arrays: a pair of runs a row, a unit of inference a column.

The tests are those of `_paired`, with the same p-values: this is for thousands of splits of the
same samples, where one comparison after the other would take minutes. All that a test needs of a
unit are sums over its cases, so that pairs can also be put together of units drawn anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

from linenotes.evals.statistics._intervals import FEW_UNITS
from linenotes.evals.statistics._many_flips import many_flip_p
from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._splits import Splits
    from linenotes.evals.statistics._tables import CaseTable, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ManyPairs(ABC):
    """Pairs of runs as sums over the cases of each unit; which sums, says the subclass."""

    sums: FloatArray
    """By kind of sum, pair, unit."""
    shared: FloatArray
    """Kinds that depend on the unit alone; one row stands for all pairs that have the same."""
    table: CaseTable
    """The cases, for what all pairs share: the scale of the scores, clusters, weights."""
    most: float
    """P-values above it may be given as 1, which saves time."""
    single: bool
    """No case has two samples in a run."""

    def take(self, rows: IntArray) -> Self:
        """Return these pairs only."""
        own = self.shared.shape[1] > 1
        shared = self.shared[:, rows] if own else self.shared
        return replace(self, sums=self.sums[:, rows], shared=shared)

    def drawn(self, rows: IntArray, units: IntArray) -> Self:
        """Return pairs that consist of units of these, as two arrays of pair and unit say."""
        alike = bool((self.shared == self.shared[:, :, :1]).all())
        shared = self.shared if alike else self.shared[:, 0, units]
        return replace(self, sums=self.sums[:, rows, units], shared=shared)

    @abstractmethod
    def mirrored(self) -> Self:
        """Return the pairs with base and candidate exchanged."""

    @abstractmethod
    def p_not_worse(self) -> FloatArray:
        """Return each pair's p-value against "not worse"."""

    @abstractmethod
    def p_worse_by(self, margin: float) -> FloatArray:
        """Return the same against "worse by the margin or more"."""

    @property
    @abstractmethod
    def guarded_se(self) -> FloatArray:
        """The standard error of each pair with the added pair, which is never 0."""

    @property
    def even_weights(self) -> bool:
        """All cases weigh the same."""
        return bool((self.table.weights == self.table.weights[0]).all())


def many_pairs(runs: Splits, table: CaseTable, target: Target, *, most: float = 1.0) -> ManyPairs:
    """Return the pairs, ready for the tests of `target`; see `ManyPairs.most`."""
    by_case = _such_cases if target == "population" else _these_cases
    kind = _SuchCases if target == "population" else _TheseCases
    sums, shared = (_over_units(kinds, table) for kinds in by_case(runs, table))
    return kind(sums, shared[:, None], table, most, single=bool((runs.samples == 1).all()))


def _over_units(kinds: list[FloatArray], table: CaseTable) -> FloatArray:
    by_case = np.stack(kinds)
    if table.clusters is None:
        return by_case
    members = np.eye(int(table.clusters.max()) + 1)[table.clusters]
    return np.asarray(by_case @ members)


_Kinds = tuple[list["FloatArray"], list["FloatArray"]]
"""By pair and case, and by case alone."""


def _changes(runs: Splits, table: CaseTable) -> FloatArray:
    base, candidate = runs.means
    changes = candidate - base
    return np.where(np.abs(changes) > ROUNDING * table.span, changes, 0.0)


def _such_cases(runs: Splits, table: CaseTable) -> _Kinds:
    changes = _changes(runs, table)
    return [table.weights * changes, (changes != 0).astype(float)], [table.weights]


@dataclass(frozen=True, eq=False)
class _SuchCases(ManyPairs):
    """Of each unit: weighted change, and cases that changed; weight."""

    def mirrored(self) -> Self:
        change, changed = self.sums
        return replace(self, sums=np.stack([-change, changed]))

    def p_not_worse(self) -> FloatArray:
        if self.table.binary and self.single and self.table.clusters is None and self.even_weights:
            return self._mcnemar()
        sums, shares = self._scaled()
        if sums.shape[1] < FEW_UNITS:
            return many_flip_p(-sums, self.most)
        mean, se = _mean_and_error(sums, shares)
        guarded = self.table.binary | (se <= ROUNDING * self.table.span)
        mean, se = np.where(guarded, _mean_and_error(*self._with_pair()), (mean, se))
        return np.where(self._changed, special.stdtr(sums.shape[1] - 1, mean / se), 1.0)

    def p_worse_by(self, margin: float) -> FloatArray:
        if margin == 0:
            return self.mirrored().p_not_worse()
        sums, shares = self._with_pair()
        units = self.sums.shape[2]
        if units < FEW_UNITS:
            p = many_flip_p(sums + margin * shares, self.most)
        else:
            mean, se = _mean_and_error(sums, shares)
            p = special.stdtr(units - 1, (-margin - mean) / se)
        unchanged = (1 - min(margin / self.table.span, 1.0)) ** units
        return np.where(self._changed, p, unchanged)

    @property
    def guarded_se(self) -> FloatArray:
        return _mean_and_error(*self._with_pair())[1]

    def _mcnemar(self) -> FloatArray:
        improved, worsened = ((sign * self.sums[0] > 0).sum(axis=1) for sign in (1, -1))
        return np.asarray(special.bdtr(improved, improved + worsened, 0.5))

    @property
    def _changed(self) -> FloatArray:
        return np.asarray(self.sums[1].any(axis=1))

    def _scaled(self) -> tuple[FloatArray, FloatArray]:
        change, weight = self.sums[0], self.shared[0]
        total = weight.sum(axis=1, keepdims=True)
        return np.asarray(change / total), np.broadcast_to(weight / total, change.shape)

    def _with_pair(self) -> tuple[FloatArray, FloatArray]:
        """Add a unit that got better and one that got worse, as `_paired` says."""
        sums, shares = self._scaled()
        share = shares.mean(axis=1)
        changed = (np.abs(sums) > ROUNDING * self.table.span * share[:, None]).sum(axis=1)
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


def _these_cases(runs: Splits, table: CaseTable) -> _Kinds:
    weights, k = table.weights, runs.samples
    (base, candidate), variances = runs.means, runs.variances
    noises = [weights**2 * variance / k for variance in variances]
    passes = (base + candidate) * k
    by_pair = [
        weights * _changes(runs, table),
        noises[0] + noises[1],
        (noises[0] ** 2 + noises[1] ** 2) / (k - 1),
        variances[0] + variances[1],
        candidate * k - passes / 2,
        passes * (2 * k - passes) / (4 * (2 * k - 1)),
    ]
    return by_pair, [weights, 2 * (k - 1), 1 / k, np.ones(len(k))]


@dataclass(frozen=True, eq=False)
class _TheseCases(ManyPairs):
    """Of each unit: weighted change, noise, its square by freedom, variances.

    Then the excess of passes with its variance given all passes of the case (Mantel and Haenszel
    1959); weight, degrees of freedom, the sum of 1/K, cases. All cases have two samples or more in
    either run.
    """

    def mirrored(self) -> Self:
        sums = self.sums.copy()
        sums[[0, 4]] *= -1
        return replace(self, sums=sums)

    def p_not_worse(self) -> FloatArray:
        if not (self.table.binary and self.even_weights):
            mean, se, df = self._evidence()
            return np.asarray(special.stdtr(df, mean / se))
        excess, variance = self.sums[4:].sum(axis=2)
        informative = variance > 0
        size = np.abs(excess) / np.sqrt(np.where(informative, variance, 1.0))
        z = np.copysign(size, self.sums[0].sum(axis=1))
        return np.where(informative, special.ndtr(z), 1.0)

    def p_worse_by(self, margin: float) -> FloatArray:
        if margin == 0:
            return self.mirrored().p_not_worse()
        mean, se, df = self._evidence()
        return np.asarray(special.stdtr(df, (-margin - mean) / se))

    @property
    def guarded_se(self) -> FloatArray:
        return self._evidence()[1]

    def _evidence(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean, standard error with the added pair, and degrees of freedom."""
        change, noise, squares, variances = self.sums[:4].sum(axis=2)
        weight, freedom, inverse, cases = self.shared.sum(axis=2)
        step = self.table.span if self.table.binary else (variances / cases) ** 0.5
        step = np.where(step == 0, self.table.span, step)
        pair = 2 * (step * inverse / cases / cases) ** 2
        df = np.where(noise > 0, noise**2 / np.where(noise > 0, squares, 1.0), freedom)
        return change / weight, (noise / weight**2 + pair) ** 0.5, df
