from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    proportion_confint,
)

from linenotes.evals.statistics import Target, estimate, pass_at, pass_hat

ScoreTable = Callable[..., pd.DataFrame]

binary_runs = st.lists(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=4), min_size=2, max_size=40
)


def test_tau_bench_variance_split(tau_bench: pd.DataFrame) -> None:
    found = estimate(tau_bench)
    assert found.mean == pytest.approx(0.42)
    assert found.se == pytest.approx(0.05222, abs=5e-6)
    assert found.within == pytest.approx(0.146667, abs=5e-7)
    assert found.between == pytest.approx(0.099660, abs=5e-7)
    assert found.icc == pytest.approx(0.404585, abs=1e-6)
    assert (found.n_cases, found.samples, found.n_clusters) == (50, (4, 4), None)


def test_tau_bench_pass_hat_and_pass_at_equal_the_published_table(tau_bench: pd.DataFrame) -> None:
    hats = [pass_hat(tau_bench, k).mean for k in (1, 2, 3, 4)]
    ats = [pass_at(tau_bench, k).mean for k in (1, 2, 3, 4)]
    assert hats == pytest.approx([0.42, 0.27333, 0.22, 0.20], abs=5e-6)
    assert ats == pytest.approx([0.42, 0.56667, 0.66, 0.72], abs=5e-6)


def test_tau_bench_successes_per_task(tau_bench: pd.DataFrame) -> None:
    successes = tau_bench.groupby("case")["value"].sum()
    assert successes.value_counts().sort_index().tolist() == [14, 12, 10, 4, 10]


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_single_samples_get_the_interval_of_wilson(
    score_table: ScoreTable, passed: int, n: int, low: float, high: float
) -> None:
    found = estimate(score_table([[1]] * passed + [[0]] * (n - passed)))
    assert found.method == "Wilson"
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    oracle = proportion_confint(passed, n, method="wilson")
    assert (found.low, found.high) == pytest.approx(oracle, abs=1e-12)


def test_pass_hat_of_one_is_the_pass_rate(tau_bench: pd.DataFrame) -> None:
    rate, hat, at = estimate(tau_bench), pass_hat(tau_bench, 1), pass_at(tau_bench, 1)
    assert (hat.mean, hat.low, hat.high, hat.se) == (rate.mean, rate.low, rate.high, rate.se)
    assert (at.mean, at.low, at.high) == pytest.approx((rate.mean, rate.low, rate.high))


def test_pass_hat_of_all_samples_is_wilson_over_cases(tau_bench: pd.DataFrame) -> None:
    found = pass_hat(tau_bench, 4)
    assert (found.low, found.high) == pytest.approx(proportion_confint(10, 50, method="wilson"))
    assert found.samples == (4, 4)


def test_k_beyond_the_samples_is_refused(score_table: ScoreTable) -> None:
    with pytest.raises(ValueError, match=r"pass\^k with k=3 needs k samples of every case; one ha"):
        pass_hat(score_table([[1, 1, 1], [1, 0]]), 3)
    with pytest.raises(ValueError, match="pass@k with k=0"):
        pass_at(score_table([[1, 1]]), 0)


def test_pass_rates_need_passes_and_failures(score_table: ScoreTable) -> None:
    with pytest.raises(ValueError, match="needs scores of 0 and 1"):
        pass_at(score_table([[0.5, 1]]), 1)


def test_cluster_errors_equal_statsmodels(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(1)
    clusters = rng.integers(0, 40, 90)
    values = rng.normal(3, 1, 90) + 0.5 * clusters
    found = estimate(score_table(values[:, None].tolist(), clusters=clusters.tolist()))
    fitted = sm.OLS(values, np.ones(90)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    assert found.method == "cluster t"
    assert found.se == pytest.approx(fitted.bse[0])
    assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int()[0]))


def test_weighted_errors_equal_statsmodels(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.normal(3, 1, 60), rng.integers(1, 5, 60).astype(float)
    found = estimate(score_table(values[:, None].tolist(), weights=weights.tolist()))
    fitted = sm.WLS(values, np.ones(60), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(60)}, use_t=True
    )
    assert found.mean == pytest.approx(fitted.params[0])
    assert found.se == pytest.approx(fitted.bse[0])


def test_numbers_of_many_cases_get_t_over_cases(score_table: ScoreTable) -> None:
    values = np.arange(40.0)
    found = estimate(score_table(values[:, None].tolist()))
    half = 2.0226909 * values.std(ddof=1) / 40**0.5
    assert (found.low, found.high) == pytest.approx((19.5 - half, 19.5 + half))


def test_numbers_of_few_cases_are_judged_by_flipping_signs(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]))
    assert found.method == "few cases: sign flips"
    # one of 64 patterns lies beyond each end: the interval is that of all subsets' means
    assert (found.low, found.high) == (1.0, 6.0)


def test_too_few_numbers_have_no_bounds(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1.5], [2.5], [4.5]]))
    assert (found.low, found.high) == (None, None)
    assert "without bounds" in found.notes[0]


def test_few_clusters_are_flipped_whole(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(12), 5)
    values = (rng.normal(0, 1, 60) + clusters).tolist()
    found = estimate(score_table([[value] for value in values], clusters=clusters.tolist()))
    assert found.method == "few clusters: wild cluster flips"
    assert found.n_clusters == 12
    assert found.low is not None
    assert found.high is not None
    assert found.low < 5.5 < found.high


def test_rates_of_few_cases_keep_wilson(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1, 1, 1]] * 9 + [[1, 1, 0]]))
    assert found.method == "Wilson on effective n of cases"
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.967 < found.high < 1


def test_a_rate_where_all_agree_is_worth_one_trial_a_case(score_table: ScoreTable) -> None:
    several, single = estimate(score_table([[1] * 5] * 50)), estimate(score_table([[1]] * 50))
    assert several.low == pytest.approx(single.low, abs=0.005)
    assert several.high == single.high == 1.0


def test_the_dataset_target_counts_only_noise(score_table: ScoreTable) -> None:
    table = score_table([[1, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1]])
    found = estimate(table, target="dataset")
    assert found.se == pytest.approx((0.25 / 4 + 0.25 / 4) ** 0.5 / 3)
    assert found.target == "dataset"


def test_the_dataset_target_needs_two_samples(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1], [0]]), target="dataset")
    assert found.mean == 0.5
    assert (found.low, found.high, found.se) == (None, None, None)
    assert "take 2 or more" in found.notes[0]


def test_a_single_sample_borrows_the_noise_of_the_others(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1, 0], [1, 0], [1]]), target="dataset")
    assert found.se == pytest.approx((0.25 + 0.25 + 0.5) ** 0.5 / 3)
    assert found.notes == ("1 cases with a single sample borrow the others' noise.",)


def test_no_noise_at_all_still_leaves_a_doubt_about_a_rate(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1] * 3] * 10), target="dataset")
    oracle = proportion_confint(30, 30, method="wilson")
    assert (found.low, found.high) == pytest.approx(oracle)


def test_numbers_without_spread_bound_nothing(score_table: ScoreTable) -> None:
    for target in ("population", "dataset"):
        found = estimate(score_table([[0.3, 0.3, 0.3]] * 8), target=target)
        assert found.mean == pytest.approx(0.3)
        assert (found.low, found.high) == (None, None)
        assert "no spread" in found.notes[0]


def test_nothing_scored_is_not_a_zero(score_table: ScoreTable) -> None:
    found = estimate(score_table([]))
    assert found.mean is None
    assert found.notes == ("No sample was scored.",)
    assert pass_hat(score_table([]), 3).mean is None


@pytest.mark.parametrize(("clusters", "unit"), [(None, "case"), (["a", "a"], "cluster")])
def test_one_unit_says_nothing_about_others(
    score_table: ScoreTable, clusters: list[str] | None, unit: str
) -> None:
    cases = [[1.0, 0.0]] if clusters is None else [[1.0, 0.0], [1.0, 1.0]]
    found = estimate(score_table(cases, clusters=clusters))
    assert found.low is None
    assert found.notes == (f"One {unit} says nothing about the spread between {unit}s.",)


@given(binary_runs, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_samples_changes_nothing(
    score_table: ScoreTable, run: list[list[float]], random: object
) -> None:
    shuffled = [sorted(values, key=lambda _: random.random()) for values in run]  # type: ignore[attr-defined]
    assert estimate(score_table(shuffled)) == estimate(score_table(run))


@given(binary_runs)
@settings(max_examples=50, deadline=None)
def test_repeating_every_sample_leaves_the_population_error(
    score_table: ScoreTable, run: list[list[float]]
) -> None:
    twice = estimate(score_table([values + values for values in run]))
    assert twice.se == pytest.approx(estimate(score_table(run)).se, abs=1e-12)


@given(binary_runs, st.sampled_from(["population", "dataset"]))
@settings(max_examples=80, deadline=None)
def test_the_interval_of_a_rate_stays_in_range_and_holds_the_rate(
    score_table: ScoreTable, run: list[list[float]], target: Target
) -> None:
    found = estimate(score_table(run), target=target)
    assert found.low is not None
    assert found.high is not None
    assert found.mean is not None
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1


@given(binary_runs)
@settings(max_examples=50, deadline=None)
def test_more_repeats_are_harder_to_pass_all_and_easier_to_pass_once(
    score_table: ScoreTable, run: list[list[float]]
) -> None:
    table = score_table(run)
    deepest = min(len(values) for values in run)
    hats = [pass_hat(table, k).mean or 0.0 for k in range(1, deepest + 1)]
    ats = [pass_at(table, k).mean or 0.0 for k in range(1, deepest + 1)]
    assert all(more <= fewer + 1e-12 for fewer, more in pairwise(hats))
    assert all(more >= fewer - 1e-12 for fewer, more in pairwise(ats))


@given(st.floats(0.01, 1000), st.floats(-100, 100))
@settings(max_examples=30, deadline=None)
def test_numbers_keep_their_unit(score_table: ScoreTable, scale: float, shift: float) -> None:
    values = np.random.default_rng(7).normal(0, 1, (12, 2))
    plain = estimate(score_table(values.tolist()))
    scaled = estimate(score_table((scale * values + shift).tolist()))
    assert plain.mean is not None
    assert plain.low is not None
    assert scaled.mean == pytest.approx(scale * plain.mean + shift, rel=1e-6, abs=1e-6)
    assert scaled.low == pytest.approx(scale * plain.low + shift, rel=1e-6, abs=1e-6)
