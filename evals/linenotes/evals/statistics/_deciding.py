"""What an inconclusive comparison still needs, if the change stays what it was."""

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
    from linenotes.evals.statistics._paired import Pairs


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
    *,
    se: float,
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

    The variance is the noise, which more samples divide, plus what lies between cases, which
    they do not (Miller 2024, "Adding error bars to evals", section 3.1).
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
    noise = pairs.noise_variance
    n = len(pairs)
    cases = max(n + 1, math.ceil(n * se**2 / wanted)) if target == "population" else None
    if noise is None:
        note = "With one sample a case, noise and true change cannot be told apart."
        return Needs(cases, None, note)
    between = max(se**2 - noise, 0.0) if target == "population" else 0.0
    stays = between + (_base_noise(pairs) if fixed_base else 0.0)
    if not more_samples_help(noise, between) or wanted <= stays:
        return Needs(cases, None, "More samples cannot help: add cases.")
    growing = (pairs.candidate,) if fixed_base else (pairs.base, pairs.candidate)
    now = float(np.concatenate([table.samples for table in growing]).mean())
    times = (noise + between - stays) / (wanted - stays)
    return Needs(cases, max(int(now) + 1, math.ceil(now * times)), None)


def _base_noise(pairs: Pairs) -> float:
    return float((pairs.base.shares**2 * pairs.base.noise).sum())
