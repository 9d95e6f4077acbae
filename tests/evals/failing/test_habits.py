from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.datasets import Case
from linenotes.evals import Sample
from linenotes.evals.failing._habits import habits, told_anew

if TYPE_CHECKING:
    from tests.evals.failing.conftest import Line, Tell

Make = Callable[..., Sample]
PLANNER, WORKER = ("planner", "reply"), ("worker", "reply")


def passing(make: Make, tell: Tell, case: int, sample: int, said: str = "") -> Sample:
    golden = Case(
        id=f"c{case}", inputs={"question": "Go"}, expectations={"answer": f"ANS-{case}", "n": 1}
    )
    answer = said or f"ANS-{case}"
    lines: list[Line] = [
        ("user", "planner", "Go"),
        ("planner", "worker", f"plan {sample}"),
        ("worker", "user", answer),
    ]
    found = make(golden, sample)
    trace = replace(found.trace, messages=tell(*lines).messages)
    return replace(found, output={"answer": answer, "n": 1}, trace=trace)


def test_what_differs_from_sample_to_sample_is_told_anew(make_sample: Make, tell: Tell) -> None:
    cases = [[passing(make_sample, tell, case, n) for n in range(3)] for case in range(4)]
    found = habits(cases)
    assert found.told_anew == {PLANNER}
    assert found.answering == {"answer": {WORKER}}
    assert found.asks


def test_single_samples_tell_who_answers_and_not_what_varies(make_sample: Make, tell: Tell) -> None:
    found = habits([[passing(make_sample, tell, case, case)] for case in range(4)])
    assert found.told_anew == set()
    assert found.answering == {"answer": {WORKER}}


def test_a_metric_that_passes_other_answers_does_not_ask_for_them(
    make_sample: Make, tell: Tell
) -> None:
    found = habits([[passing(make_sample, tell, 1, 0), passing(make_sample, tell, 1, 1, "no")]])
    assert not found.asks


def test_one_of_several_that_differs_is_no_rule(tell: Tell) -> None:
    def said(text: str) -> Line:
        return "worker", "user", text

    assert told_anew([tell(said("x")), tell(said("x")), tell(said("y"))]) == set()
    assert told_anew([tell(said("x")), tell(said("y"))]) == {WORKER}
    assert told_anew([tell(said("x"))]) == set()
