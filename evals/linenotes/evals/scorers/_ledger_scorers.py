"""Who talked to whom, in which order, and what went astray: scorers that read the ledger.

Each names in its rationale the messages that it rests on, numbered as the lines of `linenotes trace
show`. An agent is meant by its name, by the path of its node, or by a graph around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._built_in import built_in
from linenotes.evals.scorers._rationales import listed, route, said
from linenotes.evals.scorers._scorers import ScoreFunction
from linenotes.evals.scorers._turns import Turn, can_be_ordered, is_called, turns
from linenotes.project import ScorerError
from linenotes.tracing import USER, Message

Order = Literal["strict", "unordered", "subset", "superset"]


@built_in
def talked_to(sender: str, recipient: str) -> ScoreFunction:
    """Passes where one actor said something that the other got."""

    def judge(sample: Sample) -> Score:
        ledger = sample.ledger
        found = [
            number
            for number, message in enumerate(ledger)
            if message.kind != "ack"
            and is_called(message.sender, sender)
            and any(is_called(one, recipient) for one in (*message.recipients, *message.seen_by))
        ]
        if found:
            return said(True, f"{sender} talked to {recipient}: {listed(ledger, found)}.")
        own = [n for n, m in enumerate(ledger) if is_called(m.sender, sender) and m.kind != "ack"]
        what = f"said only {listed(ledger, own)}" if own else "said nothing"
        return said(False, f"{sender} did not talk to {recipient}: {sender} {what}.")

    return judge


@built_in
def handoffs(*agents: str, order: Order = "strict") -> ScoreFunction:
    """Passes where these agents were at work, one after the other.

    A turn lasts until another agent goes on; agents side by side come in any order.

    Args:
        agents: the turns that are expected, such as "triage", "specialist".
        order: `strict`, exactly these turns in this order; `unordered`, exactly these in any;
            `subset`, nobody but these; `superset`, all of these, and perhaps others.

    Raises:
        ScorerError: no agent is named, or there is no such order.
    """
    if not agents or order not in get_args(Order):
        orders = ", ".join(repr(one) for one in get_args(Order))
        raise ScorerError(
            f"handoffs takes agents and an order of {orders}, not {agents!r} and {order!r}. "
            'Write handoffs("triage", "specialist", order="strict").'
        )

    def judge(sample: Sample) -> Score:
        found = turns(sample.ledger, agents)
        passed = _holds(found, agents, order)
        wanted = f"{', '.join(agents)} ({order})"
        return said(passed, f"At work: {route(sample.ledger, found)}. Expected: {wanted}.")

    return judge


def _holds(found: Sequence[Turn], agents: Sequence[str], order: Order) -> bool:
    seen = [turn.agent for turn in found]
    if order == "strict":
        return can_be_ordered(found, agents)
    if order == "unordered":
        return sorted(seen) == sorted(agents)
    return set(seen) <= set(agents) if order == "subset" else set(agents) <= set(seen)


@built_in
def at_most_handoffs(limit: int) -> ScoreFunction:
    """Passes where work passed from one agent to another at most so often."""

    def judge(sample: Sample) -> Score:
        passed_on = [turn for turn in turns(sample.ledger) if turn.after]
        who = route(sample.ledger, passed_on)
        told = f"{len(passed_on)} handoffs, at most {limit} wanted; to {who}."
        return said(len(passed_on) <= limit, told)

    return judge


@built_in
def no_loop(repeats: int = 2) -> ScoreFunction:
    """Passes where no cycle of agents goes round more often than that in a row."""
    if repeats < 1:
        raise ScorerError(f"no_loop takes 1 or more rounds, not {repeats!r}. Write no_loop(2).")

    def judge(sample: Sample) -> Score:
        found = turns(sample.ledger)
        loop = max(_cycles(found), key=lambda one: (one[1], -len(one[0])), default=None)
        if loop is None or loop[1] <= repeats:
            return said(True, f"No cycle of agents went round more than {repeats} times.")
        cycle, rounds = loop
        names, first = ", ".join(turn.agent for turn in cycle), route(sample.ledger, cycle)
        return said(False, f"{names} went round {rounds} times, beginning with {first}.")

    return judge


def _cycles(found: Sequence[Turn]) -> Iterator[tuple[Sequence[Turn], int]]:
    """Yield each stretch of turns that is repeated at once, and how often it stands there."""
    names = [turn.agent for turn in found]
    for start in range(len(names)):
        for length in range(2, (len(names) - start) // 2 + 1):
            cycle = names[start : start + length]
            rounds = 1
            while names[start + rounds * length : start + (rounds + 1) * length] == cycle:
                rounds += 1
            # One agent that is at work several times side by side goes round nowhere.
            if rounds > 1 and len(set(cycle)) > 1:
                yield found[start : start + length], rounds


@built_in
def no_unread() -> ScoreFunction:
    """Passes where every message reached somebody who was at work after it."""

    def judge(sample: Sample) -> Score:
        ledger = sample.ledger
        lost = [n for n, message in enumerate(ledger) if _is_unread(message, n, sample)]
        if not lost:
            return said(True, f"All of {len(ledger)} messages were read.")
        return said(False, f"Nobody has read {listed(ledger, lost)}.")

    return judge


def _is_unread(message: Message, number: int, sample: Sample) -> bool:
    if message.kind == "ack" or message.seen_by:
        return False
    return not any(_ran_after(one, message, number, sample) for one in message.recipients)


def _ran_after(actor: str, message: Message, number: int, sample: Sample) -> bool:
    """Tell whether an actor was at work after a message; who says nothing still has a span."""
    if actor == USER:
        return True
    if any(later.sender == actor for later in sample.ledger.messages[number + 1 :]):
        return True
    name = actor.rpartition("/")[2]
    return any(s.name == name and s.start_ns >= message.start_ns for s in sample.trace.spans)
