from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from linenotes.evals import Failure, RunRecord, RunResult, Score, report
from linenotes.evals._repeats import repeats
from linenotes.evals._results import estimate_all
from linenotes.evals._score_report import interval
from linenotes.evals.documents._printed import _PRINTED
from linenotes.evals.publishing._publisher import Stored

AGENT = Failure("agent", "ValueError", "bad")


@pytest.fixture
def result(make_record: Callable[..., RunRecord]) -> Callable[..., RunResult]:
    def make(values: dict[str, list[object]], **more: object) -> RunResult:
        return as_result(make_record(values, **more))

    return make


def as_result(record: RunRecord) -> RunResult:
    estimates = estimate_all(record, "population")
    return RunResult(record, estimates, Stored(1, 1), repeats(record))


def test_labels_are_shown_as_shares_with_counts_and_not_as_a_mean(
    result: Callable[..., RunResult],
) -> None:
    found = result({f"c{i}": ["kind", "kind" if i % 4 else "rude"] for i in range(20)})
    _, row = report.rows([found])
    assert row[2].startswith("kind 88%  ")
    (line,) = report.metric_lines([found])
    assert line.startswith("correct   kind 88%  ")
    assert "(35 of 40)   rude 12%  " in line
    assert line.endswith("(5 of 40)")
    assert "| correct: kind | 88% |" in report.run_note(found.record, found.estimates, {})
    assert found.scored == 40


def test_labels_of_several_versions_name_the_version(result: Callable[..., RunResult]) -> None:
    first, second = (result({"a": ["kind"]}, version=version) for version in ("v1", "v2"))
    lines = report.metric_lines([first, second])
    assert [line.split("   ")[0] for line in lines] == ["v1 correct", "v2 correct"]


def test_labels_are_in_the_document(result: Callable[..., RunResult]) -> None:
    document: Any = result({"a": ["kind", "rude"], "b": ["kind", "kind"]}).document()
    _PRINTED["publish"].validate_python(document, strict=False)
    metric = document["metrics"]["correct"]
    assert metric["mean"] is None
    assert list(metric["labels"]) == ["kind", "rude"]
    assert metric["labels"]["kind"]["mean"] == 0.75
    assert metric["labels"]["kind"]["samples"] == 3


def test_money_has_its_currency_and_is_scaled_to_a_thousand_cases(
    result: Callable[..., RunResult],
) -> None:
    values: dict[str, list[object]] = {f"c{i}": [8.0 - 5 * (i % 2)] for i in range(40)}
    found = result(values, units={"correct": "EUR"})
    header, row = report.rows([found])
    assert header[2] == "correct (EUR)"
    assert row[2].startswith("5.5  ")
    (line,) = [line for line in report.closing_lines([found], []) if "1,000" in line]
    estimate = found.estimates["correct"]
    assert estimate.low is not None
    assert estimate.high is not None
    assert line == (
        f"v1: correct of 1,000 cases: 5,500 EUR (95% {1000 * estimate.low:,.0f} to "
        f"{1000 * estimate.high:,.0f}, n=40, K=1)."
    )
    document: Any = found.document()
    assert document["metrics"]["correct"]["unit"] == "EUR"
    assert "| correct (EUR) | 5.5 |" in report.run_note(found.record, found.estimates, {})


def test_money_is_no_rate_even_where_it_is_one_or_nothing(
    result: Callable[..., RunResult],
) -> None:
    found = result(
        {"a": [1.0, 0.0], "b": [1.0, 1.0]}, units={"correct": "EUR"}, failed={("b", 1): AGENT}
    )
    header, row = report.rows([found])
    assert "pass^2" not in header
    assert "%" not in row[2]
    assert found.estimates["correct"].mean == 0.75  # the failure has no worth, and is no 0
    lines = report.closing_lines([found], [])
    assert any("failures in a rate, left out of other metrics" in line for line in lines)


def test_a_failure_with_a_declared_worth_is_not_left_out(
    result: Callable[..., RunResult],
) -> None:
    found = result({"a": [8.0, 8.0]}, units={"correct": "EUR"}, failed={("a", 1): AGENT})
    scores = {**found.record.scores, ("a", 1): (Score("correct", value=-12.0),)}
    worth = as_result(replace(found.record, scores=scores))
    assert worth.estimates["correct"].mean == -2.0
    assert any("worth what is declared for a failure" in one for one in report.failures(worth))
    both = worth.record.plan.model_copy(update={"metrics": ("correct", "size")})
    sizes = {("a", 0): (*scores[("a", 0)], Score("size", value=3.0)), ("a", 1): scores[("a", 1)]}
    mixed = as_result(replace(worth.record, plan=both, scores=sizes))
    assert any("left out of size" in one for one in report.failures(mixed))


def test_what_rounding_has_left_of_a_zero_is_a_zero(result: Callable[..., RunResult]) -> None:
    found = result({f"c{i}": [0.1 * i, 1.5] for i in range(40)}).estimates["correct"]
    shown = interval(replace(found, low=-1.73e-16), rate=False)
    assert "  0 to " in shown
