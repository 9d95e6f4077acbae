from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from linenotes.evals import Failure, RunRecord, Score, failures_text, run_failures
from linenotes.evals.failing._case_results import CaseResult
from linenotes.evals.failing._failures_text import unstable_lines

Make = Callable[..., RunRecord]


def test_each_row_has_strip_fraction_reason_and_suspect(talked: Make) -> None:
    found = run_failures(talked({"a": [True, False, None], "b": [False, False, False]}))
    header, *rows = failures_text.rows(found)
    assert header == ("case", "samples", "passed", "reason", "begins at")
    assert rows == [
        ("b", "✗✗✗", "0/3", "expected right, got wrong", "worker"),
        ("a", "✓✗·", "1/2", "expected right, got wrong", "worker"),
    ]


def test_below_stands_where_most_failures_begin_and_that_it_is_a_suspect(talked: Make) -> None:
    told = failures_text.lines(run_failures(talked({"a": [True, False, False], "b": [True] * 3})))
    assert told[0] == (
        "2 of 2 failures begin at worker (a suspect: the first message that no passing sample has)."
    )
    assert told[1] == "0 failing, 1 unstable, 1 passing."
    assert told[-1].endswith("--case a")


def test_a_run_whose_samples_all_pass_says_no_failures(talked: Make) -> None:
    assert failures_text.lines(run_failures(talked({"a": [True, True]}))) == ["No failures."]


def test_lost_samples_are_told_apart_from_failures(talked: Make) -> None:
    lost = {("a", 0): Failure("infrastructure", "Timeout", "")}
    told = failures_text.lines(run_failures(talked({"a": [True, True]}, failed=lost)))
    assert told == [
        "No failures.",
        "1 sample without a score, shown as ·, neither passed nor failed.",
    ]


def test_of_a_large_run_the_rest_is_counted(talked: Make) -> None:
    record = talked({f"c{n:02}": [False, True] for n in range(30)})
    found = run_failures(record)
    assert len(failures_text.rows(found)) == 21
    assert failures_text.lines(found)[:2] == [
        "20 of 20 failures looked into begin at worker "
        "(a suspect: the first message that no passing sample has).",
        "10 more cases with failures not shown: --full.",
    ]


def test_no_row_is_wider_than_a_terminal(talked: Make) -> None:
    record = talked({"case-" + "x" * 90: [True, *[False] * 39]})
    said = Score("correct", value=False, rationale="why\n" * 200)
    scores = {key: (said,) for key in record.scores if key[1]} | {
        key: one for key, one in record.scores.items() if not key[1]
    }
    for row in failures_text.rows(run_failures(replace(record, scores=scores))):
        assert sum(map(len, row)) + 3 * 4 <= 100
        assert "\n" not in "".join(row)


def test_unstable_cases_take_two_lines_at_most() -> None:
    def result(number: int) -> CaseResult:
        return CaseResult(f"case-{number:02}", {0: True, 1: False})

    assert unstable_lines([]) == []
    assert unstable_lines([result(7)]) == ["Unstable: case-07 ✓✗"]
    told = unstable_lines([result(number) for number in range(40)])
    assert len(told) == 2
    assert max(map(len, told)) <= 100
    shown = sum(line.count("✓✗") for line in told)
    assert told[-1].endswith(f"… {40 - shown} more")
    assert len(unstable_lines([result(n) for n in range(40)], "v1 unstable:", most=1)) == 1
