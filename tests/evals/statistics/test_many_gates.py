from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from linenotes.evals.statistics import Target, compare_in_looks
from linenotes.evals.statistics._many_gates import ManyGates, many_gates
from linenotes.evals.statistics._splits import Splits
from linenotes.evals.statistics._tables import read_scores

Values = npt.NDArray[np.float64]
Ended = list[tuple[str, int]]
ScoreTable = Callable[..., pd.DataFrame]
TARGETS: list[Target] = ["population", "dataset"]
PAIRS = 6
ALPHA = {True: 0.04, False: 0.05}


def rates(rng: np.random.Generator, n: int, k: int) -> Values:
    true = rng.beta(0.8, 0.5, n)
    return (rng.random((2 * PAIRS, n, k)) < true[:, None]).astype(float)


def graded(rng: np.random.Generator, n: int, k: int) -> Values:
    return np.asarray(rng.beta(2, 1, n)[:, None] * rng.random((2 * PAIRS, n, k)))


def numbers(rng: np.random.Generator, n: int, k: int) -> Values:
    return np.asarray(rng.normal(3, 1, n)[:, None] + rng.normal(0, 0.4, (2 * PAIRS, n, k)))


def quiet(rng: np.random.Generator, n: int, k: int) -> Values:
    """Little or nothing changes."""
    return np.ones((2 * PAIRS, n, k)) - (rng.random((2 * PAIRS, n, k)) < 0.02)


DESIGNS: list[tuple[int, int, dict[str, Any]]] = [
    (50, 2, {}),
    (110, 6, {"margin": 0.03}),
    (12, 4, {}),
    (24, 3, {}),
    (60, 4, {"margin": 0.0}),
    (60, 3, {"clusters": True}),
    (40, 5, {"weights": True}),
    (45, 4, {"fewer": True}),
    (40, 1, {}),
]
MEASURABLE = [
    (target, *design)
    for target in TARGETS
    for design in DESIGNS
    if target != "dataset" or design[1] > 1
]


def put(rng: np.random.Generator, values: Values, fewer: npt.NDArray[np.intp]) -> Splits:
    """Put samples into two runs, the later pairs with a larger drop."""
    drops = np.linspace(0, 0.4, PAIRS)[:, None, None]
    there = np.arange(values.shape[2]) < fewer[:, None]
    base, candidate = (arm * there for arm in (values[:PAIRS], values[PAIRS:]))
    candidate = np.where(rng.random(base.shape) < drops, 0, candidate)
    return Splits(base, candidate, fewer.astype(float))


def rows(score_table: ScoreTable, arm: Values, samples: Values, **more: object) -> pd.DataFrame:
    cases = [values[:k] for values, k in zip(arm, samples.astype(int), strict=True)]
    return score_table(cases, **more)


def one_by_one(
    score_table: ScoreTable, runs: Splits, target: Target, margin: float, more: dict[str, Any]
) -> Ended:
    planned = int(runs.samples.max())
    found: Ended = []
    for base, candidate in zip(runs.base, runs.candidate, strict=True):
        tables = (rows(score_table, arm, runs.samples, **more) for arm in (base, candidate))
        one = compare_in_looks(
            *tables, planned=planned, reached=planned, target=target, margin=margin
        )
        found.append((one.result.verdict, one.samples))
    return found


def together(gates: ManyGates, planned: int) -> Ended:
    ended = gates.endings()
    verdicts = np.where(ended.passed, "pass", np.where(ended.failed, "fail", "inconclusive"))
    samples = np.rint(gates.times[ended.looks] * planned).astype(int)
    assert (gates.failed() == ended.failed).all()
    return list(zip(verdicts.tolist(), samples.tolist(), strict=True))


@pytest.mark.parametrize("draw", [rates, graded, numbers, quiet])
@pytest.mark.parametrize(("target", "n", "k", "columns"), MEASURABLE)
def test_every_gate_ends_as_one_that_is_carried_out_alone(
    score_table: ScoreTable,
    draw: Callable[..., Values],
    target: Target,
    n: int,
    k: int,
    columns: dict[str, Any],
) -> None:
    rng, margin = np.random.default_rng(n + k), columns.get("margin", 0.05)
    more: dict[str, Any] = {}
    if columns.get("clusters"):
        more["clusters"] = np.arange(n) // 2
    if columns.get("weights"):
        more["weights"] = rng.integers(1, 4, n)
    fewer = rng.integers(2, k + 1, n) if columns.get("fewer") else np.full(n, k)
    runs = put(rng, draw(rng, n, k), fewer)
    whole = np.concatenate((runs.base, runs.candidate)).swapaxes(0, 1).reshape(n, -1)
    table = read_scores(score_table(whole, **more))
    units = n if table.n_clusters is None else table.n_clusters
    gates = many_gates(runs, table, target=target, margin=margin, alpha=ALPHA[units < 100])
    found = together(gates, k)
    assert found == one_by_one(score_table, runs, target, margin, more)


def test_gates_of_some_suite_end_in_every_way_and_at_every_look(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(1)
    arms = (rng.random((2, 200, 60, 6)) < rng.beta(0.8, 0.5, 60)[:, None]).astype(float)
    runs = Splits(arms[0], arms[1] * (rng.random((200, 1, 1)) > 0.1), np.full(60, 6.0))
    table = read_scores(score_table([[0, 1]] * 60))
    for target in TARGETS:
        gates = many_gates(runs, table, target=target, margin=0.05, alpha=0.04)
        found = together(gates, 6)
        assert {verdict for verdict, _ in found} == {"pass", "fail", "inconclusive"}
        assert {samples for _, samples in found} == {1, 2, 3, 4, 5, 6}


def test_a_comparison_by_all_samples_at_once_has_all_of_alpha(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(2)
    runs = put(rng, rates(rng, 60, 4), np.full(60, 4))
    table = read_scores(score_table([[0, 1]] * 60))
    for target in TARGETS:
        gates = many_gates(runs, table, target=target, margin=0.05, alpha=0.04)
        last = gates.looks[-1]
        p_pass, p_fail = last.p_worse_by(0.05), last.p_not_worse()
        ended = gates.at_once.endings()
        assert (ended.passed == (p_pass < 0.04)).all()
        assert (ended.failed == ((p_fail < 0.04) & (p_pass >= 0.04))).all()
