from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from linenotes.evals import Failure, RunRecord, RunResult
from linenotes.evals._repeats import repeats
from linenotes.evals._results import estimate_all
from linenotes.evals.publishing._publisher import Stored

AGENT = Failure("agent", "ValueError", "bad")
LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


@pytest.fixture
def result(make_record: Callable[..., RunRecord]) -> Callable[..., RunResult]:
    def make(values: dict[str, list[bool | None]], **more: object) -> RunResult:
        record = make_record(values, **more)
        return RunResult(record, estimate_all(record, "population"), Stored(4, 4), repeats(record))

    return make


def test_errors_are_counted_by_whose_they_are(result: Callable[..., RunResult]) -> None:
    found = result(
        {"a": [True, None, True], "b": [True, True, True]},
        failed={("b", 0): AGENT, ("b", 1): LOST},
    )
    assert found.errors == {"infrastructure": 1, "agent": 1, "scorer": 1}
    assert found.scored == 4
    assert found.estimates["correct"].mean == pytest.approx((1 + 0.5) / 2)


def test_calls_and_tokens_are_those_of_all_samples(result: Callable[..., RunResult]) -> None:
    found = result({"a": [True, True], "b": [True, False]})
    assert (found.calls, found.tokens) == (4, 28)


def test_costs_are_added_up_and_calls_without_a_price_are_counted(
    result: Callable[..., RunResult],
) -> None:
    def of(*costs: float | None) -> RunResult:
        found = result({"a": [True] * len(costs)})
        return replace(found, record=_priced(found.record, costs))

    assert (of(0.5, 0.25).cost, of(0.5, 0.25).unpriced_calls) == (0.75, 0)
    assert (of(0.5, None).cost, of(0.5, None).unpriced_calls) == (0.5, 1)
    assert (of(None).cost, of(None).unpriced_calls) == (None, 1)
    assert (of(0.0).cost, of(0.0).unpriced_calls) == (0.0, 0)


def _priced(record: RunRecord, costs: Sequence[float | None]) -> RunRecord:
    outcomes = {
        key: replace(outcome, cost=cost, unpriced=int(cost is None))
        for (key, outcome), cost in zip(record.outcomes.items(), costs, strict=True)
    }
    return replace(record, outcomes=outcomes)


def test_the_document_has_the_keys_of_the_contract(result: Callable[..., RunResult]) -> None:
    document: Any = result({"a": [True, False], "b": [True, True]}).document()
    assert list(document) == [
        "schema_version",
        "run_id",
        "agent",
        "version",
        "fingerprint",
        "dataset",
        "n",
        "samples",
        "samples_scored",
        "scored",
        "errors",
        "metrics",
        "unstable",
        "calls",
        "tokens",
        "cost",
        "unpriced_calls",
        "replayed_calls",
        "spent",
        "recordings",
        "usage",
        "wall_seconds",
        "traces",
    ]
    assert document["dataset"] == {"name": "numbers", "digest": "d" * 64}
    assert (document["n"], document["samples"], document["scored"]) == (2, 2, 4)
    assert document["errors"] == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert list(document["metrics"]) == ["correct"]
    metric = document["metrics"]["correct"]
    kinds = ["unit", "labels", "pass_hat", "pass_at"]
    assert list(metric) == ["mean", "low", "high", "target", *kinds]
    assert (metric["mean"], metric["target"]) == (0.75, "population")
    assert document["traces"] == {"expected": 4, "stored": 4}


def test_the_samples_of_a_case_that_are_scored_stand_beside_those_that_were_planned(
    result: Callable[..., RunResult],
) -> None:
    whole = result({"a": [True, False], "b": [True, True]}).document()
    assert (whole["samples"], whole["samples_scored"]) == (2, {"low": 2, "high": 2})
    partly = result({"a": [True, False, True], "b": [True, None]}, failed={("a", 0): LOST})
    assert partly.document()["samples"] == 3
    assert partly.document()["samples_scored"] == {"low": 1, "high": 2}
    nothing = result({"a": [True], "b": []}).document()
    assert nothing["samples_scored"] == {"low": 0, "high": 1}


def test_a_repeated_rate_has_pass_hat_and_pass_at_for_each_k(
    result: Callable[..., RunResult],
) -> None:
    document: Any = result({"a": [True, False], "b": [True, True]}).document()
    metric = document["metrics"]["correct"]
    assert {name: found["mean"] for name, found in metric["pass_hat"].items()} == {
        "pass^1": 0.75,
        "pass^2": 0.5,
    }
    assert {name: found["mean"] for name, found in metric["pass_at"].items()} == {
        "pass@1": 0.75,
        "pass@2": 1.0,
    }
    assert list(metric["pass_hat"]["pass^2"]) == ["mean", "low", "high", "target"]


def test_without_repeats_there_is_no_pass_hat(result: Callable[..., RunResult]) -> None:
    document: Any = result({"a": [True], "b": [False]}).document()
    assert document["metrics"]["correct"]["pass_hat"] is None


def test_what_cannot_be_measured_is_null_and_neither_0_nor_1(
    result: Callable[..., RunResult],
) -> None:
    document: Any = result({"a": [None], "b": [None]}).document()
    assert document["scored"] == 0
    assert document["errors"]["scorer"] == 2
    metric = document["metrics"]["correct"]
    assert (metric["mean"], metric["low"], metric["high"]) == (None, None, None)


def test_there_is_one_estimate_for_each_metric_the_primary_one_first(
    result: Callable[..., RunResult],
) -> None:
    found = result({"a": [True]}, metrics=("correct", "speed"))
    assert list(found.estimates) == ["correct", "speed"]
    assert found.estimates["speed"].mean is None
