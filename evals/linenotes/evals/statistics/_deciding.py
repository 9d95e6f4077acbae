"""What an inconclusive comparison still needs, if the change stays what it was.

The variance of the mean change is the noise, which more samples divide, plus what lies between
cases, which they do not (Miller 2024, "Adding error bars to evals", section 3.1). On top comes the
pair that guards the evidence (`_paired`): where little varied, most of it. That part falls with the
square of the cases, and over exactly these cases with that of the samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from linenotes.evals.statistics._planning import (
    POWER,
    cases_without_a_loss,
    critical_sum,
    more_samples_help,
)

if TYPE_CHECKING:
    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._paired import PairedEvidence, Pairs


@dataclass(frozen=True)
class Needs:
    """Either of the two would decide, with 80% power."""

    cases: int | None
    """Cases of as many samples as now; None when the cases are fixed."""
    samples: int | None
    """Samples a case, in both runs unless the base is fixed, of the cases as they are; None when
    they would not do it."""
    note: str | None


def what_would_decide(
    pairs: Pairs,
    evidence: PairedEvidence,
    *,
    margin: float,
    alpha: float,
    target: Target,
    fixed_base: bool = False,
    drops: int = 1,
) -> Needs:
    """Return what brings the standard error down to where the nearer test has 80% power.

    Only the candidate gets more samples where the base is fixed, so the base's noise stays. Where
    a drop of any of several things would fail, `drops` of them, each is tested at a share of alpha,
    so that a drop takes more to be shown than a pass.
    """
    change = pairs.mean_change
    to_pass = (change + margin) / critical_sum(alpha, POWER)
    to_fail = -change / critical_sum(alpha / drops, POWER)
    wanted = max(to_pass, to_fail) ** 2
    if target == "population" and not pairs.changes.any():
        cases = cases_without_a_loss(margin / pairs.span, alpha) if margin else None
        return Needs(cases, None, "Nothing changed: only more cases can rule the margin out.")
    if wanted == 0:
        return Needs(None, None, "The mean did not change: nothing would show it to be better.")
    cases = None
    if target == "population":
        by_cases = _Variance(divided=evidence.se**2, squared=_guard(evidence), stays=0.0)
        cases = _more(len(pairs), by_cases.times(wanted))
    noise = pairs.noise_variance
    if noise is None:
        note = "With one sample a case, noise and true change cannot be told apart."
        return Needs(cases, None, note)
    by_samples = _by_samples(pairs, evidence, noise, fixed_base=fixed_base, target=target)
    between = max(evidence.se**2 - noise, 0.0) if target == "population" else 0.0
    times = by_samples.times(wanted)
    if times is None or not more_samples_help(noise, between):
        return Needs(cases, None, "More samples cannot help: add cases.")
    growing = (pairs.candidate,) if fixed_base else (pairs.base, pairs.candidate)
    now = float(np.concatenate([table.samples for table in growing]).mean())
    return Needs(cases, _more(now, times), None)


@dataclass(frozen=True)
class _Variance:
    """A variance, by what having more of something does to its parts."""

    divided: float
    """By as many times as there are more."""
    squared: float
    """Divided by the square of that."""
    stays: float

    def times(self, wanted: float) -> float | None:
        """Return how many times as many bring it down to `wanted`; None where none do."""
        left = wanted - self.stays
        if left <= 0:
            return None
        return (self.divided + math.sqrt(self.divided**2 + 4 * self.squared * left)) / (2 * left)


def _by_samples(
    pairs: Pairs, evidence: PairedEvidence, noise: float, *, fixed_base: bool, target: Target
) -> _Variance:
    guard, stays = _guard(evidence), 0.0
    if fixed_base:
        stays = float((pairs.base.shares**2 * pairs.base.noise).sum())
    growing = noise - stays
    if target == "population":
        # The pair is as large as the changes are, so noise among them makes it larger, too.
        variance = max(evidence.se**2, noise)
        share = growing / variance if variance else 0.0
        return _Variance(growing + guard * share, 0.0, variance - growing + guard * (1 - share))
    of_base, own = (float((1 / one.samples).mean()) ** 2 for one in (pairs.base, pairs.candidate))
    kept = guard * of_base / (of_base + own) if fixed_base else 0.0
    return _Variance(growing, guard - kept, stays + kept)


def _guard(evidence: PairedEvidence) -> float:
    """Return what the added pair adds to the variance."""
    return max(0.0, evidence.guarded_se**2 - evidence.se**2)


def _more(now: float, times: float | None) -> int | None:
    return None if times is None else max(int(now) + 1, math.ceil(now * times))
