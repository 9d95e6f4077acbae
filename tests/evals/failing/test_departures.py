from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals.failing._departures import before, closest, departing, pairs

if TYPE_CHECKING:
    from tests.evals.failing.conftest import Tell

ASKED = ("user", "planner", "What is #3?")
PLANNED = ("planner", "worker", "look it up")
FORKED = {2: (1,), 3: (1,), 4: (2, 3)}
"""Two workers side by side, then whoever reads both."""


def test_workers_that_end_in_another_order_depart_from_nothing(tell: Tell) -> None:
    a, b, end = ("a", "reader", "A-1"), ("b", "reader", "B-1"), ("reader", "user", "AB")
    one = tell(ASKED, PLANNED, a, b, end, answers=FORKED)
    other = tell(ASKED, PLANNED, b, a, end, answers=FORKED)
    assert departing(one, [other]) == []
    rows = pairs(one, other)
    assert all(left and right and left.text == right.text for left, right in rows)


def test_what_is_said_more_often_departs_as_often_as_it_is_new(tell: Tell) -> None:
    again = ("worker", "reader", "retry")
    found = departing(tell(ASKED, again, again, again), [tell(ASKED, again)])
    assert [one.id for one in found] == ["m2", "m3"]


def test_a_message_departs_only_where_none_of_the_others_has_it(tell: Tell) -> None:
    failing = tell(ASKED, PLANNED, ("worker", "user", "x"))
    others = [tell(ASKED, ("planner", "worker", "other")), tell(ASKED, PLANNED)]
    assert [one.text for one in departing(failing, others)] == ["x"]


def test_another_recipient_is_another_message(tell: Tell) -> None:
    found = departing(tell(("triage", "cards", "go")), [tell(("triage", "loans", "go"))])
    assert [one.sender for one in found] == ["triage"]


def test_what_the_user_says_is_given_and_departs_from_nothing(tell: Tell) -> None:
    assert departing(tell(("user", "a", "one")), [tell(("user", "a", "two"))]) == []


def test_what_only_one_side_has_stands_where_it_was_said(tell: Tell) -> None:
    short = tell(ASKED, ("worker", "user", "x"))
    long = tell(ASKED, PLANNED, ("worker", "user", "y"))
    rows = [(left and left.text, right and right.text) for left, right in pairs(short, long)]
    assert rows == [("What is #3?", "What is #3?"), (None, "look it up"), ("x", "y")]
    assert pairs(short, tell())[0][1] is None


def test_the_closest_is_the_one_with_the_fewest_differences(tell: Tell) -> None:
    near, far = tell(ASKED, PLANNED), tell(PLANNED, PLANNED, PLANNED)
    assert closest(tell(ASKED, PLANNED, PLANNED), [far, near]) is near
    assert closest(tell(ASKED), []) is None


def test_what_a_message_answers_is_known_through_all_between(tell: Tell) -> None:
    forked = tell(ASKED, PLANNED, ASKED, ASKED, ASKED, answers=FORKED)
    assert before(forked.messages[4], forked) == {"m0", "m1", "m2", "m3"}
    assert before(forked.messages[3], forked) == {"m0", "m1"}


def test_a_message_that_does_not_say_what_it_answers_follows_the_one_before_it(tell: Tell) -> None:
    silent = tell(ASKED, PLANNED, PLANNED, answers={0: (), 1: (), 2: ()})
    assert before(silent.messages[2], silent) == {"m0", "m1"}
