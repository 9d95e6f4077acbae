from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from linenotes.evals.statistics import (
    SequentialComparison,
    Target,
    compare_in_looks,
    compare_scores,
    look_times,
)

Rates = npt.NDArray[np.float64]
TARGETS: list[Target] = ["population", "dataset"]


def table(seed: int, rates: Rates, k: int = 10, clusters: int | None = None) -> pd.DataFrame:
    rng, n = np.random.default_rng(seed), len(rates)
    columns = {
        "case": np.repeat(np.arange(n), k),
        "sample": np.tile(np.arange(k), n),
        "value": (rng.random((n, k)) < rates[:, None]).astype(float).ravel(),
    }
    if clusters:
        columns["cluster"] = np.repeat(np.arange(n) % clusters, k)
    return pd.DataFrame(columns)


def mixed(n: int = 200, change: float = 0.0) -> Rates:
    return np.clip(np.random.default_rng(0).beta(1.05, 0.45, n) + change, 0, 1)


def looked_at(
    change: float = 0.0, *, n: int = 200, target: Target = "population", reached: int = 10
) -> SequentialComparison:
    base, candidate = table(1, mixed(n)), table(2, mixed(n, change))
    return compare_in_looks(base, candidate, planned=10, reached=reached, target=target)


@pytest.mark.parametrize(
    ("planned", "looks"),
    [
        (1, (1,)),
        (3, (1, 2, 3)),
        (7, (1, 2, 3, 4, 5, 6, 7)),
        (10, (1, 2, 3, 4, 5, 6, 8, 10)),
        (12, (1, 2, 3, 4, 5, 6, 8, 10, 12)),
        (22, (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 22)),
    ],
)
def test_looks_are_after_whole_sweeps_and_the_last_one_at_the_end(
    planned: int, looks: tuple[int, ...]
) -> None:
    assert look_times(planned) == looks


@pytest.mark.parametrize("target", TARGETS)
def test_a_clear_drop_stops_the_run_early(target: Target) -> None:
    found = looked_at(-0.25, target=target)
    assert (found.result.verdict, found.stopped_early) == ("fail", True)
    assert found.samples == found.looks[-1].samples <= 3
    assert found.result.high is not None
    assert found.result.high < 0


@pytest.mark.parametrize("target", TARGETS)
def test_an_unchanged_version_passes_before_all_samples_are_there(target: Target) -> None:
    found = looked_at(n=500, target=target)
    assert (found.result.verdict, found.stopped_early) == ("pass", True)
    assert found.result.low is not None
    assert found.result.low > -0.05


def test_the_first_look_at_exactly_these_cases_takes_what_lies_between_them_as_noise() -> None:
    found = looked_at(-0.25, target="dataset", reached=1)
    such = looked_at(-0.25, reached=1)
    assert found.looks == such.looks
    assert (found.result.verdict, found.stopped_early) == ("fail", True)
    assert "the spread between cases as noise" in found.result.method
    later = looked_at(target="dataset", reached=2)
    assert "within cases" in later.result.method


def test_one_sample_a_case_says_nothing_of_exactly_these_cases_where_no_more_are_planned() -> None:
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.25))
    found = compare_in_looks(base, candidate, planned=1, reached=1, target="dataset")
    assert (found.result.verdict, found.looks) == ("cannot measure", ())
    assert (
        found.result.notes
        == compare_scores(
            *(one[one["sample"] < 1] for one in (base, candidate)), target="dataset"
        ).notes
    )


def test_a_stored_base_is_information_that_is_there_before_the_first_call() -> None:
    base, candidate = table(1, mixed(), k=10), table(2, mixed(change=-0.02))
    found = compare_in_looks(base, candidate, planned=10, reached=10, base_run="stored")
    # Equal noise in both: 1/10 + 1/K at a look, 1/10 + 1/10 in the end.
    expected = [0.2 / (0.1 + 1 / k) for k in look_times(10)]
    assert [look.time for look in found.looks] == pytest.approx(expected[: len(found.looks)])
    assert found.looks[0].level == pytest.approx(0.05 * expected[0], abs=1e-9)


def test_levels_of_all_looks_are_those_of_alpha_spent_as_calls_are() -> None:
    found = looked_at(-0.025)
    assert found.looks[0].level == pytest.approx(0.05 / 10, abs=1e-9)
    times = [look.time for look in found.looks]
    assert times == [k / 10 for k in look_times(10)][: len(times)]
    assert all(look.level < 0.05 for look in found.looks)
    assert found.result.alpha == found.looks[-1].level


def test_small_suites_are_tested_at_the_level_of_the_fixed_comparison() -> None:
    found = looked_at(-0.3, n=99, reached=1)
    assert found.looks[0].level == pytest.approx(0.04 / 10, abs=1e-9)


def test_the_same_samples_always_give_the_same_answer() -> None:
    assert looked_at(-0.1, reached=6) == looked_at(-0.1, reached=6)
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.1))
    shuffled = candidate.sample(frac=1, random_state=3)
    found = compare_in_looks(base, shuffled, planned=10, reached=10)
    assert found == compare_in_looks(base, candidate, planned=10, reached=10)


def test_a_look_judges_by_the_samples_of_its_sweeps_only() -> None:
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.02))
    later = candidate.assign(
        value=candidate["value"].where(candidate["sample"] < 2, 1 - candidate["value"])
    )
    for target in TARGETS:
        whole = [
            compare_in_looks(base, one, planned=10, reached=2, target=target)
            for one in (candidate, later)
        ]
        assert whole[0] == whole[1]


def test_a_single_look_is_the_fixed_comparison() -> None:
    base, candidate = table(1, mixed(), k=1), table(2, mixed(change=-0.1), k=1)
    found = compare_in_looks(base, candidate, planned=1, reached=1).result
    fixed = compare_scores(base, candidate)
    assert found.alpha == pytest.approx(fixed.alpha, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((fixed.low, fixed.high), abs=1e-6)
    assert found.p_worse_by_margin == fixed.p_worse_by_margin
    assert (found.verdict, found.samples_to_decide) == (fixed.verdict, fixed.samples_to_decide)


def test_the_interval_is_wider_than_that_of_a_fixed_run() -> None:
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.25))
    found = compare_in_looks(base, candidate, planned=10, reached=10)
    some = [one[one["sample"] < found.samples] for one in (base, candidate)]
    fixed = compare_scores(*some)
    assert found.result.delta == fixed.delta
    assert found.result.low is not None
    assert fixed.low is not None
    assert found.result.low < fixed.low


def test_a_stored_base_is_whole_at_every_look() -> None:
    base, candidate = table(1, mixed(), k=10), table(2, mixed(), k=2)
    alone = compare_in_looks(base, candidate, planned=10, reached=2, base_run="stored")
    both = compare_in_looks(base, candidate, planned=10, reached=2)
    assert alone.result.se is not None
    assert both.result.se is not None
    assert alone.result.se < both.result.se


@pytest.mark.parametrize("target", TARGETS)
def test_a_budget_that_ends_leaves_a_last_look_with_the_rest_of_alpha(target: Target) -> None:
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.04))
    cut = [one[(one["sample"] < 3) | (one["case"] < 100)] for one in (base, candidate)]
    cut = [one[one["sample"] < 4] for one in cut]
    going_on = compare_in_looks(*cut, planned=10, reached=3, target=target)
    closed = compare_in_looks(*cut, planned=10, reached=3, target=target, closed=True)
    assert going_on.result.verdict == "inconclusive"
    assert closed.looks[:-1] == going_on.looks
    assert closed.looks[-1].time == 1
    assert closed.looks[-1].level > going_on.looks[-1].level
    assert closed.looks[-1].delta == pytest.approx(compare_scores(*cut).delta)


def test_without_a_whole_sweep_there_is_nothing_to_look_at() -> None:
    found = looked_at(-0.3, reached=0)
    assert (found.result.verdict, found.looks) == ("cannot measure", ())


def test_equal_runs_do_not_look_certain_in_small_suites() -> None:
    rates = np.ones(20)
    base, candidate = table(1, rates), table(2, rates)
    for target in TARGETS:
        found = compare_in_looks(base, candidate, planned=10, reached=10, target=target)
        first = compare_in_looks(base, candidate, planned=10, reached=2, target=target)
        assert first.result.verdict == "inconclusive"
        if target == "population":
            assert found.result.verdict == "inconclusive"


def test_clusters_are_the_units() -> None:
    base = table(1, mixed(), clusters=40)
    found = compare_in_looks(base, table(2, mixed(change=-0.2)), planned=10, reached=10)
    assert found.result.n_clusters == 40
    assert found.looks[0].level == pytest.approx(0.04 / 10, abs=1e-9)


def test_superiority_passes_only_what_is_better() -> None:
    base, better = table(1, mixed()), table(2, np.clip(mixed() + 0.2, 0, 1))
    found = compare_in_looks(base, better, planned=10, reached=10, margin=0)
    assert (found.result.verdict, found.stopped_early) == ("pass", True)
    same = compare_in_looks(base, table(2, mixed()), planned=10, reached=10, margin=0)
    assert same.result.verdict == "inconclusive"


def test_what_would_decide_counts_only_the_candidates_samples_of_a_stored_base() -> None:
    base, candidate = table(1, mixed(60), k=40), table(2, mixed(60), k=3)
    found = compare_in_looks(
        base, candidate, planned=3, reached=3, base_run="stored", target="dataset", margin=0.03
    )
    assert found.result.verdict == "inconclusive"
    assert found.result.samples_to_decide is not None
    assert found.result.samples_to_decide > 3


def test_what_would_decide_a_drop_counts_the_metrics_that_share_alpha() -> None:
    base, candidate = table(1, mixed(80), k=3), table(2, mixed(80, change=-0.06), k=3)
    needs = []
    for metrics in (1, 3):
        found = compare_in_looks(
            base, candidate, planned=3, reached=3, target="dataset", margin=0.02, metrics=metrics
        )
        assert found.result.verdict == "inconclusive"
        assert found.result.delta is not None
        assert found.result.delta < -0.02
        assert found.result.samples_to_decide is not None
        needs.append(found.result.samples_to_decide)
    # The squares of z at .04 and at a third of it, each with z of 80% power: 6.7 and 9.4.
    assert needs[1] / needs[0] == pytest.approx(9.35 / 6.72, abs=0.1)


def test_what_would_decide_a_pass_does_not_count_the_other_metrics() -> None:
    base, candidate = table(1, mixed(80), k=2), table(2, mixed(80), k=2)
    needs = {
        compare_in_looks(
            base, candidate, planned=2, reached=2, target="dataset", margin=0.06, metrics=metrics
        ).result.samples_to_decide
        for metrics in (1, 5)
    }
    assert len(needs) == 1
    assert None not in needs


def test_a_drop_among_several_metrics_has_a_share_of_alpha_and_a_pass_all_of_it() -> None:
    base, candidate = table(1, mixed()), table(2, mixed(change=-0.03))
    alone = compare_in_looks(base, candidate, planned=1, reached=1, target="population").result
    among = compare_in_looks(base, candidate, planned=1, reached=1, metrics=3).result
    assert alone.p_not_worse is not None
    assert among.p_not_worse == pytest.approx(3 * alone.p_not_worse)
    assert (among.p_worse_by_margin, among.alpha) == (alone.p_worse_by_margin, alone.alpha)


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        compare_in_looks(table(1, mixed()), table(2, mixed()), planned=1, reached=1, margin=-1)
