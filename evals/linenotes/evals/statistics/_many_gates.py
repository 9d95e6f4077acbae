"""Many gates at once: pairs of runs that are looked at after each sweep, as `_sequential` does.

The level of a look depends on the information that a pair had at this look and those before it.
It lies between the alpha that is spent at this look and all that is spent by then, so that only
the few pairs with a p-value between the two need theirs computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from linenotes.evals.statistics._boundaries import critical_values, linear_spending
from linenotes.evals.statistics._looks import look_times, spending_time, target_of_look
from linenotes.evals.statistics._many_pairs import ManyPairs, many_pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._splits import Splits
    from linenotes.evals.statistics._tables import CaseTable, FloatArray, IntArray

    BoolArray = npt.NDArray[np.bool_]

_SLACK = 1e-6
"""How far, in proportion, a p-value may be from a bound of its level without being compared."""
_AT_A_TIME = 250
"""Pairs whose levels are computed together: 13 MB of densities."""


@dataclass(frozen=True, eq=False)
class Endings:
    """How each gate ended."""

    passed: BoolArray
    failed: BoolArray
    looks: IntArray
    """The number of the look that decided, or else of the last."""


@dataclass(frozen=True, eq=False)
class ManyGates:
    """The same gate carried out on many pairs of runs."""

    looks: tuple[ManyPairs, ...]
    times: FloatArray
    """The share of the planned samples that there were at each look."""
    margin: float
    alpha: float

    @property
    def at_once(self) -> ManyGates:
        """The same pairs compared once, by all samples."""
        return replace(self, looks=self.looks[-1:], times=np.ones(1))

    def take(self, rows: IntArray) -> ManyGates:
        """Return these pairs only."""
        return replace(self, looks=tuple(look.take(rows) for look in self.looks))

    def drawn(self, rows: IntArray, units: IntArray) -> ManyGates:
        """Return pairs that consist of units of these, as two arrays of pair and unit say."""
        return replace(self, looks=tuple(look.drawn(rows, units) for look in self.looks))

    def endings(self) -> Endings:
        """Carry the gates out: a drop smaller than the margin passes."""
        passes, drops = self.pass_looks(), self._first(_p_of_drop)
        return Endings(
            passed=(passes <= drops) & (passes < len(self.looks)),
            failed=drops < passes,
            looks=np.minimum(np.minimum(passes, drops), len(self.looks) - 1),
        )

    def failed(self) -> BoolArray:
        """Say of each pair whether its gate fails: as `endings`, without asking who passes."""
        drops = self._first(_p_of_drop)
        failed = drops < len(self.looks)
        rows = np.flatnonzero(failed)
        failed[rows] = self.take(rows).pass_looks() > drops[rows]
        return failed

    def pass_looks(self) -> IntArray:
        """Return the number of the first look that would pass; that of none is next."""
        return self._first(lambda look: look.p_worse_by(self.margin))

    def levels(self, spent: FloatArray) -> FloatArray:
        """Return what p-values must be below at the first looks, by which so much is spent."""
        looks = self.looks[: len(spent)]
        information = np.stack([look.guarded_se**-2 for look in looks], axis=1)
        return np.asarray(special.ndtr(-critical_values(information, spent)))

    def _first(self, test: Callable[[ManyPairs], FloatArray]) -> IntArray:
        """Return the number of the first look at which a test rejects; that of none is next."""
        p = np.stack([test(look) for look in self.looks], axis=1)
        spent = np.array([linear_spending(time, self.alpha) for time in self.times])
        first = _first_true(p < np.diff(spent, prepend=0.0) * (1 - _SLACK))
        numbers = np.arange(len(spent))
        unsure = (p < spent * (1 + _SLACK)) & (numbers < first[:, None])
        last = np.where(unsure, numbers, -1).max(axis=1)
        order = np.argsort(last, kind="stable")[(last < 0).sum() :]
        for start in range(0, len(order), _AT_A_TIME):
            rows = order[start : start + _AT_A_TIME]
            looks = int(last[rows[-1]]) + 1
            level = self.take(rows).levels(spent[:looks])
            crossed = _first_true(unsure[rows, :looks] & (p[rows, :looks] < level))
            first[rows] = np.where(crossed < looks, crossed, first[rows])
        return first


def many_gates(
    splits: Splits,
    table: CaseTable,
    *,
    target: Target,
    margin: float,
    alpha: float,
    looks: Sequence[int] | None = None,
) -> ManyGates:
    """Return the gate on each pair of runs, with a look after each sweep.

    Args:
        splits: the pairs; as many samples as a case has at most are planned.
        table: the cases, for what all pairs share.
        target: what the gate speaks of.
        margin: the drop that a pass must rule out.
        alpha: of each test, over all looks together.
        looks: the samples of each case at the looks; None for those of `look_times`.
    """
    planned = int(splits.samples.max())
    counts = look_times(planned) if looks is None else looks
    pairs = []
    for count in counts:
        runs = splits.at(count)
        spoken = target_of_look(target, repeated=runs.repeated, planned=planned)
        pairs.append(many_pairs(runs, table, spoken, most=alpha))
    times = np.array([spending_time(count, planned) for count in counts])
    return ManyGates(tuple(pairs), times, margin, alpha)


def _p_of_drop(look: ManyPairs) -> FloatArray:
    return look.p_not_worse()


def _first_true(found: BoolArray) -> IntArray:
    """Return the column of the first True in each row; the number of columns for none."""
    columns = found.shape[1]
    return np.asarray(np.where(found.any(axis=1), found.argmax(axis=1), columns))
