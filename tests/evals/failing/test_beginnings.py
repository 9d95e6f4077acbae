from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from linenotes.evals import RunRecord
from linenotes.evals.failing._beginnings import clear_beginning

Make = Callable[..., RunRecord]


def test_a_gate_is_told_only_what_is_clear(talked: Make) -> None:
    assert clear_beginning(talked({"a": [True, False, False]}), "correct") is None
    record = talked({"a": [True, False, False, False]})
    assert clear_beginning(record, "correct") == "3 of 3 failures begin at worker."
    unknown = {
        key: replace(one, trace=replace(one.trace, messages=()))
        for key, one in record.samples.items()
    }
    assert clear_beginning(replace(record, samples=unknown), "correct") is None


def test_what_is_no_pass_or_failure_begins_nowhere(make_record: Make) -> None:
    assert clear_beginning(make_record({"a": [0.5, 3.0]}), "correct") is None
