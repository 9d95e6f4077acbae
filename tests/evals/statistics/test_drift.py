import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linenotes.evals.statistics import (
    NumberChart,
    NumberWatch,
    RateChart,
    RateWatch,
    number_chart,
    rate_chart,
)

# --- Reference numbers; those of rates were simulated


@pytest.mark.parametrize(
    ("threshold", "calm", "delay"), [(3, 623, 54), (4, 1845, 73), (5, 5213, 97)]
)
def test_run_lengths_of_a_rate(threshold: float, calm: float, delay: float) -> None:
    chart = RateChart(0.9, 0.8, threshold)
    assert chart.run_length(0.9) == pytest.approx(calm, rel=0.03)
    assert chart.run_length(0.8) == pytest.approx(delay, rel=0.03)


@pytest.mark.parametrize(("threshold", "calm", "delay"), [(4, 168, 8.38), (5, 465, 10.4)])
def test_run_lengths_of_a_number(threshold: float, calm: float, delay: float) -> None:
    chart = NumberChart(0, 1, threshold)
    assert chart.run_length() == pytest.approx(calm, abs=0.5)
    assert chart.run_length(1) == pytest.approx(delay, abs=0.03)
    assert chart.run_length(-1) == pytest.approx(delay, abs=0.03)


# --- Simulation


def simulated_rate(chart: RateChart, rate: float, runs: int) -> float:
    rng, total, now = np.random.default_rng(1), 0, 0
    sums = np.zeros(runs)
    steps = [chart.step(passed=False), chart.step(passed=True)]
    while len(sums):
        now += 1
        sums = np.maximum(0, sums + np.where(rng.random(len(sums)) < rate, steps[1], steps[0]))
        total += now * int((sums >= chart.threshold).sum())
        sums = sums[sums < chart.threshold]
    return total / runs


@pytest.mark.parametrize(
    ("good", "bad", "rate"),
    [(0.9, 0.8, 0.9), (0.9, 0.8, 0.8), (0.95, 0.7, 0.85), (0.2, 0.4, 0.2), (0.8, 0.9, 0.9)],
)
def test_the_run_length_of_a_rate_is_what_happens(good: float, bad: float, rate: float) -> None:
    chart = RateChart(good, bad, 3)
    found = simulated_rate(chart, rate, 20_000)
    assert chart.run_length(rate) == pytest.approx(found, rel=0.03)


def test_the_run_length_of_a_number_is_what_happens() -> None:
    rng, lengths = np.random.default_rng(2), []
    chart = NumberChart(5, 2, 3)
    for _ in range(400):
        watch, seen = chart.watch(), 0
        while not watch.alarm:
            watch, seen = watch.after(rng.normal(6, 2)), seen + 1
        lengths.append(seen)
    assert np.mean(lengths) == pytest.approx(chart.run_length(0.5), rel=0.1)


# --- Thresholds


@pytest.mark.parametrize("wanted", [50, 1000, 10_000])
def test_a_chart_alarms_falsely_as_seldom_as_wanted(wanted: float) -> None:
    rate, number = rate_chart(0.9, 0.8, run_length=wanted), number_chart(3, 2, run_length=wanted)
    assert wanted <= rate.run_length(0.9) <= 1.2 * wanted
    assert number.run_length() == pytest.approx(wanted, rel=1e-6)


def test_a_longer_calm_takes_a_later_alarm() -> None:
    charts = [rate_chart(0.9, 0.7, run_length=wanted) for wanted in (100, 1000, 10_000)]
    delays = [chart.run_length(0.7) for chart in charts]
    assert delays == sorted(delays)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RateChart(1.0, 0.8, 4), "must differ and lie between 0 and 1"),
        (lambda: RateChart(0.8, 0.8, 4), "must differ and lie between 0 and 1"),
        (lambda: RateChart(0.9, 0.8, 0), "threshold 0 must be above 0"),
        (lambda: NumberChart(0, 0, 4), "standard deviation 0 must be above 0"),
        (lambda: rate_chart(0.9, 0.8, run_length=1), "run length 1 must be above 1"),
    ],
)
def test_what_makes_no_chart_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# --- The watch


def test_a_watch_adds_up_failures_and_forgets_passes() -> None:
    watch = RateChart(0.9, 0.8, 4).watch()
    assert watch.after(passed=True) == watch
    failed = watch.after(passed=False)
    assert failed.sum == pytest.approx(math.log(2))
    assert failed.since == 1
    for _ in range(5):
        failed = failed.after(passed=False)
    assert failed.alarm
    assert failed.since == 6


def test_a_number_drifts_either_way() -> None:
    chart = NumberChart(10, 2, 4)
    for value in (14, 6):
        watch = chart.watch()
        for _ in range(3):
            watch = watch.after(value)
        assert watch.alarm
        assert max(watch.up, watch.down) == pytest.approx(4.5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_the_sum_is_the_largest_evidence_of_any_stretch_that_ends_now(seen: list[bool]) -> None:
    chart = RateChart(0.9, 0.8, 4)
    watch: RateWatch = chart.watch()
    for passed in seen:
        watch = watch.after(passed=passed)
    steps = [chart.step(passed=passed) for passed in seen]
    stretches = [sum(steps[start:]) for start in range(len(steps) + 1)]
    assert watch.sum == pytest.approx(max(0, *stretches, 0))
    assert watch.since <= len(seen)


def test_a_watch_is_a_value() -> None:
    watch: NumberWatch = NumberChart(0, 1, 4).watch()
    assert watch.after(1.0) == watch.after(1.0)
    assert watch.up == 0
