from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics import Target, compare_scores, self_check
from linenotes.evals.statistics._many_pairs import Halves, many_pairs
from linenotes.evals.statistics._tables import read_scores

ScoreTable = Callable[..., pd.DataFrame]
TARGETS: list[Target] = ["population", "dataset"]


def drawn(seed: int, n: int, k: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    hits = rng.random((n, k)) < rng.beta(1.05, 0.45, n)[:, None]
    found: list[list[float]] = hits.astype(float).tolist()
    return found


# --- Real trials


def test_the_gate_keeps_its_rate_on_the_trials_of_tau_bench(tau_bench: pd.DataFrame) -> None:
    found = self_check(tau_bench, target="dataset")
    assert found.finding == "as designed"
    assert (found.n_cases, found.samples, found.nominal) == (50, (2, 2), 0.04)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.nominal <= found.high
    assert found.low <= 0.05 <= found.high
    assert found.detects == pytest.approx(0.144, abs=0.015)


def test_cases_like_those_of_tau_bench_raise_no_more_alarms_than_designed(
    tau_bench: pd.DataFrame,
) -> None:
    found = self_check(tau_bench)
    assert found.finding == "as designed"
    assert found.false_alarms == pytest.approx(0.032, abs=0.012)
    assert found.high is not None
    assert found.high <= 0.05


# --- What the rate is of


@pytest.mark.parametrize("target", TARGETS)
def test_the_rate_is_that_of_splits_compared_one_by_one(
    score_table: ScoreTable, target: Target
) -> None:
    cases = drawn(1, 40, 4)
    found = self_check(score_table(cases), target=target)
    rng = np.random.default_rng(2)
    verdicts = []
    for _ in range(300):
        mixed = rng.permuted(np.asarray(cases), axis=1)
        base, candidate = score_table(mixed[:, :2]), score_table(mixed[:, 2:])
        verdicts.append(compare_scores(base, candidate, target=target).verdict)
    assert found.false_alarms == pytest.approx(verdicts.count("fail") / 300, abs=0.03)
    assert found.passes == pytest.approx(verdicts.count("pass") / 300, abs=0.07)


def test_the_drop_that_is_detected_fails_four_times_in_five(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    cases = np.asarray(drawn(4, 40, 4))
    found = self_check(score_table(cases.tolist()))
    assert found.detects is not None
    assert found.mean is not None
    verdicts = []
    for _ in range(300):
        mixed = rng.permuted(cases, axis=1)
        kept = rng.random((40, 2)) >= found.detects / found.mean
        candidate = score_table(mixed[:, 2:] * kept)
        verdicts.append(compare_scores(score_table(mixed[:, :2]), candidate).verdict)
    assert verdicts.count("fail") / 300 == pytest.approx(0.8, abs=0.07)


def test_numbers_are_lowered_all_alike(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(3, 1, 40)[:, None] + rng.normal(0, 0.5, (40, 4))
    found = self_check(score_table(values))
    se = 0.5 / 40**0.5
    assert found.detects == pytest.approx((1.75 + 0.85) * se, rel=0.15)


def test_graded_scores_stay_between_0_and_1(score_table: ScoreTable) -> None:
    values = np.random.default_rng(6).beta(4, 2, (40, 4))
    found = self_check(score_table(values))
    assert found.detects is not None
    assert 0 < found.detects < 0.2


def test_an_all_or_nothing_suite_raises_no_alarm_and_sees_a_drop(score_table: ScoreTable) -> None:
    found = self_check(score_table([[1] * 4] * 60))
    assert (found.finding, found.false_alarms) == ("as designed", 0)
    assert found.detects is not None


def test_the_order_of_samples_changes_nothing(score_table: ScoreTable) -> None:
    table = score_table(drawn(13, 40, 4))
    shuffled = table.sample(frac=1, random_state=1)
    assert self_check(shuffled) == self_check(table)


# --- What cannot be split


@pytest.mark.parametrize(
    ("cases", "target"),
    [
        ([[1]] * 20, "population"),
        ([[1, 0]], "population"),
        ([[1, 0, 1]] * 20, "dataset"),
        ([], "population"),
    ],
)
def test_too_few_samples_say_nothing(
    score_table: ScoreTable, cases: list[list[float]], target: Target
) -> None:
    found = self_check(score_table(cases), target=target)
    assert found.finding == "too few samples to say"
    assert found.false_alarms is None
    assert "Splitting takes" in found.notes[0]


def test_cases_that_cannot_be_split_are_named(score_table: ScoreTable) -> None:
    found = self_check(score_table([*drawn(7, 20, 5), [1], [0]]))
    assert found.left_out == ("case-00020", "case-00021")
    assert (found.n_cases, found.samples) == (20, (2, 2))


def test_a_suite_too_small_to_detect_anything_says_none(score_table: ScoreTable) -> None:
    assert self_check(score_table(drawn(8, 4, 4))).detects is None


def test_halves_can_be_as_large_as_the_runs_of_a_gate(score_table: ScoreTable) -> None:
    table = score_table(drawn(9, 40, 20))
    large, small = self_check(table), self_check(table, samples=2)
    assert (large.samples, small.samples) == ((10, 10), (2, 2))
    assert large.detects is not None
    assert small.detects is not None
    assert large.detects < small.detects
    with pytest.raises(ValueError, match="Halves of 1 samples"):
        self_check(table, target="dataset", samples=1)
    with pytest.raises(ValueError, match="negative"):
        self_check(table, margin=-1)


def test_clusters_are_the_units(score_table: ScoreTable) -> None:
    found = self_check(score_table(drawn(10, 60, 4), clusters=np.arange(60) // 5))
    assert found.n_clusters == 12
    assert found.finding == "as designed"


# --- The interval


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_the_interval_covers_the_rate_of_fresh_runs(
    score_table: ScoreTable, target: Target
) -> None:
    rng, covered, n, k = np.random.default_rng(12), [], 50, 4
    true = rng.beta(0.63, 0.87, (20_000, n))
    arms = [rng.binomial(2, true) / 2 for _ in range(2)]
    spread = [2 * arm * (1 - arm) for arm in arms]
    fresh = Halves(arms[0], arms[1], spread[0], spread[1], np.full(n, 2.0))
    table = read_scores(score_table([[0, 1]] * n))
    rate = many_pairs(fresh, table, target).failed(margin=0.05, alpha=0.04).mean()
    for seed in range(40):
        values = rng.random((n, k)) < rng.beta(0.63, 0.87, n)[:, None]
        found = self_check(score_table(values), target=target, seed=seed)
        assert found.low is not None
        assert found.high is not None
        covered.append(found.low <= rate <= found.high)
    assert np.mean(covered) >= 0.85
