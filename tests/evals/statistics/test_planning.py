import math

import pytest

from linenotes.evals.statistics import (
    PairedSpread,
    best_samples,
    detectable_change,
    more_samples_help,
    required_cases,
)


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
