from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import (  # type: ignore[import-untyped]
    StratifiedTable,
    mcnemar,
)
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from linenotes.evals.statistics import Target, compare_amounts, compare_many, compare_scores

ScoreTable = Callable[..., pd.DataFrame]
TARGETS: list[Target] = ["population", "dataset"]


def table_of_changes(
    score_table: ScoreTable, *, both: int, lost: int, won: int, neither: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    base = [[1]] * both + [[1]] * lost + [[0]] * won + [[0]] * neither
    candidate = [[1]] * both + [[0]] * lost + [[1]] * won + [[0]] * neither
    return score_table(base), score_table(candidate)


def random_run(seed: int, n: int, k: int, rate: float) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    rates = rng.beta(rate * 1.5, (1 - rate) * 1.5, n)
    drawn: list[list[float]] = (rng.random((n, k)) < rates[:, None]).astype(float).tolist()
    return drawn


# --- Published numbers


def test_aime_difference_error_and_exact_test(score_table: ScoreTable) -> None:
    # AIME II 2025, 15 problems of 4 runs: .1333, SE .0726, exact p .10938. The per-problem
    # changes are those that the three published figures imply: 4, five times 1, and -1 quarters.
    changes = [4, 1, 1, 1, 1, 1, -1] + [0] * 8
    base = [[1.0] * (4 - max(0, change)) + [0.0] * max(0, change) for change in changes]
    candidate = [[1.0] * (4 - max(0, -change)) + [0.0] * max(0, -change) for change in changes]
    found = compare_scores(score_table(base), score_table(candidate))
    assert found.delta == pytest.approx(0.1333, abs=5e-5)
    assert found.se == pytest.approx(0.0726, abs=5e-5)
    assert found.p_no_difference == 7 / 64  # .109375
    assert (found.improved, found.worsened, found.unchanged) == (6, 1, 8)


def test_mcnemar_of_ten_changed_cases(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=15, lost=1, won=9, neither=15))
    assert found.p_no_difference == pytest.approx(0.021484, abs=5e-7)
    assert found.odds_ratio == 9
    assert "exact McNemar" in found.method


def test_mcnemar_of_many_changed_cases(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=794, lost=86, won=150, neither=570))
    approximate = mcnemar([[794, 86], [150, 570]], exact=False, correction=False)
    assert approximate.statistic == pytest.approx(17.3559, abs=5e-5)
    assert approximate.pvalue == pytest.approx(3.099e-5, rel=1e-3)
    exact = mcnemar([[794, 86], [150, 570]], exact=True)
    assert found.p_no_difference == pytest.approx(exact.pvalue, rel=1e-9)
    assert (found.improved, found.worsened) == (150, 86)


def test_single_samples_get_the_interval_of_bonett_and_price(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=40, lost=4, won=12, neither=44))
    low, high, n = found.low, found.high, 102
    lost, won = 5 / n, 13 / n
    half = 1.98422 * ((lost + won - (won - lost) ** 2) / (n - 1)) ** 0.5
    assert (low, high) == pytest.approx((won - lost - half, won - lost + half), abs=1e-5)


# --- Nothing changed


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n", [12, 60, 200])
def test_a_run_against_itself_differs_by_exactly_nothing(
    score_table: ScoreTable, n: int, target: Target
) -> None:
    run = score_table(random_run(1, n, 3, 0.8))
    found = compare_scores(run, run, target=target)
    assert found.delta == 0
    assert found.p_no_difference == 1
    assert found.shown is None
    assert (found.improved, found.worsened, found.unchanged) == (0, 0, n)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_equal_runs_pass_only_when_enough_cases_could_have_failed(score_table: ScoreTable) -> None:
    verdicts = {n: compare_scores(*[score_table([[1]] * n)] * 2) for n in (20, 62, 63)}
    assert {n: found.verdict for n, found in verdicts.items()} == {
        20: "inconclusive",
        62: "inconclusive",
        63: "pass",
    }
    assert verdicts[20].p_worse_by_margin == pytest.approx(0.95**20)
    assert verdicts[20].cases_to_decide == 63
    assert verdicts[20].samples_to_decide is None


def test_no_loss_in_twenty_cases_has_the_bound_of_clopper_and_pearson(
    score_table: ScoreTable,
) -> None:
    found = compare_scores(*[score_table([[1]] * 20)] * 2)
    assert (found.low, found.high) == pytest.approx((-0.1684, 0.1684), abs=5e-5)


def test_numbers_that_never_change_are_measured_against_their_span(score_table: ScoreTable) -> None:
    run = score_table([[200.0], [250.0]] * 10)
    assert compare_scores(run, run, margin=5).verdict == "inconclusive"
    assert compare_scores(run, run, margin=100).verdict == "pass"


# --- Verdicts


def test_a_large_drop_fails(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=30, lost=15, won=1, neither=4))
    assert found.verdict == "fail"
    assert found.shown == "worse"


def test_a_gain_passes_also_as_superiority(score_table: ScoreTable) -> None:
    base, candidate = table_of_changes(score_table, both=30, lost=1, won=15, neither=4)
    assert compare_scores(base, candidate).verdict == "pass"
    better = compare_scores(base, candidate, margin=0)
    assert better.verdict == "pass"
    assert better.shown == "better"


def test_an_equal_run_is_not_superior(score_table: ScoreTable) -> None:
    run = score_table(random_run(2, 300, 5, 0.8))
    assert compare_scores(run, run).verdict == "pass"
    assert compare_scores(run, run, margin=0).verdict == "inconclusive"


def test_worse_by_less_than_the_margin_passes_and_says_so(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=1979, lost=20, won=1, neither=0))
    assert found.verdict == "pass"
    assert found.shown == "worse"
    assert found.is_worse


def test_small_suites_are_tested_at_a_stricter_level(score_table: ScoreTable) -> None:
    runs = {n: score_table(random_run(3, n, 2, 0.7)) for n in (99, 100)}
    assert {n: compare_scores(run, run).alpha for n, run in runs.items()} == {99: 0.04, 100: 0.05}


def test_an_inconclusive_comparison_says_what_would_decide(score_table: ScoreTable) -> None:
    base, candidate = random_run(4, 60, 3, 0.7), random_run(5, 60, 3, 0.7)
    rng = np.random.default_rng(6)
    candidate = [(rng.random(3) < np.mean(values)).astype(float).tolist() for values in base]
    found = compare_scores(score_table(base), score_table(candidate), margin=0.03)
    assert found.verdict == "inconclusive"
    assert found.cases_to_decide is not None
    assert found.samples_to_decide is not None
    assert found.cases_to_decide > 60
    assert found.samples_to_decide > 3


def test_cases_to_decide_do_decide(score_table: ScoreTable) -> None:
    base, candidate = random_run(7, 50, 2, 0.6), random_run(8, 50, 2, 0.6)
    first = compare_scores(score_table(base), score_table(candidate))
    assert first.verdict == "inconclusive"
    assert first.cases_to_decide is not None
    times = -(-first.cases_to_decide // 50)
    again = compare_scores(score_table(base * times), score_table(candidate * times))
    assert again.delta == pytest.approx(first.delta)
    assert again.verdict in {"pass", "fail"}


def test_cases_to_decide_do_decide_where_hardly_any_case_changed(score_table: ScoreTable) -> None:
    steady, unsteady = [1.0] * 5, [1.0] * 4 + [0.0]
    base = [unsteady, steady] + [steady] * 18
    candidate = [steady, unsteady] + [steady] * 18
    first = compare_scores(score_table(base), score_table(candidate))
    assert (first.verdict, first.cases_to_decide) == ("inconclusive", 46)
    more = [steady] * 26
    again = compare_scores(score_table(base + more), score_table(candidate + more))
    assert again.verdict == "pass"


def test_samples_to_decide_do_decide_where_nothing_ever_failed(score_table: ScoreTable) -> None:
    runs = {k: score_table([[1.0] * k] * 10) for k in (2, 3, 8)}
    found = {k: compare_scores(run, run, target="dataset") for k, run in runs.items()}
    assert found[2].samples_to_decide == 8
    assert {k: one.verdict for k, one in found.items()} == {
        2: "inconclusive",
        3: "inconclusive",
        8: "pass",
    }


def test_more_samples_cannot_help_where_cases_truly_differ(score_table: ScoreTable) -> None:
    base = [[1.0] * 8, [0.0] * 8] * 20
    candidate = [[1.0] * 8, [0.0] * 8] * 16 + [[0.0] * 8, [1.0] * 8] * 4
    candidate[0] = [1.0] * 7 + [0.0]
    found = compare_scores(score_table(base), score_table(candidate))
    assert found.verdict == "inconclusive"
    assert found.samples_to_decide is None
    assert "More samples cannot help: add cases." in found.notes


def test_a_fixed_dataset_asks_for_samples_not_cases(score_table: ScoreTable) -> None:
    base, candidate = random_run(9, 40, 3, 0.7), random_run(9, 40, 3, 0.7)
    candidate[0] = [1 - value for value in candidate[0]]
    found = compare_scores(score_table(base), score_table(candidate), target="dataset", margin=0.02)
    assert found.verdict == "inconclusive"
    assert found.cases_to_decide is None
    assert found.samples_to_decide is not None
    assert found.samples_to_decide > 3


def test_single_samples_cannot_say_whether_more_help(score_table: ScoreTable) -> None:
    found = compare_scores(*table_of_changes(score_table, both=30, lost=4, won=4, neither=6))
    assert found.samples_to_decide is None
    assert found.cases_to_decide is not None
    assert "With one sample a case" in found.notes[-1]


# --- What cannot be measured


def test_no_common_case_cannot_be_measured(score_table: ScoreTable) -> None:
    base, candidate = score_table([[1], [0]]), score_table([[1], [0]])
    candidate["case"] = ["other-1", "other-2"]
    found = compare_scores(base, candidate)
    assert found.verdict == "cannot measure"
    assert found.delta is None
    assert found.only_in_base == ("case-00000", "case-00001")
    assert found.only_in_candidate == ("other-1", "other-2")


def test_the_dataset_target_needs_repeats_in_both_runs(score_table: ScoreTable) -> None:
    single, several = score_table([[1], [0]]), score_table([[1, 1], [0, 1]])
    found = compare_scores(single, several, target="dataset")
    assert found.verdict == "cannot measure"
    assert found.delta == 0.25
    assert found.low is None
    assert "take 2 or more" in found.notes[0]


def test_one_cluster_cannot_be_measured(score_table: ScoreTable) -> None:
    run = score_table([[1], [0]], clusters=["a", "a"])
    assert compare_scores(run, run).notes == ("One cluster says nothing about other clusters.",)


def test_an_empty_run_cannot_be_measured(score_table: ScoreTable) -> None:
    found = compare_scores(score_table([]), score_table([[1]]))
    assert found.verdict == "cannot measure"


def test_a_negative_margin_is_refused(score_table: ScoreTable) -> None:
    with pytest.raises(ValueError, match=r"margin -0\.05 is negative"):
        compare_scores(score_table([[1]]), score_table([[1]]), margin=-0.05)


# --- Pairing, clusters, weights, numbers


def test_only_common_cases_count(score_table: ScoreTable) -> None:
    base = score_table([[1], [1], [0]])
    found = compare_scores(base, base.iloc[:2].assign(value=[0.0, 1.0]))
    assert (found.n_cases, found.delta) == (2, -0.5)
    assert (found.base_mean, found.candidate_mean) == (1.0, 0.5)
    assert found.only_in_base == ("case-00002",)


def test_cases_may_have_unequal_numbers_of_samples(score_table: ScoreTable) -> None:
    found = compare_scores(score_table([[1, 0, 1, 0], [1]]), score_table([[1], [1, 0]]))
    assert found.delta == pytest.approx((0.5 - 0.5) / 2)


def test_clusters_widen_the_interval_when_their_cases_move_together(
    score_table: ScoreTable,
) -> None:
    base, candidate = random_run(10, 120, 3, 0.7), random_run(11, 40, 3, 0.7)
    together = [values for values in candidate for _ in range(3)]
    clusters = [i // 3 for i in range(120)]
    base = [values for values in base[:40] for _ in range(3)]
    plain = compare_scores(score_table(base), score_table(together))
    clustered = compare_scores(
        score_table(base, clusters=clusters), score_table(together, clusters=clusters)
    )
    assert clustered.method == "cluster t"
    assert clustered.n_clusters == 40
    declared_since = compare_scores(score_table(base), score_table(together, clusters=clusters))
    assert declared_since == clustered
    assert plain.se is not None
    assert clustered.se == pytest.approx(plain.se * 3**0.5, rel=0.02)


def test_few_clusters_are_flipped_whole(score_table: ScoreTable) -> None:
    base, changes = [[0.0]] * 30, [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    candidate = [[change] for change in changes for _ in range(5)]
    clusters = [i // 5 for i in range(30)]
    found = compare_scores(
        score_table(base, clusters=clusters), score_table(candidate, clusters=clusters)
    )
    assert found.method == "few clusters: wild cluster flips"
    assert found.p_no_difference == 2 / 2**5


def test_weights_move_the_mean(score_table: ScoreTable) -> None:
    base = score_table([[0], [0]], weights=[3, 1])
    assert compare_scores(base, score_table([[1], [0]])).delta == 0.75


def test_numbers_are_compared_in_their_own_unit(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(12)
    base = rng.normal(100, 20, (80, 3))
    candidate = base + rng.normal(-10, 2, (80, 3))
    found = compare_scores(score_table(base.tolist()), score_table(candidate.tolist()), margin=20)
    assert found.verdict == "pass"
    assert found.odds_ratio is None
    strict = compare_scores(score_table(base.tolist()), score_table(candidate.tolist()), margin=5)
    assert strict.verdict == "fail"


def test_the_dataset_target_ignores_what_differs_between_cases(score_table: ScoreTable) -> None:
    base = [[1.0] * 5, [0.0] * 5] * 20
    candidate = [[0.0] * 5, [1.0] * 5] * 20
    dataset = compare_scores(score_table(base), score_table(candidate), target="dataset")
    population = compare_scores(score_table(base), score_table(candidate))
    assert dataset.verdict == "pass"
    assert population.verdict == "inconclusive"


def test_the_sharp_null_is_tested_with_the_case_as_stratum(score_table: ScoreTable) -> None:
    base, candidate = random_run(13, 40, 5, 0.8), random_run(14, 40, 5, 0.6)
    found = compare_scores(score_table(base), score_table(candidate), target="dataset")
    counts = [
        [[sum(new), 5 - sum(new)], [sum(old), 5 - sum(old)]]
        for old, new in zip(base, candidate, strict=True)
        if 0 < sum(old) + sum(new) < 10
    ]
    oracle = StratifiedTable([np.asarray(count, dtype=float) for count in counts])
    assert found.p_no_difference == pytest.approx(oracle.test_null_odds().pvalue, rel=1e-9)
    assert found.odds_ratio == pytest.approx(oracle.oddsratio_pooled)


def test_every_comparison_says_what_it_could_detect(score_table: ScoreTable) -> None:
    base, candidate = random_run(15, 400, 3, 0.7), random_run(16, 400, 3, 0.7)
    found = compare_scores(score_table(base), score_table(candidate))
    assert found.se is not None
    assert found.detectable_change == pytest.approx((1.959964 + 0.841621) * found.se, rel=0.01)


# --- Several candidates


def test_several_candidates_share_the_correction_of_holm(score_table: ScoreTable) -> None:
    base = random_run(17, 150, 3, 0.6)
    runs = {f"v{i}": score_table(random_run(17 + i, 150, 3, 0.55 + 0.04 * i)) for i in (1, 2, 3)}
    table = score_table(base)
    alone = {name: compare_scores(table, run) for name, run in runs.items()}
    together = compare_many(table, runs)
    for key in ("p_no_difference", "p_worse_by_margin", "p_not_worse"):
        expected = multipletests([getattr(alone[name], key) for name in runs], method="holm")[1]
        assert [getattr(together[name], key) for name in runs] == pytest.approx(list(expected))
    assert all(found.compared_with_base == 3 for found in together.values())
    assert [found.low for found in together.values()] == [alone[name].low for name in runs]


def test_the_correction_can_take_a_verdict_back(score_table: ScoreTable) -> None:
    base, candidate = table_of_changes(score_table, both=60, lost=14, won=5, neither=40)
    assert compare_scores(base, candidate).verdict == "fail"
    found = compare_many(base, {"v2": candidate, "v3": base, "v4": base})["v2"]
    assert found.verdict == "inconclusive"
    assert found.cases_to_decide is not None


def test_one_candidate_needs_no_correction(score_table: ScoreTable) -> None:
    base, candidate = table_of_changes(score_table, both=40, lost=5, won=9, neither=9)
    assert compare_many(base, {"v2": candidate}) == {"v2": compare_scores(base, candidate)}


def test_what_cannot_be_measured_takes_no_part_in_the_correction(score_table: ScoreTable) -> None:
    base, candidate = table_of_changes(score_table, both=40, lost=5, won=9, neither=9)
    other = candidate.assign(case="elsewhere-" + candidate["case"])
    found = compare_many(base, {"v2": candidate, "other": other})
    assert found["v2"] == compare_scores(base, candidate)
    assert found["other"].verdict == "cannot measure"


# --- Properties

runs = st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4), min_size=2)


@given(runs, st.data())
@settings(max_examples=60, deadline=None)
def test_swapping_the_runs_mirrors_the_result(
    score_table: ScoreTable, base: list[list[float]], data: st.DataObject
) -> None:
    size = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4)
    candidate = data.draw(st.lists(size, min_size=len(base), max_size=len(base)))
    there = compare_scores(score_table(base), score_table(candidate))
    back = compare_scores(score_table(candidate), score_table(base))
    assert there.delta == -(back.delta or 0.0)
    assert there.p_no_difference == pytest.approx(back.p_no_difference)
    assert (there.improved, there.worsened) == (back.worsened, back.improved)
    if there.low is not None and not 18 < len(base) < 30:  # drawn flips are not mirrored
        assert there.low == pytest.approx(-(back.high or 0.0), abs=1e-9)


@given(runs)
@settings(max_examples=60, deadline=None)
def test_a_run_never_differs_from_its_own_copy(
    score_table: ScoreTable, run: list[list[float]]
) -> None:
    found = compare_scores(score_table(run), score_table([values[::-1] for values in run]))
    assert found.delta == 0
    assert found.verdict != "fail"
    assert found.shown is None


@given(st.floats(0.1, 1000))
@settings(max_examples=20, deadline=None)
def test_a_change_of_unit_changes_no_test(score_table: ScoreTable, scale: float) -> None:
    rng = np.random.default_rng(18)
    base, candidate = rng.normal(5, 1, (35, 2)), rng.normal(5.1, 1, (35, 2))
    plain = compare_scores(score_table(base.tolist()), score_table(candidate.tolist()), margin=0.3)
    scaled = compare_scores(
        score_table((scale * base).tolist()),
        score_table((scale * candidate).tolist()),
        margin=0.3 * scale,
    )
    assert plain.delta is not None
    assert scaled.delta == pytest.approx(scale * plain.delta)
    assert scaled.p_worse_by_margin == pytest.approx(plain.p_worse_by_margin)
    assert scaled.p_no_difference == pytest.approx(plain.p_no_difference)


def test_these_cases_without_any_noise_are_compared_without_a_warning() -> None:
    same = pd.DataFrame(
        [{"case": f"c{i}", "sample": k, "value": 1.0} for i in range(20) for k in range(3)]
    )
    found = compare_scores(same, same, target="dataset")
    assert found.delta == 0
    assert found.p_no_difference == 1.0


@pytest.mark.parametrize("target", TARGETS)
def test_changes_that_cancel_out_show_nothing_to_be_better(
    score_table: ScoreTable, target: Target
) -> None:
    base, candidate = [[1, 1], [0, 1]] * 20, [[0, 1], [1, 1]] * 20
    found = compare_scores(score_table(base), score_table(candidate), target=target, margin=0)
    assert (found.delta, found.verdict) == (0, "inconclusive")
    assert (found.cases_to_decide, found.samples_to_decide) == (None, None)


# --- Amounts


def test_seconds_and_milliseconds_say_the_same(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    base, candidate = rng.gamma(4, 0.1, (40, 3)), rng.gamma(4, 0.12, (40, 3))
    candidate[:12] = base[:12]
    seconds = compare_amounts(score_table(base.tolist()), score_table(candidate.tolist()))
    milliseconds = compare_amounts(
        score_table((1000 * base).tolist()), score_table((1000 * candidate).tolist())
    )
    assert seconds.unchanged == 12
    assert seconds.delta is not None
    assert milliseconds.delta == pytest.approx(1000 * seconds.delta)
    assert (milliseconds.low, milliseconds.high) == pytest.approx(
        (1000 * (seconds.low or 0), 1000 * (seconds.high or 0))
    )
    assert milliseconds.p_no_difference == pytest.approx(seconds.p_no_difference)


def test_a_change_in_amounts_is_tested_like_paired_means(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(4)
    base, candidate = rng.gamma(4, 0.001, (60, 3)), rng.gamma(4, 0.0012, (60, 3))
    found = compare_amounts(score_table(base.tolist()), score_table(candidate.tolist()))
    changes = candidate.mean(axis=1) - base.mean(axis=1)
    assert found.delta == pytest.approx(changes.mean())
    assert found.se == pytest.approx(changes.std(ddof=1) / 60**0.5)
    assert found.p_no_difference == pytest.approx(ttest_1samp(changes, 0).pvalue, rel=0.2)
    assert found.odds_ratio is None
