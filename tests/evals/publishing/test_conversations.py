from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from linenotes.evals import Failure, RunRecord
from linenotes.evals.publishing._conversations import MAX_PAGES, noteworthy, page_path

MakeRecord = Callable[..., RunRecord]
BUG = Failure("agent", "ValueError", "a bug")


def test_failed_samples_come_first_then_the_lowest_then_the_best(make_record: MakeRecord) -> None:
    record = make_record({"a": [1.0, 3.0], "b": [2.0, 3.0]})
    broken = replace(record.outcomes["b", 1], error=BUG)
    record = replace(record, outcomes={**record.outcomes, ("b", 1): broken})
    assert noteworthy(record) == [("b", 1), ("a", 0), ("b", 0), ("a", 1)]


def test_every_case_has_its_turn_before_one_has_a_second(make_record: MakeRecord) -> None:
    record = make_record({"a": [False, False], "b": [False, False], "c": [True]})
    assert noteworthy(record) == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("c", 0)]


def test_a_turn_is_counted_within_the_case(make_record: MakeRecord) -> None:
    record = make_record({"a": [True, False, False], "b": [True] * 5 + [False]})
    assert noteworthy(record)[:3] == [("a", 1), ("b", 5), ("a", 2)]


def test_where_all_is_well_one_is_enough(make_record: MakeRecord) -> None:
    assert noteworthy(make_record({"a": [True, True], "b": [True]})) == [("a", 0)]


def test_there_are_never_more_than_ten(make_record: MakeRecord) -> None:
    record = make_record({f"c{i:03}": [False] * 5 for i in range(50)} | {"good": [True]})
    kept = noteworthy(record)
    assert len(kept) == MAX_PAGES
    assert kept[-1] == ("good", 0)


def test_samples_without_a_score_are_no_news(make_record: MakeRecord) -> None:
    assert noteworthy(make_record({"a": [None]})) == []


def test_a_path_is_safe_and_tells_cases_apart() -> None:
    assert page_path(("card-lost", 2)) == "conversations/card-lost-2.html"
    strange = [page_path((case, 0)) for case in ("../../x", "..-..-x y", "ü" * 300, "a/b", "a?b")]
    assert len(set(strange)) == len(strange)
    assert all(path.count("/") == 1 and len(path) < 120 for path in strange)
