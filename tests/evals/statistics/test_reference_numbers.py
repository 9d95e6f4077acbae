"""Published numbers that are no single function's, and what others compute of the same data."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    proportion_confint,
)

from linenotes.evals.statistics import compare_scores, estimate

ScoreTable = Callable[..., pd.DataFrame]
Numbers = npt.NDArray[np.float64]


def single_samples(values: Numbers) -> pd.DataFrame:
    cases = np.arange(len(values))
    return pd.DataFrame({"case": cases, "sample": 0, "value": values})


def test_the_error_of_pooled_samples_is_not_the_error_of_the_rate(tau_bench: pd.DataFrame) -> None:
    pooled = tau_bench["value"].std(ddof=1) / len(tau_bench) ** 0.5
    assert pooled == pytest.approx(0.03499, abs=5e-6)
    assert estimate(tau_bench).se == pytest.approx(0.05222, abs=5e-6)


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_the_interval_of_a_rate_is_within_that_of_clopper_and_pearson(
    score_table: ScoreTable, passed: int, n: int, low: float, high: float
) -> None:
    exact = proportion_confint(passed, n, method="beta")
    assert exact == pytest.approx((low, high), abs=5e-5)
    found = estimate(score_table([[1]] * passed + [[0]] * (n - passed)))
    assert found.low is not None
    assert found.high is not None
    assert low - 5e-5 <= found.low < found.high <= high + 5e-5


@pytest.mark.parametrize("n", [12, 40, 300])
def test_single_passes_are_compared_as_mcnemar_does(n: int) -> None:
    rng = np.random.default_rng(n)
    base, candidate = (rng.random((2, n)) < [[0.6], [0.8]]).astype(float)
    won, lost = int((candidate > base).sum()), int((candidate < base).sum())
    found = compare_scores(single_samples(base), single_samples(candidate))
    assert found.p_no_difference == pytest.approx(stats.binomtest(won, won + lost).pvalue)
    assert found.delta == pytest.approx((won - lost) / n)


@pytest.mark.parametrize("n", [30, 100, 1000])
def test_single_numbers_are_compared_as_the_paired_t_test_does(n: int) -> None:
    rng = np.random.default_rng(7)
    base = rng.normal(3, 1, n)
    candidate = base + rng.normal(2 / n**0.5, 1, n)
    found = compare_scores(single_samples(base), single_samples(candidate))
    assert found.delta == pytest.approx(float((candidate - base).mean()))
    assert found.p_no_difference == pytest.approx(stats.ttest_rel(candidate, base).pvalue)


@pytest.mark.parametrize("n", [6, 12])
def test_few_single_numbers_are_compared_by_flipping_all_signs(n: int) -> None:
    rng = np.random.default_rng(n)
    base = rng.normal(3, 1, n)
    candidate = base + rng.normal(0.5, 1, n)
    changes = candidate - base
    totals = np.array(list(product((1, -1), repeat=n))) @ changes
    as_large = np.abs(totals) >= abs(changes.sum()) - 1e-9
    found = compare_scores(single_samples(base), single_samples(candidate))
    assert found.p_no_difference == pytest.approx(as_large.mean())


@pytest.mark.parametrize("target", ["population", "dataset"])
def test_two_runs_of_the_same_scores_in_any_order_differ_by_exactly_nothing(
    tau_bench: pd.DataFrame, target: str
) -> None:
    shuffled = tau_bench.sample(frac=1, random_state=1)
    moved = shuffled.assign(sample=3 - shuffled["sample"])
    found = compare_scores(tau_bench, moved, target=target)  # type: ignore[arg-type]  # one of two
    assert found.delta == 0
    assert found.p_no_difference == 1
    assert (found.improved, found.worsened) == (0, 0)


def test_samples_taken_twice_change_no_population_comparison(tau_bench: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    candidate = tau_bench.assign(value=(rng.random(len(tau_bench)) < 0.5).astype(float))
    twice = [
        pd.concat([run, run.assign(sample=run["sample"] + 4)]) for run in (tau_bench, candidate)
    ]
    once, doubled = compare_scores(tau_bench, candidate), compare_scores(*twice)
    assert doubled.se == pytest.approx(once.se)
    assert (doubled.low, doubled.high) == pytest.approx((once.low, once.high))
