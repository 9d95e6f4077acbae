from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals.failing._expected import Unmet
from linenotes.evals.failing._habits import Habits
from linenotes.evals.failing._suspects import suspect

if TYPE_CHECKING:
    from tests.evals.failing.conftest import Tell

    from linenotes.tracing import Ledger

WRONG = Unmet("answer", "ANS-3", "ANS-10")
FORKED = {2: (1,), 3: (1,), 4: (2, 3)}


def chain(tell: Tell, planned: str, found: str, said: str) -> Ledger:
    return tell(
        ("user", "planner", "What is #3?"),
        ("planner", "worker", planned),
        ("worker", "reviewer", found),
        ("reviewer", "user", said),
    )


def forked(tell: Tell, a: str, b: str, end: str, *, swapped: bool = False) -> Ledger:
    both = [("a", "reader", a), ("b", "reader", b)]
    return tell(
        *(("user", "planner", "Go"), ("planner", "a", "go")),
        *(reversed(both) if swapped else both),
        ("reader", "user", end),
        answers=FORKED,
    )


def test_the_first_message_that_no_passing_sample_has_is_suspected(tell: Tell) -> None:
    good = chain(tell, "look up", "ANS-3", "ANS-3")
    found = suspect(chain(tell, "look up", "ANS-10", "ANS-10"), [good])
    assert found is not None
    assert (found.actor, found.why) == ("worker", "departs")
    assert found.message is not None
    assert found.message.text == "ANS-10"


def test_the_order_in_which_parallel_agents_end_is_nobodys_fault(tell: Tell) -> None:
    good = forked(tell, "A", "B", "AB")
    found = suspect(forked(tell, "A", "B", "wrong", swapped=True), [good])
    assert found is not None
    assert found.actor == "reader"


def test_of_parallel_agents_the_one_that_departs_is_suspected_whoever_came_first(
    tell: Tell,
) -> None:
    good = forked(tell, "A", "B", "AB")
    for swapped in (False, True):
        found = suspect(forked(tell, "A", "wrong", "A-", swapped=swapped), [good])
        assert found is not None
        assert found.actor == "b"


def test_two_that_depart_at_once_are_both_named_in_one_order(tell: Tell) -> None:
    good = forked(tell, "A", "B", "AB")
    for swapped in (False, True):
        found = suspect(forked(tell, "x", "y", "xy", swapped=swapped), [good])
        assert found is not None
        assert found.actor == "a, b"


def test_where_passing_samples_differ_too_a_difference_says_nothing(tell: Tell) -> None:
    passing = [chain(tell, words, "ANS-3", "ANS-3") for words in ("look", "see", "find")]
    found = suspect(chain(tell, "search", "ANS-10", "ANS-10"), passing)
    assert found is not None
    assert found.actor == "worker"


def test_one_passing_sample_that_differs_from_the_others_hides_nobody(tell: Tell) -> None:
    passing = [chain(tell, "look", words, "ANS-3") for words in ("ANS-3", "ANS-3", "is ANS-3")]
    found = suspect(chain(tell, "look", "ANS-10", "ANS-10"), passing)
    assert found is not None
    assert found.actor == "worker"


def test_behind_what_is_told_anew_each_time_the_expected_answer_is_looked_for(tell: Tell) -> None:
    passing = [chain(tell, f"plan {n}", f"{n}: ANS-3", "ANS-3") for n in range(3)]
    failing = chain(tell, "plan 7", "7: ANS-10", "ANS-10")
    found = suspect(failing, passing, WRONG)
    assert found is not None
    assert (found.actor, found.why) == ("worker", "lacks the answer")


def test_a_message_that_was_never_sent_is_looked_for_at_who_sends_it_else(tell: Tell) -> None:
    good = forked(tell, "A", "B", "AB")
    silent = tell(
        ("user", "planner", "Go"), ("planner", "a", "go"), ("a", "reader", "A"),
        ("reader", "user", "A only"), answers={2: (1,), 3: (2,)},
    )  # fmt: skip
    found = suspect(silent, [good])
    assert found is not None
    assert (found.actor, found.why) == ("b", "is missing")


def test_a_conversation_that_breaks_off_begins_at_who_falls_silent(tell: Tell) -> None:
    good = chain(tell, "look", "ANS-3", "ANS-3")
    found = suspect(tell(*[(m.sender, m.recipients[0], m.text) for m in good][:2]), [good])
    assert found is not None
    assert (found.actor, found.why) == ("worker", "is missing")


def test_who_raised_is_suspected_where_nobody_departed_before(tell: Tell) -> None:
    broken = tell(("user", "planner", "What is #3?"), ("planner", "worker", "look"))
    found = suspect(broken, [], raised="worker")
    assert found is not None
    assert (found.actor, found.why, found.message) == ("worker", "raised", None)
    good = chain(tell, "other", "ANS-3", "ANS-3")
    found = suspect(broken, [good], raised="worker")
    assert found is not None
    assert found.actor == "planner"


def test_nobody_is_suspected_where_nothing_can_be_said(tell: Tell) -> None:
    same = chain(tell, "look", "ANS-3", "ANS-3")
    assert suspect(same, []) is None
    assert suspect(same, [same]) is None
    anew = [chain(tell, f"p{n}", f"f{n}", f"s{n}") for n in range(3)]
    assert suspect(chain(tell, "p7", "f7", "s7"), anew) is None


def test_with_one_passing_sample_the_run_tells_what_is_said_anew_each_time(tell: Tell) -> None:
    good = chain(tell, "look up", "It is ANS-3.", "ANS-3")
    failing = chain(tell, "find out", "It is ANS-10.", "ANS-10")
    alone = suspect(failing, [good])
    assert alone is not None
    assert alone.actor == "planner"
    usual = Habits(told_anew=frozenset({("planner", "reply")}))
    found = suspect(failing, [good], habits=usual)
    assert found is not None
    assert (found.actor, found.why) == ("worker", "departs")


def test_without_a_passing_sample_other_cases_tell_who_answers(tell: Tell) -> None:
    failing = chain(tell, "look up", "It is ANS-10.", "So: ANS-10!")
    answer = Unmet("answer", "ANS-3", "So: ANS-10!")
    assert suspect(failing, [], answer) is None
    usual = Habits(answering={"answer": frozenset({("worker", "reply")})})
    found = suspect(failing, [], answer, habits=usual)
    assert found is not None
    assert (found.actor, found.why) == ("worker", "lacks the answer")
