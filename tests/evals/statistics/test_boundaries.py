"""Critical values against published tables and against the multivariate normal of SciPy."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from linenotes.evals.statistics._boundaries import (
    critical_values,
    crossing_chances,
    linear_spending,
    obrien_fleming_spending,
    pocock_spending,
)

Spending = Callable[[float, float], float]
EVEN = np.arange(1, 6) / 5


def after_equal_looks(spending: Spending, alpha: float, looks: int) -> list[float]:
    times = np.arange(1, looks + 1) / looks
    spent = np.array([spending(time, alpha) for time in times])
    return [float(value) for value in critical_values(times[None], spent)[0]]


def close_to(*published: float) -> object:
    return pytest.approx(published, abs=6e-4)


def test_equal_looks_have_the_critical_values_of_lan_and_demets() -> None:
    obrien_fleming = after_equal_looks(obrien_fleming_spending, 0.025, 5)
    assert obrien_fleming == close_to(4.877, 3.357, 2.680, 2.290, 2.031)
    pocock = after_equal_looks(pocock_spending, 0.025, 5)
    assert pocock == close_to(2.438, 2.427, 2.410, 2.397, 2.386)


def test_alpha_spent_as_calls_are_has_the_critical_values_of_the_table() -> None:
    assert after_equal_looks(linear_spending, 0.05, 10) == close_to(
        *(2.576, 2.492, 2.411, 2.339, 2.275, 2.218, 2.166, 2.118, 2.074, 2.032)
    )


@pytest.mark.parametrize(
    "critical", [np.full(5, 2.413), 2.040 / np.sqrt(EVEN)], ids=["Pocock", "O'Brien-Fleming"]
)
def test_the_classic_critical_values_are_crossed_five_times_in_a_hundred(
    critical: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    crossed = crossing_chances(EVEN[None], critical[None])[0, -1]
    assert 2 * crossed == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("information", [[1.0, 2.0, 3.0], [1.0, 1.3, 9.0], [5.0, 5.4, 5.8]])
def test_uneven_information_is_integrated_as_the_multivariate_normal(
    information: list[float],
) -> None:
    critical = critical_values(np.array([information]), np.array([0.01, 0.03, 0.05]))[0]
    ratio = np.divide.outer(information, information)
    correlation = np.sqrt(np.minimum(ratio, 1 / ratio))
    for looks, spent in ((1, 0.01), (2, 0.03), (3, 0.05)):
        cov = correlation[:looks, :looks]
        inside = stats.multivariate_normal.cdf(
            critical[:looks], cov=cov, maxpts=1_000_000, abseps=1e-7, releps=1e-7, rng=0
        )
        assert 1 - inside == pytest.approx(spent, abs=2e-5)


def test_a_look_with_nothing_to_spend_cannot_be_crossed() -> None:
    critical = critical_values(np.array([[1.0, 2.0]]), np.array([0.0, 0.05]))[0]
    assert critical.tolist() == [np.inf, pytest.approx(stats.norm.isf(0.05), abs=1e-6)]


def test_information_that_does_not_grow_spends_no_more_than_is_due() -> None:
    stalled = np.array([[2.0, 2.0, 1.9, 2.0]])
    critical = critical_values(stalled, np.array([0.02, 0.03, 0.04, 0.05]))
    assert crossing_chances(stalled, critical)[0, -1] == pytest.approx(0.05, abs=1e-6)
    assert critical[0, 0] == pytest.approx(stats.norm.isf(0.02), abs=1e-6)
    # The same statistic four times: what exceeds the least of the bounds is what crosses.
    assert stats.norm.sf(critical.min()) <= 0.05


def test_trials_do_not_touch_one_another() -> None:
    information = np.array([[1.0, 2.0, 3.0], [1.0, 4.0, 4.1], [2.0, 2.5, 8.0]])
    spent = np.array([0.01, 0.02, 0.05])
    together = critical_values(information, spent)
    alone = [critical_values(row[None], spent)[0] for row in information]
    assert np.allclose(together, alone, atol=1e-9)
