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
    """Samples a case, in both runs, of the cases as they are; None when they would not do it."""
    note: str | None


def what_would_decide(
    pairs: Pairs, *, se: float, margin: float, alpha: float, target: Target
) -> Needs:
    """Return what brings the standard error down to where the nearer test has 80% power.

    The variance is the noise, which more samples divide, plus what lies between cases, which
    they do not (Miller 2024, "Adding error bars to evals", section 3.1).
    """
    change = pairs.mean_change
    distance = max(change + margin, -change)
    wanted = (distance / critical_sum(alpha, POWER)) ** 2
    if target == "population" and not pairs.changes.any():
        cases = cases_without_a_loss(margin / pairs.span, alpha) if margin else None
        return Needs(cases, None, "Nothing changed: only more cases can rule the margin out.")
    if not distance:
        return Needs(None, None, "No difference at all: neither better nor worse can be shown.")
    noise = pairs.noise_variance
    n = len(pairs)
    cases = max(n + 1, math.ceil(n * se**2 / wanted)) if target == "population" else None
    if noise is None:
        note = "With one sample a case, noise and true change cannot be told apart."
        return Needs(cases, None, note)
    between = max(se**2 - noise, 0.0) if target == "population" else 0.0
    if not more_samples_help(noise, between) or wanted <= between:
        return Needs(cases, None, "More samples cannot help: add cases.")
    return Needs(cases, _samples(pairs, noise / (wanted - between)), None)


def _samples(pairs: Pairs, times: float) -> int:
    now = float(np.concatenate((pairs.base.samples, pairs.candidate.samples)).mean())
    return max(int(now) + 1, math.ceil(now * times))
