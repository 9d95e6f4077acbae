"""Two runs of the same cases: the differences, and the evidence they are.

Two kinds of test. At zero ("is there a difference?") chance has an exact model, and the tests
of few cases use it: McNemar's, whole-unit sign flips, Cochran-Mantel-Haenszel. Away from zero ("is
it worse by the margin?") there is none, and where little changed the spread of the changes says
little: with no loss in 20 cases, losing 5% of such cases still has the probability .36. So the
evidence there gets one more pair of units, one better and one worse. For single binary samples
that is the interval of Bonett and Price 2012 for paired proportions; `_with_pair` carries it over
to case means. Simulated false passes, when a change breaks 5% of the cases entirely: 12% become 4%
(100 cases that never failed before), 28% become 1% (20 cases of 5 samples, rate .97). Where
nothing changed at all, the binomial bound for no event takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from linenotes.evals.statistics._estimates import borrowed_noise, unit_totals, welch_satterthwaite
from linenotes.evals.statistics._intervals import (
    FEW_UNITS,
    Evidence,
    NoChange,
    SignFlips,
    StudentT,
    student_t,
)
from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import CaseTable, FloatArray


@dataclass(frozen=True)
class ZeroTest:
    """The test of "there is no difference", from both sides."""

    p_not_better: float
    p_not_worse: float
    method: str

    @property
    def p_no_difference(self) -> float:
        """The two-sided p-value: twice the smaller side."""
        return min(1.0, 2 * min(self.p_not_better, self.p_not_worse))


@dataclass(frozen=True)
class PairedEvidence:
    """What a comparison rests on, for one target."""

    around: Evidence
    """For the interval and the margin."""
    zero: ZeroTest
    se: float
    """The plain standard error."""
    guarded_se: float
    """The standard error with the added pair, which is never 0."""
    method: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pairs:
    """The cases that both runs have, row by row.

    Weights are the base's, and so are clusters unless only the candidate declares any.
    """

    base: CaseTable
    candidate: CaseTable

    def __len__(self) -> int:
        return len(self.base)

    @cached_property
    def changes(self) -> FloatArray:
        """d_i: the candidate's mean less the base's."""
        changes = self.candidate.means - self.base.means
        return np.where(np.abs(changes) > ROUNDING * self.span, changes, 0.0)

    @property
    def mean_change(self) -> float:
        """The weighted mean of the changes."""
        return float(self.base.weights @ self.changes / self.base.weights.sum())

    @property
    def n_units(self) -> int:
        """How many units of inference there are: clusters, or cases."""
        clusters = self.base.n_clusters
        return len(self) if clusters is None else clusters

    @property
    def span(self) -> float:
        """The largest difference that two scores can have."""
        return max(self.base.span, self.candidate.span)

    @property
    def bounded(self) -> bool:
        """Every score of both runs lies in [0, 1]."""
        return self.base.bounded and self.candidate.bounded

    @property
    def binary(self) -> bool:
        """Every score of both runs is 0 or 1."""
        return self.base.binary and self.candidate.binary

    @property
    def single_samples(self) -> bool:
        """Neither run has two samples of any case."""
        return not (self.base.repeated or self.candidate.repeated)

    @property
    def even_weights(self) -> bool:
        """All cases weigh the same."""
        return bool((self.base.weights == self.base.weights[0]).all())

    @property
    def noise_variance(self) -> float | None:
        """The variance of the mean change that sampling noise causes; None when unseen."""
        if not (self.base.repeated and self.candidate.repeated):
            return None
        return float((self.base.shares**2 * (self.base.noise + self.candidate.noise)).sum())


def pair_up(base: CaseTable, candidate: CaseTable) -> Pairs:
    """Return the cases of both tables, matched by id."""
    _, rows, others = np.intersect1d(
        base.cases, candidate.cases, assume_unique=True, return_indices=True
    )
    before, after = base.take(rows), candidate.take(others)
    if before.clusters is None:
        # A base that was stored before its dataset declared clusters has the same related cases.
        before = replace(before, clusters=after.clusters)
    return Pairs(before, after)


def evidence_on_such_cases(pairs: Pairs) -> PairedEvidence:
    """Judge the mean change over cases like these, with whole units as the evidence."""
    sums, shares = unit_totals(pairs.base, pairs.changes)
    plain = student_t(sums, shares)
    more_sums, more_shares = _with_pair(pairs, sums, shares)
    guarded = student_t(more_sums, more_shares)
    clustered = pairs.base.clusters is not None
    around: Evidence = StudentT(guarded.mean, guarded.se, plain.df)
    method = "cluster t" if clustered else "t over cases"
    if not pairs.changes.any():
        around = NoChange(len(sums), pairs.span)
        method = "nothing changed: Clopper-Pearson"
    elif len(sums) < FEW_UNITS:
        around = SignFlips(more_sums, more_shares)
        method = "few clusters: wild cluster flips" if clustered else "few cases: sign flips"
    # Numbers at zero need no guard: there the plain test is what other tools compute, too.
    seen = plain.se > ROUNDING * pairs.span
    at_zero = plain if seen and not pairs.binary else around
    zero = _zero_test(pairs, at_zero, method, SignFlips(sums, shares))
    return PairedEvidence(around, zero, plain.se, guarded.se, method)


def _with_pair(pairs: Pairs, sums: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add a unit that got better and one that got worse, by the root mean square of the changes.

    A few small changes say little about how large a change can be. So where scores have a known
    range, a full change counts among them, with the share of units that did not change as weight.
    """
    share = float(shares.mean())
    changed = sums[np.abs(sums) > ROUNDING * share * pairs.span]
    unseen = 1 - len(changed) / len(sums) if pairs.bounded else float(not len(changed))
    squares = float((changed**2).sum()) + unseen * (share * pairs.span) ** 2
    size = (squares / (len(changed) + unseen)) ** 0.5
    return np.append(sums, (size, -size)), np.append(shares, (share, share))


def _zero_test(pairs: Pairs, around: Evidence, method: str, flips: SignFlips) -> ZeroTest:
    independent = pairs.base.clusters is None and pairs.even_weights
    if pairs.binary and pairs.single_samples and independent:
        return _mcnemar(int((pairs.changes > 0).sum()), int((pairs.changes < 0).sum()))
    tested = flips if len(flips.sums) < FEW_UNITS else around
    return ZeroTest(tested.p_above(0), tested.p_below(0), method)


def _mcnemar(improved: int, worsened: int) -> ZeroTest:
    """Return the exact test of McNemar 1947: changed cases split like tosses of a coin."""
    tosses = improved + worsened
    return ZeroTest(
        p_not_better=float(special.bdtr(worsened, tosses, 0.5)),
        p_not_worse=float(special.bdtr(improved, tosses, 0.5)),
        method="exact McNemar",
    )


def evidence_on_these_cases(pairs: Pairs, noise_variance: float) -> PairedEvidence:
    """Judge the mean change over exactly these cases, with the noise within them as the error."""
    tables = (pairs.base, pairs.candidate)
    step = _size_of_one_sample(pairs)
    pair = sum((step * float((1 / table.samples).mean()) / len(pairs)) ** 2 for table in tables)
    parts = np.concatenate([pairs.base.shares**2 * table.noise for table in tables])
    samples = np.concatenate([table.samples for table in tables])
    se, guarded = noise_variance**0.5, (noise_variance + pair) ** 0.5
    around = StudentT(pairs.mean_change, guarded, welch_satterthwaite(parts, samples))
    method = "t over samples within cases"
    zero = ZeroTest(around.p_above(0), around.p_below(0), method)
    if pairs.binary and pairs.even_weights:
        zero = _cochran_mantel_haenszel(pairs)
    return PairedEvidence(around, zero, se, guarded, method, borrowed_noise(*tables))


def _size_of_one_sample(pairs: Pairs) -> float:
    """Return the difference between two samples of a case that do differ."""
    typical = (pairs.base.within + pairs.candidate.within) ** 0.5
    return pairs.span if pairs.binary or typical == 0 else typical


def _cochran_mantel_haenszel(pairs: Pairs) -> ZeroTest:
    """Return the test that no case's rate changed, with the case as stratum (Mantel 1963)."""
    from statsmodels.stats.contingency_tables import (  # type: ignore[import-untyped]
        StratifiedTable,
    )

    tables = _two_by_two(pairs)
    informative = (tables.sum(axis=0) > 0).all(axis=0)
    method = "Cochran-Mantel-Haenszel"
    if not informative.any():
        return ZeroTest(1.0, 1.0, method)
    chi2 = float(StratifiedTable(tables[:, :, informative]).test_null_odds().statistic)
    z = float(np.copysign(np.sqrt(chi2), pairs.mean_change))
    return ZeroTest(float(special.ndtr(-z)), float(special.ndtr(z)), method)


def odds_ratio(pairs: Pairs) -> float | None:
    """Return the odds ratio of Mantel and Haenszel 1959 with the case as stratum.

    For single samples it is improved / worsened cases. None when it is not defined: no case
    speaks for the base, or the scores are not binary.
    """
    if not pairs.binary:
        return None
    (passed, failed), (base_passed, base_failed) = _two_by_two(pairs)
    total = passed + failed + base_passed + base_failed
    against = float((failed * base_passed / total).sum())
    return float((passed * base_failed / total).sum()) / against if against > 0 else None


def _two_by_two(pairs: Pairs) -> FloatArray:
    """Return passed and failed samples: candidate over base, one table a case."""
    rows = [
        (np.rint(table.means * table.samples), np.rint((1 - table.means) * table.samples))
        for table in (pairs.candidate, pairs.base)
    ]
    return np.asarray(rows)
