"""The promises about error rates, simulated through the public door with fixed seeds."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from linenotes.evals.statistics import Comparison, Target, compare_scores, estimate

pytestmark = pytest.mark.slow

SIMULATIONS = 2000
MARGIN = 0.05
Rates = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Rates]


def beta(rng: np.random.Generator, mean: Rates | float, icc: float, n: int) -> Rates:
    strength = (1 - icc) / icc
    return rng.beta(np.maximum(mean * strength, 1e-9), np.maximum((1 - mean) * strength, 1e-9), n)


def table(rng: np.random.Generator, rates: Rates, k: int, clusters: Rates | None) -> pd.DataFrame:
    columns = {
        "case": np.repeat(np.arange(len(rates)), k),
        "sample": np.tile(np.arange(k), len(rates)),
        "value": (rng.random((len(rates), k)) < rates[:, None]).astype(float).ravel(),
    }
    if clusters is not None:
        columns["cluster"] = np.repeat(clusters, k)
    return pd.DataFrame(columns)


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


@pytest.mark.parametrize("rate", [0.97, 0.7])
def test_population_intervals_cover(rate: float) -> None:
    rng, hits = np.random.default_rng(1), []
    for _ in range(SIMULATIONS):
        found = estimate(table(rng, beta(rng, rate, 0.4, 50), 5, None))
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= rate <= found.high)
    assert 0.94 <= share(hits) <= 0.99


@pytest.mark.parametrize("rate", [0.97, 0.7])
def test_dataset_intervals_cover(rate: float) -> None:
    rng, hits = np.random.default_rng(2), []
    for _ in range(SIMULATIONS):
        rates = beta(rng, rate, 0.4, 50)
        found = estimate(table(rng, rates, 5, None), target="dataset")
        assert found.low is not None
        assert found.high is not None
        hits.append(bool(found.low <= rates.mean() <= found.high))
    assert 0.94 <= share(hits) <= 0.99


@pytest.mark.parametrize("rate", [0.97, 0.7])
def test_intervals_of_few_clusters_cover(rate: float) -> None:
    rng, hits = np.random.default_rng(3), []
    clusters = np.repeat(np.arange(12.0), rng.integers(2, 9, 12))
    for _ in range(SIMULATIONS):
        means = beta(rng, rate, 0.1, 12)[clusters.astype(int)]
        found = estimate(table(rng, beta(rng, means, 0.3, len(clusters)), 3, clusters))
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= rate <= found.high)
    assert share(hits) >= 0.94


@pytest.mark.parametrize("n", [12, 25, 40])
def test_intervals_of_numbers_cover(n: int) -> None:
    rng, hits = np.random.default_rng(4), []
    for _ in range(SIMULATIONS):
        values = rng.normal(3, 1, n)[:, None] + rng.normal(0, 1, (n, 2))
        scores = table(rng, np.zeros(n), 2, None).assign(value=values.ravel())
        found = estimate(scores)
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= 3 <= found.high)
    assert 0.935 <= share(hits) <= 0.965


def gate(
    *,
    seed: int,
    base: Draw,
    change: float,
    k: int,
    target: Target = "population",
    clusters: Rates | None = None,
) -> list[Comparison]:
    """Compare runs whose candidate's true rate differs from the base's by `change`."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(SIMULATIONS):
        before = base(rng)
        mean = 0.7
        after = before * (1 + change / (before.mean() if target == "dataset" else mean))
        found.append(
            compare_scores(
                table(rng, before, k, clusters),
                table(rng, after, k, clusters),
                target=target,
                margin=MARGIN,
            )
        )
    return found


@pytest.mark.parametrize("target", ["population", "dataset"])
def test_false_verdicts_of_the_gate_are_as_declared(target: Target) -> None:
    def rates(rng: np.random.Generator) -> Rates:
        return beta(rng, 0.7, 0.4, 100)

    passed = gate(seed=5, base=rates, change=-MARGIN, k=5, target=target)
    failed = gate(seed=6, base=rates, change=0, k=5, target=target)
    assert share([found.verdict == "pass" for found in passed]) == pytest.approx(0.05, abs=0.015)
    assert share([found.verdict == "fail" for found in failed]) == pytest.approx(0.05, abs=0.015)


def test_false_verdicts_of_a_small_gate_are_no_more_than_declared() -> None:
    def rates(rng: np.random.Generator) -> Rates:
        return beta(rng, 0.7, 0.4, 12)

    passed = gate(seed=7, base=rates, change=-MARGIN, k=5)
    failed = gate(seed=8, base=rates, change=0, k=5)
    assert share([found.verdict == "pass" for found in passed]) <= 0.05
    assert share([found.verdict == "fail" for found in failed]) <= 0.05


@pytest.mark.parametrize("groups", [12, 40])
def test_false_verdicts_of_a_clustered_gate_are_no_more_than_declared(groups: int) -> None:
    sizes = np.random.default_rng(9).integers(1, 6, groups)
    clusters = np.repeat(np.arange(float(groups)), sizes)

    def rates(rng: np.random.Generator) -> Rates:
        means = beta(rng, 0.7, 0.2, groups)[clusters.astype(int)]
        return beta(rng, means, 0.3, len(clusters))

    passed = gate(seed=10, base=rates, change=-MARGIN, k=3, clusters=clusters)
    failed = gate(seed=11, base=rates, change=0, k=3, clusters=clusters)
    assert share([found.verdict == "pass" for found in passed]) <= 0.065
    assert share([found.verdict == "fail" for found in failed]) <= 0.065


def test_breaking_one_case_in_twenty_of_a_perfect_suite_rarely_passes() -> None:
    rng, verdicts = np.random.default_rng(12), []
    for _ in range(SIMULATIONS):
        broken = (rng.random(100) >= MARGIN).astype(float)
        runs = (table(rng, rates, 3, None) for rates in (np.ones(100), broken))
        verdicts.append(compare_scores(*runs).verdict == "pass")
    assert share(verdicts) <= 0.065
