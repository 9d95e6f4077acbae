"""Which cases pass always, fail always, or now and then: measured, and "unknown" where it is not.

A case has a true rate of passing, p. What is known of it is a beta distribution: a prior that is
fitted to the whole suite, updated by the case's own samples. A class is given when at least 90%
of that distribution lies inside it; ten passes of ten alone leave a case unknown, because a rate
of .9 shows ten passes one time in three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from linenotes.evals.statistics._multiplicity import benjamini_hochberg
from linenotes.evals.statistics._tables import ROUNDING, read_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from linenotes.evals.statistics._tables import CaseTable, FloatArray, IntArray

CaseClass = Literal["stable pass", "stable fail", "flaky", "unknown"]

SELDOM = 0.05
"""A stable case does otherwise in fewer samples than this share."""
SURE = 0.9
"""How much of what is known must lie inside a class."""
PULL = 0.7
"""The spread, on the scale of logarithms, of what a fitted prior may be without evidence."""
MOST_MORE = 1000
"""Samples beyond which nobody would try to settle a class."""
FALSE_DISCOVERY_RATE = 0.1


@dataclass(frozen=True)
class BetaPrior:
    """A beta distribution of the rate of passing, over the cases of a suite."""

    passes: float = 1.0
    """As if so many samples had passed; with 1 and 1 every rate is equally likely."""
    fails: float = 1.0


@dataclass(frozen=True)
class CaseStability:
    """What the samples of one case say about it."""

    case: str
    passed: int
    samples: int
    kind: CaseClass
    p_pass: float
    """The probability that it passes in more than 95% of samples."""
    p_fail: float
    """The probability that it passes in fewer than 5%."""
    p_flaky: float
    """The probability of neither."""
    more_samples: int | None
    """How many more samples would give an unknown case a class, if they come as those before;
    None for a case that has one, or when even a thousand would not."""


@dataclass(frozen=True)
class ChangedCase:
    """A case that no longer behaves as its own history."""

    case: str
    passed: int
    samples: int
    """Now."""
    passed_before: int
    samples_before: int
    p: float
    """Adjusted for the number of cases."""


def fit_prior(scores: pd.DataFrame) -> BetaPrior:
    """Fit the beta distribution that the rates of a suite's cases were drawn from.

    Maximum likelihood of the beta-binomial distribution (Skellam 1948), as empirical Bayes does
    it (Casella 1985). Where all cases agree, the likelihood has no maximum short of certainty,
    so it is penalized as Chung et al. 2013 do ("A nondegenerate penalized likelihood
    estimator"): the logarithms of both parameters are drawn to 0, the uniform distribution, by
    a normal density with the standard deviation .7.

    Raises:
        ValueError: the scores are malformed, or not passes and failures.
    """
    return _fit(_passes_and_failures(scores))


def case_stability(
    scores: pd.DataFrame, *, prior: BetaPrior | None = None
) -> tuple[CaseStability, ...]:
    """Return the class of each case, by all its samples of one version.

    Args:
        scores: `case, sample, value`, each value 0 or 1.
        prior: what is known without the samples of a case; None fits it to the suite.

    Raises:
        ValueError: the scores are malformed, or not passes and failures.
    """
    table = _passes_and_failures(scores)
    if not len(table):
        return ()
    prior = prior or _fit(table)
    passed = np.rint(table.means * table.samples)
    failed = table.samples - passed
    shares = _class_shares(passed, failed, prior)
    return tuple(
        _classified(str(table.cases[i]), int(passed[i]), int(failed[i]), shares[:, i], prior)
        for i in range(len(table))
    )


def changed_cases(
    history: pd.DataFrame, now: pd.DataFrame, *, rate: float = FALSE_DISCOVERY_RATE
) -> tuple[ChangedCase, ...]:
    """Return the cases whose samples now are unlike their history, the clearest first.

    Fisher's exact test a case, two-sided, with the false discovery rate over the cases that
    both tables have held at `rate` (Benjamini and Hochberg 1995).

    Raises:
        ValueError: a table is malformed, or its scores are not passes and failures.
    """
    before, after = _passes_and_failures(history), _passes_and_failures(now)
    _, rows, others = np.intersect1d(
        before.cases, after.cases, assume_unique=True, return_indices=True
    )
    before, after = before.take(rows), after.take(others)
    counts = [np.rint(table.means * table.samples).astype(int) for table in (before, after)]
    sizes = [table.samples.astype(int) for table in (before, after)]
    p_values = benjamini_hochberg([_fisher(*four) for four in zip(*counts, *sizes, strict=True)])
    found = [
        ChangedCase(
            case=str(case),
            passed=int(counts[1][i]),
            samples=int(sizes[1][i]),
            passed_before=int(counts[0][i]),
            samples_before=int(sizes[0][i]),
            p=p_values[i],
        )
        for i, case in enumerate(after.cases)
        if p_values[i] < rate
    ]
    return tuple(sorted(found, key=lambda one: (one.p, one.case)))


def _passes_and_failures(scores: pd.DataFrame) -> CaseTable:
    table = read_scores(scores)
    if not table.binary:
        raise ValueError("Whether a case is flaky can be told only of scores of 0 and 1.")
    return table


def _fit(table: CaseTable) -> BetaPrior:
    from scipy import optimize

    passed = np.rint(table.means * table.samples)
    kinds, cases = np.unique([passed, table.samples - passed], axis=1, return_counts=True)

    def loss(logs: FloatArray) -> float:
        passes, fails = np.exp(logs)
        gained = special.betaln(kinds[0] + passes, kinds[1] + fails)
        likelihood = cases @ (gained - special.betaln(passes, fails))
        return float(logs @ logs / (2 * PULL**2) - likelihood)

    passes, fails = np.exp(optimize.minimize(loss, np.zeros(2), method="L-BFGS-B").x)
    return BetaPrior(float(passes), float(fails))


def _class_shares(passed: FloatArray, failed: FloatArray, prior: BetaPrior) -> FloatArray:
    """Return, a row each, the probabilities of stable pass, stable fail and flaky."""
    ups, downs = passed + prior.passes, failed + prior.fails
    stable_pass = special.betainc(downs, ups, SELDOM)
    stable_fail = special.betainc(ups, downs, SELDOM)
    return np.asarray([stable_pass, stable_fail, 1 - stable_pass - stable_fail])


def _classified(
    case: str, passed: int, failed: int, shares: FloatArray, prior: BetaPrior
) -> CaseStability:
    kinds: Sequence[CaseClass] = ("stable pass", "stable fail", "flaky")
    sure = [kind for kind, share in zip(kinds, shares, strict=True) if share >= SURE]
    p_pass, p_fail, p_flaky = (float(share) for share in shares)
    return CaseStability(
        case=case,
        passed=passed,
        samples=passed + failed,
        kind=sure[0] if sure else "unknown",
        p_pass=p_pass,
        p_fail=p_fail,
        p_flaky=p_flaky,
        more_samples=None if sure else _more_to_settle(passed, failed, prior),
    )


def _more_to_settle(passed: int, failed: int, prior: BetaPrior) -> int | None:
    more = np.arange(1.0, MOST_MORE + 1)
    share = passed / (passed + failed)
    passes = np.asarray(passed + share * more)
    shares = _class_shares(passes, passed + failed + more - passes, prior)
    settled = (shares >= SURE).any(axis=0)
    return int(more[settled.argmax()]) if settled.any() else None


def _fisher(passed_before: int, passed: int, before: int, now: int) -> float:
    """Return the two-sided p-value of Fisher's exact test (Fisher 1935).

    Given how many samples passed in all, the p-value is the probability of the splits that are
    no more likely than this one.
    """
    both, passes = before + now, passed_before + passed
    splits = np.arange(max(0, passes - before), min(now, passes) + 1)
    logs = _log_choose(now, splits) + _log_choose(before, passes - splits)
    chances = np.exp(logs - _log_choose(both, np.asarray([passes])))
    seen = chances[passed - splits[0]]
    return float(min(1.0, chances[chances <= seen * (1 + ROUNDING)].sum()))


def _log_choose(total: int, taken: IntArray) -> FloatArray:
    return np.asarray(-special.betaln(total - taken + 1, taken + 1) - np.log1p(total))
