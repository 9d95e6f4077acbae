from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics import (
    compare_scores,
    estimate,
    pilot_of_pair,
    pilot_of_run,
    required_cases,
)

ScoreTable = Callable[..., pd.DataFrame]


def drawn(
    seed: int, n: int, *, k: int, omega: float, change: float = 0.0, noise: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw two runs whose true difference varies by `omega` over cases, around `change`."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 2, n)
    both = (truth, truth + change + rng.normal(0, omega, n))
    return tuple(  # type: ignore[return-value]  # two of them
        pd.DataFrame(
            {
                "case": np.repeat(np.arange(n), k),
                "sample": np.tile(np.arange(k), n),
                "value": np.repeat(means, k) + rng.normal(0, noise, n * k),
            }
        )
        for means in both
    )


def test_two_runs_show_what_lies_between_cases_and_what_within() -> None:
    pilot = pilot_of_pair(*drawn(1, 5000, k=4, omega=0.7))
    assert pilot.spread.between == pytest.approx(0.49, rel=0.1)
    assert pilot.spread.base == pytest.approx(1, rel=0.05)
    assert pilot.spread.candidate == pytest.approx(1, rel=0.05)
    assert (pilot.n_cases, pilot.samples, pilot.noise_is_known) == (5000, (4, 4), True)


def test_the_spread_of_a_pilot_gives_the_error_of_its_comparison(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(2)
    runs = [
        score_table(
            rng.normal(0, 1, (60, 3)).tolist(),
            clusters=np.repeat(np.arange(20), 3).tolist(),
            weights=np.tile([1.0, 2.0, 3.0], 20).tolist(),
        )
        for _ in range(2)
    ]
    runs[1]["value"] += np.repeat(rng.normal(0, 2, 20), 9)
    pilot, compared = pilot_of_pair(*runs), compare_scores(*runs)
    assert compared.se is not None
    assert pilot.spread.se(60, 3) == pytest.approx(compared.se)
    assert pilot.n_clusters == 20


def test_with_single_samples_noise_counts_as_a_difference_between_cases() -> None:
    runs = drawn(3, 400, k=1, omega=0.7)
    pilot = pilot_of_pair(*runs)
    assert not pilot.noise_is_known
    assert pilot.spread.noise(1) == 0
    assert pilot.spread.between == pytest.approx(0.49 + 2, rel=0.2)


def test_one_run_shows_its_own_spread_and_the_rest_is_assumed(tau_bench: pd.DataFrame) -> None:
    split = estimate(tau_bench)
    for correlation, share in ((0.5, 1.0), (1.0, 0.0), (0.0, 2.0), (-1.0, 4.0)):
        pilot = pilot_of_run(tau_bench, correlation=correlation)
        assert pilot.spread.base == pilot.spread.candidate == pytest.approx(split.within)
        assert split.between is not None
        assert pilot.spread.between == pytest.approx(share * split.between)


def test_versions_that_correlate_as_assumed_differ_as_planned() -> None:
    rng = np.random.default_rng(4)
    truths = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 5000).T
    runs = [
        pd.DataFrame(
            {
                "case": np.repeat(np.arange(5000), 3),
                "sample": np.tile(np.arange(3), 5000),
                "value": np.repeat(truth, 3) + rng.normal(0, 1, 15000),
            }
        )
        for truth in truths
    ]
    assumed = pilot_of_run(runs[0], correlation=0.7).spread.between
    assert assumed == pytest.approx(pilot_of_pair(*runs).spread.between, rel=0.1)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([[0], [1]], "One sample a case cannot tell noise from cases"),
        ([[0, 1]], "One case, or cluster, shows no spread"),
        ([[1, 1], [1, 1]], "no spread at all"),
    ],
)
def test_a_run_that_shows_no_spread_is_no_pilot(
    cases: list[list[int]], message: str, score_table: ScoreTable
) -> None:
    with pytest.raises(ValueError, match=message):
        pilot_of_run(score_table(cases), correlation=0.5)


def test_runs_without_common_cases_are_no_pilot(score_table: ScoreTable) -> None:
    runs = score_table([[0, 1], [1, 1]]), score_table([[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="no scored case in common"):
        pilot_of_pair(runs[0], runs[1].assign(case=["x", "x", "y", "y"]))


def test_a_correlation_is_between_minus_one_and_one(tau_bench: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="2 is not between -1 and 1"):
        pilot_of_run(tau_bench, correlation=2)


@pytest.mark.slow
def test_as_many_cases_as_planned_have_the_power_that_was_asked() -> None:
    pilot = pilot_of_pair(*drawn(5, 3000, k=3, omega=0.7))
    n = required_cases(pilot.spread, 0.25, samples=3, power=0.8)
    found = [
        compare_scores(*drawn(seed, n, k=3, omega=0.7, change=0.25)).shown == "better"
        for seed in range(1000)
    ]
    assert sum(found) / len(found) == pytest.approx(0.8, abs=0.04)
