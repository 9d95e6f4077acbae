from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from linenotes.evals import Gate, RunRecord, decide


def _cases(*, passed: int) -> dict[str, list[bool]]:
    return {f"c{i:02}": [i < passed] * 2 + [True, False] for i in range(40)}


def test_a_clear_drop_fails_and_an_equal_run_passes(make_record: Callable[..., RunRecord]) -> None:
    base = make_record(_cases(passed=30))
    worse = make_record(_cases(passed=5), version="v2")
    same = make_record({f"c{i:02}": [True] * 4 for i in range(40)}, version="v2")
    assert decide(Gate(), base, worse).verdict == "fail"
    assert decide(Gate(), base, worse).exit_code == 1
    assert decide(Gate(), base, same).exit_code == 0


@pytest.mark.parametrize("code", [0, 1, 3])
def test_an_inconclusive_decision_exits_as_the_gate_says(
    make_record: Callable[..., RunRecord], code: Literal[0, 1, 3]
) -> None:
    base = make_record({"a": [True, False], "b": [False, True]})
    other = make_record({"a": [False, True], "b": [True, True]}, version="v2")
    found = decide(Gate(inconclusive=code), base, other)
    assert (found.verdict, found.exit_code) == ("inconclusive", code)


def test_superiority_asks_for_more_than_no_drop(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({f"c{i:02}": [True] * 4 for i in range(40)})
    same = make_record({f"c{i:02}": [True] * 4 for i in range(40)}, version="v2")
    assert decide(Gate(), base, same).verdict == "pass"
    assert decide(Gate(superiority=True), base, same).verdict == "inconclusive"
