from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics import (
    Target,
    compare_jointly,
    compare_many,
    compare_scores,
    holm,
    holm_corrected,
)

ScoreTable = Callable[..., pd.DataFrame]


def run(score_table: ScoreTable, seed: int, rate: float, *, n: int = 60) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).random((n, 4)) < rate
    return score_table(drawn.astype(float).tolist())


def test_one_metric_of_one_candidate_is_a_plain_comparison(score_table: ScoreTable) -> None:
    base, candidate = run(score_table, 1, 0.6), run(score_table, 2, 0.7)
    found = compare_jointly({"m": base}, {"c": {"m": candidate}}, margins={"m": 0.05})
    assert found == {"c": {"m": compare_scores(base, candidate)}}


def test_one_metric_of_many_candidates_is_a_comparison_of_many(score_table: ScoreTable) -> None:
    base = run(score_table, 1, 0.7)
    others = {name: run(score_table, seed, 0.7) for seed, name in enumerate("abc", start=2)}
    found = compare_jointly(
        {"m": base}, {name: {"m": one} for name, one in others.items()}, margins={"m": 0.1}
    )
    assert {name: one["m"] for name, one in found.items()} == compare_many(base, others, margin=0.1)


def test_a_pass_needs_no_correction_for_the_number_of_metrics(score_table: ScoreTable) -> None:
    base, candidate = run(score_table, 1, 0.7), run(score_table, 2, 0.74)
    metrics = ("m", "g", "h")
    found = compare_jointly(
        dict.fromkeys(metrics, base),
        {"c": dict.fromkeys(metrics, candidate)},
        margins=dict.fromkeys(metrics, 0.05),
    )
    alone = compare_scores(base, candidate)
    assert {one.p_worse_by_margin for one in found["c"].values()} == {alone.p_worse_by_margin}
    assert {one.p_no_difference for one in found["c"].values()} == {alone.p_no_difference}


def test_a_drop_in_any_metric_is_corrected_for_their_number(score_table: ScoreTable) -> None:
    base = run(score_table, 1, 0.7)
    runs = {"m": run(score_table, 2, 0.6), "g": run(score_table, 3, 0.68)}
    found = compare_jointly({"m": base, "g": base}, {"c": runs}, margins={"m": 0.05, "g": 0.05})[
        "c"
    ]
    alone = {name: compare_scores(base, one).p_not_worse for name, one in runs.items()}
    assert [one.p_not_worse for one in found.values()] == holm([p or 0.0 for p in alone.values()])


def test_of_several_candidates_the_largest_p_value_of_each_is_corrected(
    score_table: ScoreTable,
) -> None:
    base = run(score_table, 1, 0.7)
    runs = {
        name: {"m": run(score_table, seed, 0.72), "g": run(score_table, seed + 5, 0.76)}
        for seed, name in ((2, "a"), (3, "b"))
    }
    found = compare_jointly({"m": base, "g": base}, runs, margins={"m": 0.1, "g": 0.1})
    largest = [
        max(compare_scores(base, one, margin=0.1).p_worse_by_margin or 0.0 for one in both.values())
        for both in runs.values()
    ]
    told = [max(one.p_worse_by_margin or 0.0 for one in both.values()) for both in found.values()]
    assert told == pytest.approx(holm(largest))


def test_what_cannot_be_measured_takes_no_part_in_the_correction(score_table: ScoreTable) -> None:
    base = run(score_table, 1, 0.7)
    nothing = score_table([]).astype({"value": float})
    found = compare_jointly(
        {"m": base, "g": base}, {"c": {"m": base, "g": nothing}}, margins={"m": 0.1, "g": 0.1}
    )["c"]
    assert found["g"].verdict == "cannot measure"
    assert found["m"] == compare_scores(base, base, margin=0.1)


def test_metrics_that_only_inform_are_corrected_two_sided(score_table: ScoreTable) -> None:
    base = run(score_table, 1, 0.7)
    found = [compare_scores(base, run(score_table, seed, 0.75)) for seed in (2, 3, 4)]
    nothing = compare_scores(base, score_table([]).astype({"value": float}))
    corrected = holm_corrected([found[0], nothing, *found[1:]])
    told = [one.p_no_difference for one in corrected if one.p_no_difference is not None]
    assert told == holm([one.p_no_difference or 0.0 for one in found])
    assert corrected[1] == nothing


@pytest.mark.slow
def test_an_unchanged_candidate_fails_one_of_three_metrics_no_more_than_nominally(
    score_table: ScoreTable,
) -> None:
    rng, metrics = np.random.default_rng(7), ("m", "g", "h")
    cases = [f"case-{i:03}" for i in range(100)]
    template = score_table([[0.0] * 3 for _ in cases])

    def drawn(rates: np.ndarray) -> pd.DataFrame:
        values = (rng.random((100, 3)) < rates[:, None]).astype(float)
        return template.assign(value=values.ravel())

    failed = plainly = 0
    for _ in range(800):
        rates = rng.beta(4, 1.5, (3, 100))
        base = {name: drawn(one) for name, one in zip(metrics, rates, strict=True)}
        candidate = {name: drawn(one) for name, one in zip(metrics, rates, strict=True)}
        margins = dict.fromkeys(metrics, 0.05)
        found = compare_jointly(base, {"c": candidate}, margins=margins)["c"]
        failed += any(one.is_worse for one in found.values())
        plainly += any(compare_scores(base[n], candidate[n]).is_worse for n in metrics)
    assert failed / 800 < 0.065
    assert plainly / 800 > 0.1


def test_a_family_shares_the_level_of_a_drop_and_nothing_else(score_table: ScoreTable) -> None:
    base, candidate = run(score_table, 1, 0.7), run(score_table, 2, 0.6)
    alone = compare_scores(base, candidate)
    one_of_five = compare_jointly(
        {"m": base}, {"c": {"m": candidate}}, margins={"m": 0.05}, family=5
    )["c"]["m"]
    assert one_of_five.p_not_worse == pytest.approx(5 * (alone.p_not_worse or 0.0))
    assert (one_of_five.alpha, one_of_five.drop_level) == (alone.alpha, alone.alpha / 5)
    assert one_of_five.p_worse_by_margin == alone.p_worse_by_margin
    assert one_of_five.p_no_difference == alone.p_no_difference
    assert (one_of_five.low, one_of_five.high) == (alone.low, alone.high)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["dataset", "population"])
def test_an_unchanged_agent_fails_any_of_five_gates_no_more_than_nominally(
    score_table: ScoreTable, target: Target
) -> None:
    sessions, gates, n = 800, 5, 120
    rng = np.random.default_rng(11)
    template = score_table([[0.0] * 4 for _ in range(n)])
    failed = each_by_itself = 0
    for _ in range(sessions):
        found = []
        for _ in range(gates):
            rates = rng.beta(4, 1.5, n)
            base, candidate = (
                template.assign(value=(rng.random((n, 4)) < rates[:, None]).ravel().astype(float))
                for _ in "ab"
            )
            compared = compare_jointly(
                {"m": base},
                {"c": {"m": candidate}},
                margins={"m": 0.05},
                target=target,
                family=gates,
            )
            found.append(compared["c"]["m"])
        failed += any(one.verdict == "fail" for one in found)
        each_by_itself += any((one.p_not_worse or 0.0) / gates < one.alpha for one in found)
    assert failed / sessions <= 0.065
    assert each_by_itself / sessions > 0.15
