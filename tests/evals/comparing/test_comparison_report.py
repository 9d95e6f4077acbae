from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import Failure, RunRecord, compare_runs, comparison_report


@pytest.mark.parametrize(
    ("candidate", "said"),
    [(True, "PASS. +100 points"), (False, "FAIL. -100 points")],
)
def test_a_verdict_is_one_sentence_with_its_interval(
    make_record: Callable[..., RunRecord], candidate: bool, said: str
) -> None:
    base = make_record({f"c{i}": [not candidate] * 2 for i in range(40)})
    other = make_record({f"c{i}": [candidate] * 2 for i in range(40)}, version="v2")
    text = comparison_report.verdict(compare_runs(base, other))
    assert text.startswith("v2 against v1, correct: ")
    assert said in text
    assert "n=40" in text


def test_a_pass_that_is_worse_says_that_it_is_worse(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({f"c{i}": [10.0 + i % 2, 10.0 + i % 2] for i in range(40)})
    other = make_record({f"c{i}": [9.8 + i % 2, 9.9 + i % 2] for i in range(40)}, version="v2")
    text = comparison_report.verdict(compare_runs(base, other, margin=1.0))
    assert "PASS. -0.15" in text
    assert text.endswith("It is worse, but by less than 1.")


def test_a_verdict_without_bounds_is_not_called_unmeasurable(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({"a": [True, True], "b": [False, True]})
    other = make_record({"a": [False, True], "b": [True, True]}, version="v2")
    found = compare_runs(base, other)
    assert found.result.verdict == "inconclusive"
    assert "INCONCLUSIVE. +0 points (no interval, n=2)." in comparison_report.verdict(found)


def test_failures_that_a_number_has_no_value_for_are_told_with_the_verdict(
    make_record: Callable[..., RunRecord],
) -> None:
    numbers = {f"c{i}": [0.2, 0.4] for i in range(40)}
    kinds = {("c0", 0): "agent", ("c1", 0): "agent", ("c2", 0): "infrastructure"}
    failed = {key: Failure(kind, "ValueError", "no") for key, kind in kinds.items()}  # type: ignore[arg-type]
    base, other = make_record(numbers), make_record(numbers, failed=failed, version="v2")
    text = comparison_report.verdict(compare_runs(base, other))
    assert text.endswith(" Not counted: the agent failed in 2 samples of the candidate.")
    rates = {case: [True, False] for case in numbers}
    base, other = make_record(rates), make_record(rates, failed=failed, version="v2")
    assert "Not counted" not in comparison_report.verdict(compare_runs(base, other))


def test_a_pass_within_its_two_sided_interval_names_the_one_sided_test(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({f"c{i}": [10.0, 10.0] for i in range(40)})
    shifts = [0.5 if i % 2 else -0.5 for i in range(40)]
    scores = {f"c{i}": [10 + shift, 10 + shift] for i, shift in enumerate(shifts)}
    other = make_record(scores, version="v2")
    low = compare_runs(base, other).result.low
    assert low is not None
    between = comparison_report.meaning(compare_runs(base, other, margin=-0.95 * low))
    assert "is ruled out (one-sided test at 4%); that it is better is not shown." in between
    beyond = comparison_report.meaning(compare_runs(base, other, margin=-1.05 * low))
    assert "is ruled out; that it is better is not shown." in beyond


def test_without_a_margin_only_better_is_spoken_of(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({"a": [True, False], "b": [False, True]})
    other = make_record({"a": [False, True], "b": [True, True]}, version="v2")
    found = compare_runs(base, other, margin=0.0)
    assert found.result.verdict == "inconclusive"
    assert comparison_report.meaning(found) == "That it is better is not shown."
