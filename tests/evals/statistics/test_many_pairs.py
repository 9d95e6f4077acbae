from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from linenotes.evals.statistics import Target, compare_scores
from linenotes.evals.statistics._many_pairs import many_pairs
from linenotes.evals.statistics._splits import Splits
from linenotes.evals.statistics._tables import read_scores

Values = npt.NDArray[np.float64]
ScoreTable = Callable[..., pd.DataFrame]
TARGETS: list[Target] = ["population", "dataset"]
PAIRS = 25


def rates(rng: np.random.Generator, n: int, k: int) -> Values:
    true = rng.beta(0.8, 0.5, n)
    return (rng.random((PAIRS, n, k)) < true[:, None]).astype(float)


def graded(rng: np.random.Generator, n: int, k: int) -> Values:
    return np.asarray(rng.beta(2, 1, n)[:, None] * rng.random((PAIRS, n, k)))


def numbers(rng: np.random.Generator, n: int, k: int) -> Values:
    return np.asarray(rng.normal(3, 1, n)[:, None] + rng.normal(0, 0.4, (PAIRS, n, k)))


def quiet(rng: np.random.Generator, n: int, k: int) -> Values:
    """Little or nothing changes."""
    return np.ones((PAIRS, n, k)) - (rng.random((PAIRS, n, k)) < 0.02)


def splits(base: Values, candidate: Values) -> Splits:
    return Splits(base, candidate, np.full(base.shape[1], float(base.shape[2])))


DESIGNS: list[tuple[int, int, dict[str, float]]] = [
    (50, 2, {}),
    (50, 1, {}),
    (110, 3, {}),
    (12, 2, {}),
    (60, 2, {"margin": 0.0}),
    (10, 2, {"margin": 0.0}),
    (9, 1, {}),
    (24, 2, {}),
    (60, 2, {"clusters": True}),
    (30, 3, {"clusters": True}),
    (40, 2, {"weights": True}),
    (14, 3, {"weights": True}),
]
MEASURABLE = [
    (target, *design)
    for target in TARGETS
    for design in DESIGNS
    if target != "dataset" or design[1] > 1
]


@pytest.mark.parametrize("draw", [rates, graded, numbers, quiet])
@pytest.mark.parametrize(("target", "n", "k", "columns"), MEASURABLE)
def test_every_p_value_is_that_of_one_comparison_at_a_time(
    score_table: ScoreTable,
    draw: Callable[..., Values],
    target: Target,
    n: int,
    k: int,
    columns: dict[str, float],
) -> None:
    rng, margin = np.random.default_rng(n + k), columns.get("margin", 0.05)
    more: dict[str, Any] = {}
    if columns.get("clusters"):
        more["clusters"] = np.arange(n) // (2 if n > 50 else 4)
    if columns.get("weights"):
        more["weights"] = rng.integers(1, 4, n)
    base = draw(rng, n, k)
    drops = np.linspace(0, 0.4, PAIRS)[:, None, None]
    candidate = np.where(rng.random(base.shape) < drops, 0, draw(np.random.default_rng(1), n, k))
    candidate = candidate[:, np.arange(n)]
    whole = np.concatenate((base, candidate)).swapaxes(0, 1).reshape(n, -1)
    pairs = many_pairs(splits(base, candidate), read_scores(score_table(whole, **more)), target)
    one_by_one = [
        compare_scores(
            score_table(base[i], **more),
            score_table(candidate[i], **more),
            target=target,
            margin=margin,
        )
        for i in range(PAIRS)
    ]
    for found, wanted in (
        (pairs.p_not_worse(), [one.p_not_worse for one in one_by_one]),
        (pairs.p_worse_by(margin), [one.p_worse_by_margin for one in one_by_one]),
    ):
        assert found == pytest.approx(np.array(wanted), rel=1e-9, abs=1e-12)


def test_p_values_that_do_not_matter_may_be_given_as_1(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(4)
    runs = splits(rates(rng, 12, 2), rates(rng, 12, 2))
    table = read_scores(score_table([[0, 1]] * 12))
    exact, quick = (many_pairs(runs, table, "population", most=most) for most in (1.0, 0.05))
    small = exact.p_not_worse() <= 0.05
    assert (quick.p_not_worse()[small] == exact.p_not_worse()[small]).all()
    assert (quick.p_not_worse() >= exact.p_not_worse()).all()


def test_exchanged_pairs_fail_where_the_others_are_better(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(2)
    base, candidate = rates(rng, 40, 2), rates(rng, 40, 2)
    table = read_scores(score_table([[0, 1]] * 40))
    for target in TARGETS:
        there = many_pairs(splits(base, candidate), table, target).mirrored()
        back = many_pairs(splits(candidate, base), table, target)
        assert there.p_not_worse() == pytest.approx(back.p_not_worse())
        assert there.p_not_worse().min() < 0.3


def test_pairs_can_be_put_together_of_other_units(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(3)
    pairs = many_pairs(
        splits(rates(rng, 40, 2), rates(rng, 40, 2)),
        read_scores(score_table([[0, 1]] * 40)),
        "population",
    )
    same = pairs.drawn(np.arange(PAIRS)[:, None].repeat(40, 1), np.tile(np.arange(40), (PAIRS, 1)))
    assert same.p_not_worse() == pytest.approx(pairs.p_not_worse())
    shuffled = pairs.drawn(
        np.arange(PAIRS)[:, None].repeat(40, 1), np.tile(np.arange(40)[::-1], (PAIRS, 1))
    )
    assert shuffled.p_not_worse() == pytest.approx(pairs.p_not_worse())
