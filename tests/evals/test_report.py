from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Failure, RunRecord, RunResult, report
from linenotes.evals._repeats import repeats
from linenotes.evals._results import estimate_all
from linenotes.evals.publishing._publisher import Stored

AGENT = Failure("agent", "ValueError", "bad")
LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


@pytest.fixture
def result(make_record: Callable[..., RunRecord]) -> Callable[..., RunResult]:
    def make(values: dict[str, list[bool | float | None]], **more: object) -> RunResult:
        record = make_record(values, **more)
        expected = len(record.samples)
        return RunResult(
            record,
            estimate_all(record, "population"),
            Stored(expected, expected),
            repeats(record),
        )

    return make


def test_the_title_says_n_k_and_what_intervals_speak_of(result: Callable[..., RunResult]) -> None:
    text = report.title([result({"a": [True, True], "b": [True, False]})])
    assert text == (
        "app on numbers (dddddddd): n=2 cases, K=2 samples; 95% intervals for cases like these"
    )


def test_each_version_has_a_row_with_intervals_and_cost(result: Callable[..., RunResult]) -> None:
    header, row = report.rows([result({"a": [True, True], "b": [True, False]})])
    assert header == ("version", "K", "correct", "pass^2", "calls", "s/sample")
    assert row[:2] == ("v1", "2")
    assert row[2].startswith("75%  ")
    assert " to " in row[2]
    assert row[3].startswith("50%  ")
    assert row[4:] == ("4", "0.25")


def test_what_calls_cost_stands_in_the_table_where_it_is_known(
    result: Callable[..., RunResult],
) -> None:
    found = result({"a": [True], "b": [False]})
    first, second = found.record.outcomes.values()

    def costing(*costs: float | None) -> RunResult:
        outcomes = {
            ("a", 0): replace(first, cost=costs[0], unpriced=int(costs[0] is None)),
            ("b", 0): replace(second, cost=costs[1], unpriced=int(costs[1] is None)),
        }
        return replace(found, record=replace(found.record, outcomes=outcomes))

    known, unknown = costing(0.0123, None), costing(None, None)
    header, *rows = report.rows([known, unknown, found])
    assert header[-3:] == ("calls", "cost", "s/sample")
    assert [row[-2] for row in rows] == ["$0.0123", "unpriced", "$0"]
    assert report.failures(known) == [
        "v1: 1 call without a known price, not in cost (`linenotes prices`)."
    ]
    assert report.failures(found) == []
    assert "cost" not in report.rows([found])[0]


def test_a_number_that_is_no_rate_is_shown_as_it_is(result: Callable[..., RunResult]) -> None:
    _, row = report.rows([result({"a": [1.5], "b": [2.5], "c": [3.5]})])
    assert row[2].startswith("2.5  ")


def test_what_cannot_be_measured_says_so_and_why(result: Callable[..., RunResult]) -> None:
    broken = result({"a": [None], "b": [None]})
    assert report.rows([broken])[1][2] == "cannot measure"
    assert report.failures(broken) == [
        "v1: 2 samples could not be scored (`linenotes score aaaaaaaaaaaa` tries a mended scorer): "
        "KeyError: 'team'"
    ]


def test_failures_are_told_apart_with_an_example_of_each(result: Callable[..., RunResult]) -> None:
    lines = report.failures(
        result(
            {"a": [True, None, True], "b": [True, True, True]},
            failed={("b", 0): AGENT, ("b", 1): LOST},
        )
    )
    assert lines == [
        "v1: 1 sample lost to the infrastructure and not scored "
        "(`linenotes eval --resume aaaaaaaaaaaa --retry-errors` tries again): "
        "APITimeoutError: Request timed out.",
        "v1: 1 sample failed in the agent and scored as failed: ValueError: bad",
        "v1: 1 sample could not be scored (`linenotes score aaaaaaaaaaaa` tries a mended scorer): "
        "KeyError: 'team'",
    ]


def test_an_agents_failure_is_no_value_of_a_number(result: Callable[..., RunResult]) -> None:
    lines = report.failures(result({"a": [1.5, 2.5]}, failed={("a", 0): AGENT}))
    assert lines == [
        "v1: 1 sample failed in the agent: failures in a rate, left out of other metrics: "
        "ValueError: bad"
    ]


def test_cases_without_a_score_are_named(result: Callable[..., RunResult]) -> None:
    lines = report.failures(
        result({"a": [True], "b": [False], "c": [True]}, failed={("c", 0): LOST})
    )
    assert lines[-1] == "v1: correct cannot be measured on 1 case, left out: c."


def test_a_rate_over_repeats_is_left_out_where_it_would_speak_of_other_cases(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": [True, False], "b": [True, True]})
    found = RunResult(record, estimate_all(record, "dataset"), Stored(4, 4))
    assert report.rows([found])[0] == ("version", "K", "correct", "calls", "s/sample")


def test_a_note_for_mlflow_is_a_table_with_intervals(result: Callable[..., RunResult]) -> None:
    made = result({"a": [True], "b": [False]})
    note = report.run_note(made.record, made.estimates, made.repeats)
    assert note.startswith("**app v1** on **numbers**: n=2 cases, K=1")
    assert "| correct | 50% | " in note
    assert note.endswith("| population |")


def test_a_repeated_rate_has_one_line_with_pass_1_to_k(result: Callable[..., RunResult]) -> None:
    found = result({"a": [True, True], "b": [True, False]})
    assert report.pass_hat_lines([found]) == [
        "correct   pass^1 .750 (.01 to 1.00)   pass^2 .500 (.09 to .91)"
    ]


def test_of_several_versions_each_has_its_line(result: Callable[..., RunResult]) -> None:
    first = result({"a": [True, True], "b": [True, True]}, version="v1")
    second = result({"a": [False, False], "b": [False, False]}, version="v2")
    assert report.pass_hat_lines([first, second]) == [
        "v1 correct   pass^1 1.000 (.01 to 1.00)   pass^2 1.000 (.34 to 1.00)",
        "v2 correct   pass^1 .000 (.00 to .99)   pass^2 .000 (.00 to .66)",
    ]


def test_of_many_samples_the_first_and_the_last_k_are_shown(
    result: Callable[..., RunResult],
) -> None:
    lines = report.pass_hat_lines([result({"a": [True] * 20, "b": [True] * 20})])
    assert [word for word in " ".join(lines).split() if "^" in word] == [
        "pass^1",
        "pass^2",
        "pass^3",
        "pass^4",
        "pass^5",
        "pass^20",
    ]


def test_without_repeats_there_is_no_such_line(result: Callable[..., RunResult]) -> None:
    assert report.pass_hat_lines([result({"a": [True], "b": [False]})]) == []
    assert report.pass_hat_lines([result({"a": [0.5, 1.0], "b": [0.2, 0.1]})]) == []


def test_the_note_of_a_run_has_a_row_for_each_pass_hat(result: Callable[..., RunResult]) -> None:
    found = result({"a": [True, True], "b": [True, False]})
    note = report.run_note(found.record, found.estimates, found.repeats)
    assert "| correct, pass^2 | 50% |" in note


def test_a_run_that_was_stopped_says_how_much_of_it_there_is(
    result: Callable[..., RunResult],
) -> None:
    stopped = result({"a": [True, True, False], "b": [True]})
    (line,) = report.failures(stopped)
    assert line.startswith("v1: only 4 of 6 samples are there; `linenotes eval --resume")
    assert "n=2 cases, K=1 to 3 samples; 95%" in report.title([stopped])
    assert report.rows([stopped])[1][:2] == ("v1", "1 to 3")
    note = report.run_note(stopped.record, stopped.estimates, stopped.repeats)
    assert note.startswith("**app v1** on **numbers**: n=2 cases, K=1 to 3\n")
