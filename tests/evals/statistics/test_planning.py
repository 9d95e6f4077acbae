import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from linenotes.evals.statistics import (
    PairedSpread,
    Target,
    best_samples,
    detectable_change,
    more_samples_help,
    power_of,
    required_cases,
    required_samples,
)
from linenotes.evals.statistics._many_pairs import many_pairs
from linenotes.evals.statistics._splits import Splits
from linenotes.evals.statistics._tables import read_scores


def test_cases_to_see_three_points_without_noise() -> None:
    spread = PairedSpread(between=1 / 9, base=0, candidate=0)
    assert required_cases(spread, 0.03, samples=1) == 969


@pytest.mark.parametrize(("samples", "change"), [(1, 0.13273), (10, 0.07567)])
def test_change_that_198_cases_detect(samples: int, change: float) -> None:
    spread = PairedSpread(between=1 / 9, base=1 / 6, candidate=1 / 6)
    assert detectable_change(spread.se(198, samples)) == pytest.approx(change, abs=5e-6)


def test_required_cases_and_detectable_change_are_inverse() -> None:
    spread = PairedSpread(between=0.05, base=0.15, candidate=0.1)
    n = required_cases(spread, 0.04, samples=3)
    assert detectable_change(spread.se(n, 3)) <= 0.04 < detectable_change(spread.se(n - 1, 3))


def test_best_samples_minimise_the_error_of_a_budget() -> None:
    spread = PairedSpread(between=0.02, base=0.15, candidate=0.15)
    best = best_samples(spread, case_cost=4, sample_cost=1)
    assert best == pytest.approx(math.sqrt(4 * 0.3 / 0.02))

    def error(samples: float) -> float:
        cases = 1000 / (4 + samples)
        return (spread.between + spread.noise(samples)) / cases

    assert error(best) <= min(error(best * 0.8), error(best * 1.25))


def test_samples_are_never_fewer_than_one_and_endless_where_cases_do_not_differ() -> None:
    steady = PairedSpread(between=0.5, base=0.01, candidate=0.01)
    assert best_samples(steady, case_cost=1, sample_cost=1) == 1
    assert best_samples(PairedSpread(0, 0.1, 0.1), case_cost=1, sample_cost=1) == math.inf


def test_more_samples_stop_helping_under_a_tenth_of_the_spread_between_cases() -> None:
    assert more_samples_help(0.01, 0.09)
    assert not more_samples_help(0.01, 0.11)


@pytest.mark.parametrize(("n", "change"), [(6, 0.5), (12, 0.3), (25, 0.2)])
def test_few_cases_are_planned_with_the_t_that_they_are_tested_with(n: int, change: float) -> None:
    spread = PairedSpread(between=(change * n**0.5 / 3.2) ** 2, base=0, candidate=0)
    se = spread.se(n, 1)
    critical = stats.t.ppf(0.975, n - 1)
    power = power_of(change, se, freedom=n - 1)
    assert power == pytest.approx(stats.nct.sf(critical, n - 1, change / se))
    least = detectable_change(se, freedom=n - 1)
    assert power_of(least, se, freedom=n - 1) == pytest.approx(0.8)
    assert least > detectable_change(se)


def test_few_cases_need_a_few_more_than_the_normal_formula_says() -> None:
    spread = PairedSpread(between=1, base=0, candidate=0)
    # Cohen 1988, table 2.4.1, has one more for the one-sample t test with d = 1.
    assert required_cases(spread, 1.0, samples=1) == 10
    assert required_cases(spread, 1.0, samples=1, cases_per_unit=2) > 10
    n = required_cases(spread, 0.8, samples=1)
    assert power_of(0.8, spread.se(n, 1), freedom=n - 1) >= 0.8
    assert power_of(0.8, spread.se(n - 1, 1), freedom=n - 2) < 0.8


def test_exactly_these_cases_need_samples_for_the_noise_alone() -> None:
    spread = PairedSpread(between=5, base=0.15, candidate=0.1)
    k = required_samples(spread, 0.05, cases=60)
    these = spread.of_these_cases
    assert these == PairedSpread(0, 0.15, 0.1)
    assert detectable_change(these.se(60, k)) <= 0.05 < detectable_change(these.se(60, k - 1))
    assert required_samples(spread, 0.5, cases=60) == 2


@pytest.mark.slow
@pytest.mark.parametrize("target", ["population", "dataset"])
def test_what_is_planned_is_seen_as_often_as_planned(target: Target) -> None:
    rng, trials, change = np.random.default_rng(1), 3000, 0.08
    before = rng.beta(2, 2, 4000)
    moved = rng.beta(2, 2, 4000)
    after = np.where(rng.random(4000) < 0.3, moved, before) * (1 - change / before.mean())
    noise = [float((rates * (1 - rates)).mean()) for rates in (before, after)]
    spread = PairedSpread(float((after - before).var()), *noise)
    if target == "population":
        k, n = 3, required_cases(spread, change, samples=3)
        cases = rng.integers(4000, size=(trials, n))
    else:
        n = 40
        k = required_samples(spread, change, cases=n)
        cases = np.broadcast_to(np.arange(n), (trials, n))
        before, after = _alike(before, n), _alike(before, n) * (1 - change / before.mean())
    arms = [
        (rng.random((trials, n, k)) < rates[cases][:, :, None]).astype(float)
        for rates in (before, after)
    ]
    runs = Splits(arms[0], arms[1], np.full(n, float(k)))
    values = pd.DataFrame({"case": np.arange(2 * n) % n, "sample": np.arange(2 * n) // n})
    table = read_scores(values.assign(value=(values["sample"] == 0).astype(float)))
    seen = many_pairs(runs, table, target).p_not_worse() < 0.025
    assert seen.mean() == pytest.approx(0.8, abs=0.04)


def _alike(rates: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """Return as few rates that are spread alike."""
    return np.quantile(rates, (np.arange(n) + 0.5) / n)
