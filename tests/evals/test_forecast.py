"""What an evaluation will take, told from earlier runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case, Dataset
from linenotes.evals import (
    Arm,
    Budget,
    Forecast,
    RunRecord,
    RunStore,
    earlier_runs,
    evaluate,
    forecast,
    forecast_report,
)

Made = Callable[..., RunRecord]


@pytest.fixture
def version(one_node: Callable[..., AgentVersion]) -> AgentVersion:
    return one_node()


def cases(n: int, clusters: int | None = None) -> Dataset:
    found = (
        Case(id=f"c{i}", inputs={"q": i}, cluster=str(i % clusters) if clusters else None)
        for i in range(n)
    )
    return Dataset("numbers", tuple(found))


def took(made: Made, dataset: Dataset, tokens: np.ndarray) -> RunRecord:
    """Return a record whose samples took so many tokens, a row a case, and a cent each."""
    values = {case.id: [1] * tokens.shape[1] for case in dataset.cases}
    record = made(values, cases=dataset.cases)
    counts = {
        (case.id, k): int(count)
        for case, row in zip(dataset.cases, tokens, strict=True)
        for k, count in enumerate(row)
    }
    outcomes = {
        key: replace(record.outcomes[key], tokens=count, cost=0.01, unpriced=0)
        for key, count in counts.items()
    }
    return replace(record, outcomes=outcomes)


def told(
    version: AgentVersion,
    dataset: Dataset,
    source: RunRecord | None,
    *,
    samples: int = 1,
    budget: Budget | None = None,
) -> Forecast:
    return forecast(
        [Arm(version, samples)], dataset, [source], concurrency=4, budget=budget or Budget()
    )


def test_totals_are_the_mean_over_cases_times_what_is_planned(
    version: AgentVersion, make_record: Made
) -> None:
    source = took(make_record, cases(2), np.array([[10.0, 10.0], [30.0, 50.0]]))
    found = told(version, cases(10), source, samples=3).total
    assert found["tokens"].mean == (10 + 40) / 2 * 30
    assert found["calls"].mean == 30
    assert found["usd"].mean == pytest.approx(0.3)
    assert found["seconds"].mean == pytest.approx(0.25 * 30 / 4)


@pytest.mark.parametrize(("seen", "planned", "k"), [(5, 60, 1), (10, 10, 5), (30, 100, 3)])
def test_the_interval_of_new_cases_holds_its_95_percent(
    seen: int, planned: int, k: int, version: AgentVersion, make_record: Made
) -> None:
    chance = np.random.default_rng(seen)
    held = 0
    for _ in range(200):
        pilot = chance.normal(500, 150, (seen, 1)) + chance.normal(0, 60, (seen, 1))
        new = chance.normal(500, 150, (planned, 1)) + chance.normal(0, 60, (planned, k))
        others = Dataset("numbers", cases(seen + planned).cases[seen:])
        source = took(make_record, cases(seen), pilot)
        found = told(version, others, source, samples=k).total["tokens"]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= new.sum() <= found.high
    assert held >= 182


def test_the_interval_of_the_same_cases_is_of_chance_alone(
    version: AgentVersion, make_record: Made
) -> None:
    chance = np.random.default_rng(1)
    held, widths = 0, []
    for _ in range(200):
        levels = chance.normal(500, 150, (20, 1))
        source = took(make_record, cases(20), levels + chance.normal(0, 60, (20, 3)))
        found = told(version, cases(20), source, samples=5).total["tokens"]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= (levels + chance.normal(0, 60, (20, 5))).sum() <= found.high
        widths.append((found.high - found.low) / found.mean)
    assert held >= 180
    assert np.mean(widths) < 0.1


def test_related_cases_are_one_piece_of_evidence(version: AgentVersion, make_record: Made) -> None:
    levels = np.repeat([[100.0], [200.0], [300.0]], 4, axis=1).T.reshape(12, 1)
    plain = told(version, cases(60), took(make_record, cases(12), levels)).total["tokens"]
    related = told(version, cases(60), took(make_record, cases(12, 3), levels)).total["tokens"]
    assert plain.high is not None
    assert related.high is not None
    assert related.high > plain.high


@pytest.mark.parametrize("tokens", [np.array([[10.0]]), np.full((8, 2), 10.0)])
def test_what_shows_no_spread_bounds_nothing(
    tokens: np.ndarray, version: AgentVersion, make_record: Made
) -> None:
    source = took(make_record, cases(len(tokens)), tokens)
    found = told(version, cases(60), source).total["tokens"]
    assert (found.mean, found.low, found.high) == (600, None, None)


def test_a_model_without_a_price_has_no_cost_to_be_expected(
    version: AgentVersion, make_record: Made
) -> None:
    source = took(make_record, cases(2), np.ones((2, 1)))
    some = {**source.outcomes, ("c0", 0): replace(source.outcomes["c0", 0], unpriced=1)}
    found = told(version, cases(10), replace(source, outcomes=some), budget=Budget(usd=1))
    assert "usd" not in found.total
    assert forecast_report.rows(found)[1][3] == "unpriced"
    assert "no known price" in " ".join(forecast_report.closing_lines(found))
    assert "whether it does cannot be told" in forecast_report.closing_lines(found)[-1]


def test_a_budget_is_held_against_what_is_expected(
    version: AgentVersion, make_record: Made
) -> None:
    source = took(make_record, cases(2), np.full((2, 1), 100.0))
    budget = Budget(calls=1000, tokens=250)
    found = told(version, cases(10), source, budget=budget)
    assert found.short == {"tokens": 0.25}
    assert forecast_report.closing_lines(found)[-2:] == [
        "The budget of 250 tokens does for about 25% of the samples.",
        "The budget of 1,000 calls does for what is expected.",
    ]


def test_without_an_earlier_run_a_pilot_is_proposed(version: AgentVersion) -> None:
    found = told(version, cases(10), None)
    assert found.total == {}
    assert forecast_report.rows(found) == []
    (line,) = forecast_report.closing_lines(found)
    assert "no earlier run of app on numbers to tell from. `--pilot 5`" in line


def test_the_nearest_earlier_run_tells_of_this_version_first(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    project = version.agent.project
    first = evaluate(version, numbers(3), samples=1).record
    other = one_node("def answer(state):\n    return {'answer': 7}\n")
    newer = evaluate(other, numbers(3), samples=1).record
    runs = RunStore.of(project)
    found = earlier_runs([Arm(version, 1), Arm(other, 1)], numbers(3), runs)
    assert [record.plan.run_id for record in found if record] == [
        first.plan.run_id,
        newer.plan.run_id,
    ]
    unknown = one_node("def answer(state):\n    return {'answer': 8}\n")
    (nearest,) = earlier_runs([Arm(unknown, 1)], numbers(3), runs)
    assert nearest is not None
    assert nearest.plan.run_id == newer.plan.run_id
    assert earlier_runs([Arm(unknown, 1)], Dataset("another", numbers(3).cases), runs) == (None,)
