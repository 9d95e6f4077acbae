"""With whose message a failure begins: a suspect, found by reading, never a verdict.

Passing samples of the same case are read beside the failing one: the suspect sent the first
message that none of them has. Where passing samples as a rule differ from one another in the same
place, a difference there says little, and what is expected is looked for instead. Often nothing
can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from linenotes.evals.failing._departures import (
    Place,
    before,
    closest,
    departing,
    pairs,
    place,
)
from linenotes.evals.failing._expected import Unmet, first_with, first_without
from linenotes.evals.failing._habits import Habits, told_anew
from linenotes.tracing import USER, Ledger, Message

Why = Literal["departs", "raised", "is missing", "lacks the answer"]
"""No passing sample has the message; an error came of them; a passing sample has one more message;
or the message should hold what is expected."""


@dataclass(frozen=True)
class Suspect:
    """Who sent the message with which a failure seems to begin."""

    actor: str
    """Several names where several did so at once."""
    message: Message | None
    """Of the failing sample; of a passing one where it is missing; None of one who raised."""
    why: Why


def suspect(
    failing: Ledger,
    passing: Sequence[Ledger],
    answer: Unmet | None = None,
    *,
    raised: str | None = None,
    habits: Habits = Habits(),  # noqa: B008  it is immutable
) -> Suspect | None:
    """Return with whom a failure begins; None where that cannot be said.

    Args:
        failing: what was said in the failing sample.
        passing: what was said in passing samples of its case.
        answer: what was expected and did not come, where the metric asks for that.
        raised: who raised the error that ended the failing sample.
        habits: how passing samples of the run usually go.
    """
    vary = told_anew(passing) | habits.told_anew
    found = departing(failing, passing) if passing else []
    telling = [one for one in found if place(one) not in vary]
    vague = {one.id for one in found} - {one.id for one in telling}
    firsts = _firsts(telling, failing)
    sure = [one for one in firsts if not vague & before(one, failing)]
    lacking = _lacking(answer, failing, passing, habits) if answer else None
    if sure:
        return _departing(sure, failing, passing)
    if raised is not None:
        return Suspect(raised, None, "raised")
    if not found and (absent := _absent(failing, passing, vary)):
        return Suspect(absent.sender, absent, "is missing")
    if lacking is not None:
        return Suspect(lacking.sender, lacking, "lacks the answer")
    return _departing(firsts, failing, passing) if firsts else None


def _firsts(found: Sequence[Message], ledger: Ledger) -> list[Message]:
    """Return those that answer none of the others."""
    ids = {one.id for one in found}
    return [one for one in found if not ids & before(one, ledger)]


def _departing(firsts: Sequence[Message], failing: Ledger, passing: Sequence[Ledger]) -> Suspect:
    """Return the suspect, or who is missing among those that they would have answered."""
    nearest = closest(failing, passing)
    assert nearest is not None
    rows = pairs(failing, nearest)
    missing = {right.id: right for left, right in rows if left is None and right is not None}
    partner = next((right for left, right in rows if left is firsts[0]), None)
    answered = before(partner, nearest) if partner else set()
    absent = next((one for key, one in missing.items() if key in answered), None)
    if absent is not None and absent.sender != USER:
        return Suspect(absent.sender, absent, "is missing")
    return Suspect(_names(firsts), firsts[0], "departs")


def _absent(failing: Ledger, passing: Sequence[Ledger], vary: set[Place]) -> Message | None:
    """Return the first message that the nearest passing sample has, and the failing one lacks."""
    nearest = closest(failing, passing)
    missing = [right for left, right in pairs(failing, nearest) if not left] if nearest else []
    return next((one for one in missing if one and place(one) not in vary), None)


def _lacking(
    answer: Unmet, failing: Ledger, passing: Sequence[Ledger], habits: Habits
) -> Message | None:
    said = (first_with(answer.expected, ledger) for ledger in passing)
    own = {place(one) for one in said if one}
    return first_without(answer, failing, own or habits.answering.get(answer.name, ()))


def _names(messages: Iterable[Message]) -> str:
    return ", ".join(sorted({one.sender for one in messages}))
