from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics import (
    Alarms,
    SelfCheck,
    Target,
    compare_in_looks,
    compare_scores,
    self_check,
)
from linenotes.evals.statistics._many_gates import many_gates
from linenotes.evals.statistics._splits import Splits
from linenotes.evals.statistics._tables import read_scores

ScoreTable = Callable[..., pd.DataFrame]
TARGETS: list[Target] = ["population", "dataset"]


def drawn(seed: int, n: int, k: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    hits = rng.random((n, k)) < rng.beta(1.05, 0.45, n)[:, None]
    found: list[list[float]] = hits.astype(float).tolist()
    return found


def both(found: SelfCheck) -> tuple[Alarms, Alarms]:
    assert found.gate is not None
    assert found.at_once is not None
    return found.gate, found.at_once


# --- Real trials


@pytest.mark.parametrize("target", TARGETS)
def test_the_gate_keeps_its_rate_on_the_trials_of_tau_bench(
    tau_bench: pd.DataFrame, target: Target
) -> None:
    found = self_check(tau_bench, target=target)
    assert found.finding == "as designed"
    assert (found.n_cases, found.samples, found.nominal) == (50, (2, 2), 0.04)
    gate, at_once = both(found)
    assert at_once.low <= found.nominal <= at_once.high
    # With one and two samples of 50 cases the exact tests leave some of alpha unused.
    assert gate.false_alarms == pytest.approx(0.027, abs=0.008)
    assert 0.035 <= gate.high <= 0.05
    assert gate.detects == pytest.approx(0.155, abs=0.02)
    assert at_once.detects == pytest.approx(0.15, abs=0.015)


# --- What the rates are of


@pytest.mark.parametrize("target", TARGETS)
def test_the_rates_are_those_of_splits_compared_one_by_one(
    score_table: ScoreTable, target: Target
) -> None:
    cases = drawn(1, 40, 6)
    gate, at_once = both(self_check(score_table(cases), target=target))
    rng = np.random.default_rng(2)
    once, looked, samples = [], [], []
    for _ in range(60):
        mixed = rng.permuted(np.asarray(cases), axis=1)
        arms = score_table(mixed[:, :3]), score_table(mixed[:, 3:])
        once.append(compare_scores(*arms, target=target).verdict)
        one = compare_in_looks(*arms, planned=3, reached=3, target=target)
        looked.append(one.result.verdict)
        samples.append(one.samples / 3)
    for alarms, verdicts in ((gate, looked), (at_once, once)):
        assert alarms.false_alarms == pytest.approx(verdicts.count("fail") / 60, abs=0.06)
        assert alarms.passes == pytest.approx(verdicts.count("pass") / 60, abs=0.16)
    assert gate.samples_needed == pytest.approx(np.mean(samples), abs=0.06)
    assert at_once.samples_needed == 1


def test_the_drop_that_a_gate_sees_fails_four_times_in_five(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    cases = np.asarray(drawn(4, 40, 4))
    gate, _ = both(self_check(score_table(cases.tolist())))
    assert gate.detects is not None
    verdicts = []
    for _ in range(100):
        mixed = rng.permuted(cases, axis=1)
        kept = rng.random((40, 2)) >= gate.detects / cases.mean()
        arms = score_table(mixed[:, :2]), score_table(mixed[:, 2:] * kept)
        verdicts.append(compare_in_looks(*arms, planned=2, reached=2).result.verdict)
    assert verdicts.count("fail") / 100 == pytest.approx(0.8, abs=0.1)


def test_numbers_are_lowered_all_alike(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(3, 1, 40)[:, None] + rng.normal(0, 0.5, (40, 4))
    gate, at_once = both(self_check(score_table(values)))
    se = 0.5 / 40**0.5
    assert at_once.detects == pytest.approx((1.75 + 0.85) * se, rel=0.15)
    assert gate.detects is not None
    assert at_once.detects is not None
    assert gate.detects > at_once.detects


def test_graded_scores_stay_between_0_and_1(score_table: ScoreTable) -> None:
    values = np.random.default_rng(6).beta(4, 2, (40, 4))
    gate, _ = both(self_check(score_table(values)))
    assert gate.detects is not None
    assert 0 < gate.detects < 0.2


def test_a_gate_that_sees_much_needs_few_of_its_samples(score_table: ScoreTable) -> None:
    table = score_table(drawn(15, 100, 8))
    for target in TARGETS:
        gate, at_once = both(self_check(table, target=target, margin=0.15, splits=300))
        assert gate.samples_needed < 0.7
        assert gate.passes > 0.9
        assert at_once.samples_needed == 1


def test_an_all_or_nothing_suite_raises_no_alarm_and_sees_a_drop(score_table: ScoreTable) -> None:
    table = score_table([[1] * 4] * 60)
    found = self_check(table)
    assert found.finding == "as designed"
    for alarms in both(found):
        assert alarms.false_alarms == 0
        assert alarms.detects is not None


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
    assert (found.gate, found.at_once) == (None, None)
    assert "Splitting takes" in found.notes[0]


def test_cases_that_cannot_be_split_are_named(score_table: ScoreTable) -> None:
    found = self_check(score_table([*drawn(7, 20, 5), [1], [0]]))
    assert found.left_out == ("case-00020", "case-00021")
    assert (found.n_cases, found.samples) == (20, (2, 2))


def test_a_suite_too_small_to_detect_anything_says_none(score_table: ScoreTable) -> None:
    assert [alarms.detects for alarms in both(self_check(score_table(drawn(8, 4, 4))))] == [
        None,
        None,
    ]


def test_halves_can_be_as_large_as_the_runs_of_a_gate(score_table: ScoreTable) -> None:
    table = score_table(drawn(9, 40, 20))
    found = self_check(table), self_check(table, samples=2)
    assert [one.samples for one in found] == [(10, 10), (2, 2)]
    (large, _), (small, _) = map(both, found)
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
def test_the_intervals_cover_the_rates_of_fresh_runs(
    score_table: ScoreTable, target: Target
) -> None:
    rng, covered, n, k = np.random.default_rng(12), [], 50, 4
    true = rng.beta(0.63, 0.87, (20_000, n, 1))
    arms = [(rng.random((20_000, n, 2)) < true).astype(float) for _ in range(2)]
    fresh = many_gates(
        Splits(arms[0], arms[1], np.full(n, 2.0)),
        read_scores(score_table([[0, 1]] * n)),
        target=target,
        margin=0.05,
        alpha=0.04,
    )
    rates = [view.failed().mean() for view in (fresh, fresh.at_once)]
    for seed in range(20):
        values = rng.random((n, k)) < rng.beta(0.63, 0.87, n)[:, None]
        found = both(self_check(score_table(values), target=target, seed=seed, splits=1000))
        covered.append([a.low <= rate <= a.high for a, rate in zip(found, rates, strict=True)])
    assert np.mean(covered, axis=0).min() >= 0.75
