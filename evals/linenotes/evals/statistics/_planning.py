"""How many cases and samples a question needs, and what a suite can see.

The difference of two versions over n cases of K samples has the variance

    (omega2 + s2A/K_A + s2B/K_B) / n

where omega2 is how much the true difference varies from case to case and s2 the noise within a
case (Miller 2024, "Adding error bars to evals", section 5). More samples shrink only the noise. Of
exactly these cases only the noise counts, so omega2 is 0 and n is what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy import special

from linenotes.evals.statistics._intervals import FEW_UNITS

POWER = 0.8
NEGLIGIBLE_NOISE = 0.1


@dataclass(frozen=True)
class PairedSpread:
    """Where the variance of a paired difference comes from."""

    between: float
    """omega2: the variance over cases of the true difference."""
    base: float
    """s2A: the mean variance within a case of the base."""
    candidate: float
    """s2B: the mean variance within a case of the candidate."""

    @property
    def of_these_cases(self) -> PairedSpread:
        """What counts when the cases are exactly these: the noise alone."""
        return replace(self, between=0.0)

    def noise(self, samples: float) -> float:
        """Return the part of a case's variance that more samples would shrink."""
        return (self.base + self.candidate) / samples

    def se(self, n_cases: int, samples: float) -> float:
        """Return the standard error of the mean difference."""
        return math.sqrt((self.between + self.noise(samples)) / n_cases)


def required_cases(
    spread: PairedSpread,
    change: float,
    *,
    samples: float,
    alpha: float = 0.05,
    power: float = POWER,
    cases_per_unit: float = 1.0,
) -> int:
    """Return the cases needed to see `change` in a two-sided test at `alpha` with `power`.

    n = (z_{a/2} + z_b)^2 (omega2 + s2A/K + s2B/K) / change^2, and where those are few units, what
    Student's t takes beyond it (Guenther 1981, "Sample size formulas for normal theory T tests").
    """
    variance = spread.between + spread.noise(samples)
    n = max(2, math.ceil(critical_sum(alpha / 2, power) ** 2 * variance / change**2))
    while n / cases_per_unit < FEW_UNITS:
        freedom = max(1.0, n / cases_per_unit - 1)
        se = spread.se(n, samples)
        if detectable_change(se, alpha=alpha, power=power, freedom=freedom) <= change:
            break
        n += 1
    return n


def required_samples(
    spread: PairedSpread,
    change: float,
    *,
    cases: int,
    alpha: float = 0.05,
    power: float = POWER,
) -> int:
    """Return the samples a case, in either run, with which exactly these cases show `change`.

    The formula of `required_cases` without omega2, solved for K; at least the two that show noise.
    """
    wanted = (change / critical_sum(alpha / 2, power)) ** 2
    return max(2, math.ceil(spread.noise(1) / cases / wanted))


def detectable_change(
    se: float, *, alpha: float = 0.05, power: float = POWER, freedom: float = math.inf
) -> float:
    """Return the smallest true change that a two-sided test at `alpha` finds with `power`.

    The formula of `required_cases`, solved for the change; with few degrees of freedom by the
    noncentral t (Johnson, Kotz and Balakrishnan 1995, "Continuous univariate distributions 2",
    chapter 31).
    """
    if freedom >= FEW_UNITS - 1:
        return critical_sum(alpha / 2, power) * se
    critical = special.stdtrit(freedom, 1 - alpha / 2)
    return float(special.nctdtrinc(freedom, 1 - power, critical)) * se


def power_of(change: float, se: float, *, alpha: float = 0.05, freedom: float = math.inf) -> float:
    """Return the chance that a two-sided test at `alpha` shows a true `change` as what it is."""
    if freedom >= FEW_UNITS - 1:
        return float(special.ndtr(change / se - special.ndtri(1 - alpha / 2)))
    critical = special.stdtrit(freedom, 1 - alpha / 2)
    return 1 - float(special.nctdtr(freedom, change / se, critical))


def best_samples(spread: PairedSpread, *, case_cost: float, sample_cost: float) -> float:
    """Return K*: the samples a case with which a budget buys the smallest standard error.

    K* = sqrt((c0/c) (s2A + s2B) / omega2) (Cochran 1977, "Sampling techniques", equation 10.21),
    with c0 the cost of one more case and c of one more pair of samples. It is infinite when the
    difference is the same in every case, and never below 1.
    """
    if spread.between <= 0:
        return math.inf
    return max(1.0, math.sqrt(case_cost / sample_cost * spread.noise(1) / spread.between))


def more_samples_help(noise: float, between: float) -> bool:
    """Say whether more samples a case would narrow the interval at all noticeably.

    With n cases the standard error never falls below omega/sqrt(n), so they do not once the
    noise left in the case means is under a tenth of what lies between cases.
    """
    return noise >= NEGLIGIBLE_NOISE * between


def cases_without_a_loss(margin: float, alpha: float) -> int:
    """Return how many cases without any change rule out that the share `margin` got worse.

    (1 - margin)^n <= alpha: the rule of three, made exact (Hanley and Lippman-Hand 1983).
    """
    return math.ceil(math.log(alpha) / math.log1p(-margin))


def critical_sum(alpha: float, power: float) -> float:
    """Return z_alpha + z_beta: how many standard errors a one-sided test must resolve."""
    return float(special.ndtri(1 - alpha) + special.ndtri(power))
