from collections.abc import Callable
from random import Random

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from linenotes.evals.statistics import (
    BetaPrior,
    CaseClass,
    case_stability,
    changed_cases,
    fit_prior,
)

FloatArray = npt.NDArray[np.float64]
ScoreTable = Callable[..., pd.DataFrame]
UNIFORM = BetaPrior()


def samples(passed: int, of: int) -> list[int]:
    return [1] * passed + [0] * (of - passed)


def drawn(seed: int, rates: list[float], k: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    hits = rng.random((len(rates), k)) < np.asarray(rates)[:, None]
    found: list[list[float]] = hits.astype(float).tolist()
    return found


# --- Classes


def test_ten_passes_of_ten_are_unknown(score_table: ScoreTable) -> None:
    (found,) = case_stability(score_table([samples(10, 10)]), prior=UNIFORM)
    assert found.kind == "unknown"
    assert found.p_pass == pytest.approx(0.43, abs=0.005)  # 1 - .95**11
    assert found.p_pass == pytest.approx(1 - 0.95**11)
    assert found.more_samples == 34  # 1 - .95**45 > .9


@pytest.mark.parametrize(
    ("passed", "of", "kind"),
    [
        (44, 44, "stable pass"),
        (0, 44, "stable fail"),
        (0, 10, "unknown"),
        (5, 10, "flaky"),
        (9, 10, "unknown"),
        (27, 30, "flaky"),
    ],
)
def test_a_class_needs_nine_tenths_of_what_is_known(
    score_table: ScoreTable, passed: int, of: int, kind: CaseClass
) -> None:
    (found,) = case_stability(score_table([samples(passed, of)]), prior=UNIFORM)
    known = stats.beta(1 + passed, 1 + of - passed)
    assert found.kind == kind
    assert found.p_pass == pytest.approx(known.sf(0.95))
    assert found.p_fail == pytest.approx(known.cdf(0.05))
    assert found.p_flaky == pytest.approx(known.cdf(0.95) - known.cdf(0.05))


def test_an_unknown_case_says_how_many_more_samples_would_settle_it(
    score_table: ScoreTable,
) -> None:
    (found,) = case_stability(score_table([samples(9, 10)]), prior=UNIFORM)
    assert found.more_samples is not None
    more = found.more_samples

    def known(extra: int) -> float:
        passed = 9 + 0.9 * extra
        return float(stats.beta(1 + passed, 11 + extra - passed).cdf(0.95))

    assert known(more) >= 0.9 > known(more - 1)


def test_a_case_on_the_border_is_never_settled(score_table: ScoreTable) -> None:
    (found,) = case_stability(score_table([samples(19, 20)]), prior=UNIFORM)
    assert (found.kind, found.more_samples) == ("unknown", None)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_what_is_known_adds_up_and_knows_no_order(
    counts: list[tuple[int, int]], random: Random
) -> None:
    rows = [(f"c{i}", v) for i, (p, f) in enumerate(counts) for v in [1] * p + [0] * f]
    random.shuffle(rows)
    table = pd.DataFrame(rows, columns=["case", "value"])
    table["sample"] = range(len(table))
    found = case_stability(table)
    assert len(found) == table["case"].nunique()
    for one in found:
        assert one.p_pass + one.p_fail + one.p_flaky == pytest.approx(1)
        assert (one.kind == "unknown") == (max(one.p_pass, one.p_fail, one.p_flaky) < 0.9)
    again = case_stability(table.sort_values(["case", "value"]))
    assert [one.kind for one in again] == [one.kind for one in found]


def test_passes_and_failures_are_mirror_images(score_table: ScoreTable) -> None:
    cases = drawn(1, [0.5, 0.9, 0.99, 0.2, 1.0] * 4, 8)
    found = case_stability(score_table(cases))
    mirrored = case_stability(score_table([[1 - value for value in case] for case in cases]))
    assert [one.p_pass for one in found] == pytest.approx([one.p_fail for one in mirrored])


def test_numbers_have_no_classes(score_table: ScoreTable) -> None:
    with pytest.raises(ValueError, match="0 and 1"):
        case_stability(score_table([[0.5, 1]]))


def test_no_case_has_no_class(score_table: ScoreTable) -> None:
    assert case_stability(score_table([])) == ()


# --- The prior


def test_the_prior_is_that_of_the_beta_binomial_distribution(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    table = score_table(drawn(4, rng.beta(2, 0.8, 3000).tolist(), 6))
    counts = table.groupby("case")["value"].sum().to_numpy()

    def loss(logs: FloatArray) -> float:
        return -float(stats.betabinom.logpmf(counts, 6, *np.exp(logs)).sum())

    likeliest = np.exp(optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead").x)
    found = fit_prior(table)
    assert (found.passes, found.fails) == pytest.approx(tuple(likeliest), rel=0.01)
    assert (found.passes, found.fails) == pytest.approx((2, 0.8), rel=0.1)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("n", [1, 5])
def test_few_cases_that_all_agree_stay_unknown(score_table: ScoreTable, n: int, value: int) -> None:
    table = score_table([[value] * 10] * n)
    assert {one.kind for one in case_stability(table)} == {"unknown"}


def test_a_suite_that_always_passes_speaks_for_each_of_its_cases(score_table: ScoreTable) -> None:
    table = score_table([[1] * 10] * 50)
    assert {one.kind for one in case_stability(table)} == {"stable pass"}


def test_equal_cases_do_not_make_the_prior_a_point(score_table: ScoreTable) -> None:
    found = fit_prior(score_table([samples(9, 10)] * 200))
    assert found.passes + found.fails < 100
    assert found.passes / (found.passes + found.fails) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("rates", "k"),
    [
        ([0.5] * 20 + [0.999] * 30, 10),
        ([0.5] * 20 + [0.999] * 30, 20),
        ([0.5] * 10 + [0.001] * 10 + [0.999] * 30, 20),
        ([0.999] * 50, 10),
        ([0.9] * 50, 20),
    ],
)
def test_a_class_that_is_given_is_right_nine_times_in_ten(
    score_table: ScoreTable, rates: list[float], k: int
) -> None:
    truth = ["stable pass" if r > 0.95 else "stable fail" if r < 0.05 else "flaky" for r in rates]
    given_, right = 0, 0
    for seed in range(20):
        found = case_stability(score_table(drawn(seed, rates, k)))
        for one, true in zip(found, truth, strict=True):
            given_ += one.kind != "unknown"
            right += one.kind == true
    assert right >= 0.9 * given_
    assert given_ > 0.1 * 20 * len(rates)


# --- Newly flaky


def test_a_case_unlike_its_history_is_found_by_fishers_test(score_table: ScoreTable) -> None:
    history = score_table([samples(20, 20), samples(10, 20), samples(0, 20), samples(19, 20)])
    now = score_table([samples(5, 10), samples(4, 10), samples(4, 10), samples(9, 10)])
    found = changed_cases(history, now)
    raw = [
        stats.fisher_exact(np.array([[a, 20 - a], [b, 10 - b]])).pvalue
        for a, b in [(20, 5), (10, 4), (0, 4), (19, 9)]
    ]
    adjusted = multipletests(raw, method="fdr_bh")[1]
    assert [one.case for one in found] == ["case-00000", "case-00002"]
    assert [one.p for one in found] == pytest.approx([adjusted[0], adjusted[2]])
    assert (found[0].passed, found[0].samples) == (5, 10)
    assert (found[0].passed_before, found[0].samples_before) == (20, 20)


def test_only_cases_with_a_history_can_have_changed(score_table: ScoreTable) -> None:
    history = score_table([samples(20, 20)])
    now = score_table([samples(0, 9), samples(0, 9)])
    assert [one.case for one in changed_cases(history, now)] == ["case-00000"]
    assert changed_cases(score_table([]), now) == ()


def test_cases_that_stay_the_same_are_seldom_called_changed(score_table: ScoreTable) -> None:
    rates = np.random.default_rng(5).beta(0.8, 0.4, 40).tolist()
    alarms = [
        bool(
            changed_cases(
                score_table(drawn(2 * seed, rates, 15)), score_table(drawn(2 * seed + 1, rates, 5))
            )
        )
        for seed in range(100)
    ]
    assert sum(alarms) <= 10
