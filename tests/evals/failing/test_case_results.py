from __future__ import annotations

from collections.abc import Callable

from linenotes.evals import Failure, RunRecord
from linenotes.evals.failing._case_results import case_results, fails, unstable_cases

LOST = Failure("infrastructure", "Timeout", "")
BROKEN = Failure("agent", "RuntimeError", "")


def test_each_case_has_the_status_of_its_samples(make_record: Callable[..., RunRecord]) -> None:
    values = {"a": [True, True], "b": [True, False], "c": [False, False], "d": [None, None]}
    found = case_results(make_record(values), "correct")
    assert [one.status for one in found] == ["passing", "unstable", "failing", "lost"]
    assert [one.fraction for one in found] == ["2/2", "1/2", "0/2", "0/0"]
    assert found[1].of(passed=False) == [1]


def test_an_agents_failure_fails_and_a_lost_sample_does_neither(
    make_record: Callable[..., RunRecord],
) -> None:
    failed = {("a", 0): LOST, ("a", 1): BROKEN}
    (found,) = case_results(make_record({"a": [True] * 3}, failed=failed), "correct")
    assert [*found.passes.values()] == [None, False, True]
    assert (found.status, found.fraction) == ("unstable", "1/2")


def test_unstable_cases_begin_with_those_that_pass_half_the_time(
    make_record: Callable[..., RunRecord],
) -> None:
    values = {"a": [True, True, True, False], "b": [True, True, False, False], "c": [False] * 4}
    record = make_record(values)
    assert [one.case for one in unstable_cases(record)] == ["b", "a"]
    assert fails(record)
    assert not fails(make_record({"a": [True, True]}))


def test_what_is_no_pass_or_failure_has_no_unstable_cases(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": [0.5, 3.0]})
    assert unstable_cases(record) == []
    assert not fails(record)
    assert not fails(make_record({"a": [1.0]}, metrics=(), scorers=()))
