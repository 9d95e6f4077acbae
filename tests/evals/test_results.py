from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from linenotes.evals import Failure, RunRecord, RunResult
from linenotes.evals._publisher import Stored
from linenotes.evals._results import estimate_all
from linenotes.project import ModelSettings

AGENT = Failure("agent", "ValueError", "bad")
LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


@pytest.fixture
def result(make_record: Callable[..., RunRecord]) -> Callable[..., RunResult]:
    def make(values: dict[str, list[bool | None]], **more: object) -> RunResult:
        record = make_record(values, **more)
        return RunResult(record, estimate_all(record, "population"), Stored(4, 4))

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


def test_local_models_cost_nothing_and_others_what_nobody_knows(
    result: Callable[..., RunResult],
) -> None:
    assert result({"a": [True]}).cost == 0.0
    remote = {"default": ModelSettings(model="gpt-5-mini")}
    assert result({"a": [True]}, models=remote).cost is None


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
        "scored",
        "errors",
        "metrics",
        "calls",
        "tokens",
        "cost",
        "wall_seconds",
        "traces",
    ]
    assert document["dataset"] == {"name": "numbers", "digest": "d" * 64}
    assert (document["n"], document["samples"], document["scored"]) == (2, 2, 4)
    assert document["errors"] == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert list(document["metrics"]) == ["correct"]
    metric = document["metrics"]["correct"]
    assert list(metric) == ["mean", "low", "high", "target", "pass_hat", "pass_at"]
    assert (metric["mean"], metric["target"]) == (0.75, "population")
    assert document["traces"] == {"expected": 4, "stored": 4}


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
