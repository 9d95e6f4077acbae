from __future__ import annotations

from collections.abc import Callable

from linenotes.evals import RunRecord, failing_case_text, run_failures

Make = Callable[..., RunRecord]


def test_one_case_shows_what_failed_beside_what_passed_and_how_to_go_on(talked: Make) -> None:
    record = talked({"a": [True, False]})
    told = failing_case_text.case_lines(run_failures(record, case="a"))
    assert told[:3] == [
        "a  ✓✗  1/2 passed",
        "sample 1: expected right, got wrong",
        "begins at worker (a suspect: the first message that no passing sample has)",
    ]
    (marked,) = [line for line in told if line.startswith("≠")]
    assert marked.split() == [
        *("≠", "worker", "→", "editor:", "wrong", "|"),
        *("worker", "→", "editor:", "right"),
    ]
    assert told[-3:] == [
        f"failing  linenotes trace show {record.outcomes['a', 1].trace_id}",
        f"passing  linenotes trace show {record.outcomes['a', 0].trace_id}",
        "again    linenotes run app.py:build --case a",
    ]


def test_one_case_without_a_passing_sample_is_shown_alone(talked: Make) -> None:
    told = failing_case_text.case_lines(run_failures(talked({"a": [False]}), case="a"))
    assert "≠ worker → editor: wrong" in told
    assert not any(line.startswith("passing") for line in told)


def test_one_case_that_passes_has_no_failures(talked: Make) -> None:
    found = run_failures(talked({"a": [True], "b": [False]}), case="a")
    assert failing_case_text.case_lines(found) == ["a  ✓  1/1 passed", "No failures."]
