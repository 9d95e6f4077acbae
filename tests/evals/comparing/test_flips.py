from __future__ import annotations

from collections.abc import Callable

from linenotes.evals import ComparisonReport, Failure, RunRecord
from linenotes.evals.comparing._flips import flipped_cases
from linenotes.tracing import trace_id_for

MakeRun = Callable[..., RunRecord]
PASS, FAIL = True, False


def test_cases_that_changed_are_listed_the_largest_change_first(make_run: MakeRun) -> None:
    base = make_run({"m": {"same": [PASS, FAIL], "up": [FAIL, PASS], "down": [PASS, PASS]}})
    other = make_run(
        {"m": {"same": [FAIL, PASS], "up": [PASS, PASS], "down": [FAIL, FAIL]}}, run_id="b" * 32
    )
    down, up = flipped_cases(base, other, "m")
    assert (down.case, down.change, down.improved) == ("down", -1.0, False)
    assert (up.case, up.change, up.improved) == ("up", 0.5, True)
    assert (up.before, up.after) == ((0.0, 1.0), (1.0, 1.0))


def test_a_failing_sample_stands_beside_a_passing_one_of_the_other_run(make_run: MakeRun) -> None:
    base = make_run({"m": {"up": [PASS, FAIL, FAIL], "x": [PASS]}}, why="expected 1, got 2")
    other = make_run({"m": {"up": [FAIL, PASS, PASS], "x": [PASS]}}, run_id="b" * 32)
    (flip,) = flipped_cases(base, other, "m")
    assert (flip.low.sample, flip.low.value) == (1, 0.0)
    assert flip.low.trace_id == trace_id_for("a" * 32, "up", 1)
    assert flip.low.why == "expected 1, got 2"
    assert (flip.high.sample, flip.high.value) == (1, 1.0)
    assert flip.high.trace_id == trace_id_for("b" * 32, "up", 1)


def test_an_agents_own_error_is_a_failure_and_says_why(
    make_record: Callable[..., RunRecord],
) -> None:
    error = Failure("agent", "ValueError", "a bug")
    base = make_record({"a": [True, True]})
    other = make_record({"a": [True, True]}, failed={("a", 1): error}, run_id="b" * 32)
    (flip,) = flipped_cases(base, other, "correct")
    assert (flip.before, flip.after) == ((1.0, 1.0), (1.0, 0.0))
    assert flip.low.why == "ValueError: a bug"


def test_the_cases_are_as_many_as_the_comparison_counts(make_run: MakeRun) -> None:
    base = make_run({"m": {f"c{i}": [0.1 * (i % 3), 0.2] for i in range(30)}})
    other = make_run({"m": {f"c{i}": [0.2, 0.1 * (i % 3)] for i in range(12, 42)}}, run_id="b" * 32)
    (one,) = ComparisonReport.of(base, [other]).candidates
    found = one.primary.result
    assert sum(flip.improved for flip in one.flips) == found.improved
    assert sum(not flip.improved for flip in one.flips) == found.worsened
