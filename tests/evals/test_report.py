from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import Failure, RunRecord, RunResult, compare_runs, report
from linenotes.evals._publisher import Stored
from linenotes.evals._results import estimate_all

AGENT = Failure("agent", "ValueError", "bad")
LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


@pytest.fixture
def result(make_record: Callable[..., RunRecord]) -> Callable[..., RunResult]:
    def make(
        values: dict[str, list[bool | float | None]], *, stored: int | None = None, **more: object
    ) -> RunResult:
        record = make_record(values, **more)
        expected = len(record.samples)
        return RunResult(
            record,
            estimate_all(record, "population"),
            Stored(expected, expected if stored is None else stored),
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


def test_a_number_that_is_no_rate_is_shown_as_it_is(result: Callable[..., RunResult]) -> None:
    _, row = report.rows([result({"a": [1.5], "b": [2.5], "c": [3.5]})])
    assert row[2].startswith("2.5  ")


def test_what_cannot_be_measured_says_so_and_why(result: Callable[..., RunResult]) -> None:
    broken = result({"a": [None], "b": [None]})
    assert report.rows([broken])[1][2] == "cannot measure"
    assert report.failures(broken) == ["v1: 2 samples could not be scored: KeyError: 'team'"]


def test_failures_are_told_apart_with_an_example_of_each(result: Callable[..., RunResult]) -> None:
    lines = report.failures(
        result(
            {"a": [True, None, True], "b": [True, True, True]},
            failed={("b", 0): AGENT, ("b", 1): LOST},
            stored=5,
        )
    )
    assert lines == [
        "v1: 1 samples were lost to the infrastructure and are not scored: "
        "APITimeoutError: Request timed out.",
        "v1: 1 samples failed in the agent and count as failures: ValueError: bad",
        "v1: 1 samples could not be scored: KeyError: 'team'",
        "v1: 1 of 6 traces are not in the store.",
    ]


def test_a_comparison_names_what_differs_and_what_was_left_out(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({**{f"c{i}": [True, False] for i in range(12)}, "old": [True]})
    candidate = make_record(
        {**{f"c{i}": [True, False] for i in range(12)}, "new": [True]},
        run_id="b" * 32,
        version="v2",
    )
    lines = report.comparison_lines(compare_runs(base, candidate))
    assert lines[0] == "base       aaaaaaaaaaaa  app v1  K=2"
    assert lines[1] == "candidate  bbbbbbbbbbbb  app v2  K=2"
    assert lines[2] == "differs    nothing: equal fingerprints"
    assert "2 cases are in only one of the runs and are left out: new, old." in lines


@pytest.mark.parametrize(
    ("candidate", "said"),
    [(True, "PASS. +100 points"), (False, "FAIL. -100 points")],
)
def test_a_verdict_is_one_sentence_with_its_interval(
    make_record: Callable[..., RunRecord], candidate: bool, said: str
) -> None:
    base = make_record({f"c{i}": [not candidate] * 2 for i in range(40)})
    other = make_record({f"c{i}": [candidate] * 2 for i in range(40)}, version="v2")
    text = report.verdict(compare_runs(base, other))
    assert text.startswith("v2 against v1, correct: ")
    assert said in text
    assert "n=40" in text


def test_a_note_for_mlflow_is_a_table_with_intervals(result: Callable[..., RunResult]) -> None:
    made = result({"a": [True], "b": [False]})
    note = report.run_note(made.record, made.estimates)
    assert note.startswith("**app v1** on **numbers**: n=2 cases, K=1")
    assert "| correct | 50% | " in note
    assert note.endswith("| population |")
