from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from linenotes.evals import Gate, RunRecord, decide, decide_in_looks


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


def test_what_a_look_has_decided_stands_whatever_came_later(
    make_record: Callable[..., RunRecord],
) -> None:
    cases = [f"c{i:03}" for i in range(120)]
    base = make_record({case: [i % 10 > 0] * 6 for i, case in enumerate(cases)})
    dropped = make_record(
        {case: [i % 10 > 3, i % 10 > 3] + [i % 10 > 0] * 4 for i, case in enumerate(cases)},
        version="v2",
    )
    found = decide_in_looks(Gate(), base, dropped, planned=6, reached=6, base_run="stored")
    assert (found.verdict, found.looks[0].samples) == ("fail", 2)
    assert found.comparisons[0].result == found.looks[0].result
    assert decide(Gate(), base, dropped).comparisons[0].result != found.looks[0].result


def test_every_metric_is_decided_at_its_own_look(make_record: Callable[..., RunRecord]) -> None:
    cases = {f"c{i:03}": [i % 9 > 0, i % 7 > 0, i % 8 > 0, i % 6 > 0] for i in range(200)}
    base, same = make_record(cases), make_record(cases, version="v2")
    gate = Gate(guardrails={"correct": 0.5}, target="population")
    found = decide_in_looks(gate, base, same, planned=4, reached=4, base_run="interleaved")
    primary, guardrail = found.looks
    assert found.verdict == "pass"
    assert guardrail.samples <= primary.samples
    assert [look.level < 0.05 for look in primary.looks] == [True] * len(primary.looks)
