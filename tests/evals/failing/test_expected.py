from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import JsonValue

from linenotes.evals.failing._expected import Unmet, first_with, first_without, is_met, unmet

if TYPE_CHECKING:
    from tests.evals.failing.conftest import Tell

    from linenotes.tracing import Message

ASKED = ("user", "planner", "What is item #3#?")
PLANNED = ("planner", "worker", "1. look up item #3#")
WRONG = Unmet("answer", "ANS-3", "ANS-10")


def number(message: Message | None) -> str | None:
    return message.id if message else None


@pytest.mark.parametrize(
    ("expected", "output", "told"),
    [
        ({"answer": "ANS-3"}, {"answer": "ANS-10"}, "expected ANS-3, got ANS-10"),
        ({"answer": "ANS-3"}, {"messages": [{"content": "None"}]}, "expected ANS-3, got None"),
        ({"answer": "ANS-3"}, "It is ANS-30.", "expected ANS-3, got It is ANS-30."),
        ({"n": 7}, {"n": -1}, "expected 7, got -1"),
        ({"a": "same", "b": "x"}, {"a": "same", "b": "y"}, "expected x, got y"),
        ({"answer": "red"}, {"answer": "red wine"}, "expected red, got red wine"),
    ],
)
def test_what_was_expected_and_came_is_told(
    expected: dict[str, JsonValue], output: JsonValue, told: str
) -> None:
    assert str(unmet(expected, output)) == told


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ({"answer": "ANS-3"}, {"answer": "ANS-3"}),
        ({"answer": "ans-3"}, {"messages": [{"content": "That is ANS-3."}]}),
        ({"rows": [1, 2], "shape": {"a": 1}}, {"rows": [], "shape": {}}),
        ({}, {"answer": "x"}),
    ],
)
def test_what_is_held_or_is_not_plain_is_not_told(
    expected: dict[str, JsonValue], output: JsonValue
) -> None:
    assert unmet(expected, output) is None
    assert is_met(expected, output)


def test_only_what_the_metric_is_named_after_is_asked_for() -> None:
    expected: dict[str, JsonValue] = {"intent": "freeze", "team": "banking"}
    output: JsonValue = {"intent": "melt", "team": "cards"}
    assert str(unmet(expected, output, "team_correct")) == "expected banking, got cards"
    assert str(unmet(expected, output, "correct")) == "expected freeze, got melt"
    half: JsonValue = {"intent": "melt", "team": "banking"}
    assert is_met(expected, half, "team_correct")
    assert not is_met(expected, half, "matches_expectations")


def test_where_passing_samples_first_say_the_answer_it_lacks_in_a_failing_one(tell: Tell) -> None:
    free = tell(ASKED, ("worker", "writer", "It is ANS-10."), ("writer", "user", "So: ANS-10!"))
    wrong = Unmet("answer", "ANS-3", "So: ANS-10!")
    assert first_without(wrong, free) is None
    assert number(first_without(wrong, free, {("worker", "reply")})) == "m1"
    told = tell(ASKED, ("worker", "writer", "ANS-3"), ("writer", "user", "ANS-3"))
    assert number(first_with("ANS-3", told)) == "m1"
    assert first_with("item", told) is None


def test_who_first_says_what_came_instead_lacks_the_answer(tell: Tell) -> None:
    ledger = tell(ASKED, PLANNED, ("worker", "reviewer", "ANS-10"), ("reviewer", "user", "ANS-10"))
    assert number(first_without(WRONG, ledger)) == "m2"


def test_who_had_the_answer_before_them_and_gives_another_lacks_it(tell: Tell) -> None:
    ledger = tell(ASKED, ("worker", "reviewer", "It is ANS-3"), ("reviewer", "user", "ANS-10"))
    assert number(first_without(WRONG, ledger)) == "m2"


def test_who_worked_beside_the_one_with_the_answer_did_not_lose_it(tell: Tell) -> None:
    beside = {2: (1,), 3: (1,), 4: (2, 3)}
    ledger = tell(
        *(ASKED, PLANNED, ("a", "reader", "ANS-3"), ("b", "reader", "ANS-10")),
        ("reader", "user", "ANS-10"),
        answers=beside,
    )
    assert number(first_without(WRONG, ledger)) == "m4"


def test_what_is_said_aside_and_what_is_made_good_again_lost_nothing(tell: Tell) -> None:
    aside = {3: (2,), 4: (2,)}
    ledger = tell(
        *(ASKED, PLANNED, ("worker", "writer", "ANS-3"), ("log", "nobody", "noted")),
        ("writer", "user", "ANS-10"),
        answers=aside,
    )
    assert number(first_without(WRONG, ledger)) == "m4"
    made_good = tell(ASKED, ("a", "b", "ANS-3"), ("b", "c", "hm"), ("c", "user", "ANS-3"))
    assert first_without(WRONG, made_good) is None


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (WRONG, "Is it ANS-3 or ANS-4?"),
        (WRONG, "Surely ANS-10?"),
        (Unmet("n", "7", "-1", is_text=False), "How many?"),
        (Unmet("choice", "A", "B"), "Which one?"),
        (Unmet("answer", "ANS-3", ""), "What?"),
    ],
)
def test_what_chance_or_the_question_explains_is_not_said(
    answer: Unmet, asked: str, tell: Tell
) -> None:
    ledger = tell(("user", "a", asked), ("a", "b", answer.got), ("b", "user", answer.got))
    assert first_without(answer, ledger) is None


def test_an_answer_that_is_new_at_the_end_may_have_begun_anywhere(tell: Tell) -> None:
    ledger = tell(ASKED, ("worker", "writer", "see the table"), ("writer", "user", "ANS-10"))
    assert first_without(WRONG, ledger) is None
    assert number(first_without(WRONG, tell(ASKED, ("worker", "user", "ANS-10")))) == "m1"
    assert first_without(WRONG, tell(ASKED)) is None
