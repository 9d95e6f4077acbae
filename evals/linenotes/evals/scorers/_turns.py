"""Who was at work after whom: a ledger as turns of agents.

A turn is what one agent says until another one goes on; its tools belong to it. What is known of
the order of turns is who had whose words in view: agents that were at work side by side come in
no order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from linenotes.tracing import USER, Ledger, Message


@dataclass(frozen=True, slots=True)
class Turn:
    """What one agent said in a row."""

    agent: str
    messages: tuple[int, ...]
    """The places of its messages in the ledger, from 0."""
    after: frozenset[int]
    """The turns that came before it, by their places among the turns."""


def is_called(actor: str, name: str) -> bool:
    """Tell whether `name` means the actor: its whole path, its last part, or a graph around it."""
    return actor == name or actor.rpartition("/")[2] == name or actor.startswith(f"{name}/")


def agents_of(ledger: Ledger) -> frozenset[str]:
    """Return everyone who said something, but for the user and tools that only answer."""
    return frozenset(m.sender for m in ledger if m.kind not in {"ack", "input", "result"})


def turns(ledger: Ledger, names: Collection[str] = ()) -> tuple[Turn, ...]:
    """Return the turns of a ledger, in the order in which they were first heard.

    Args:
        ledger: who said what.
        names: what agents are called; one that none of them means keeps its own name.
    """
    return _Reading(ledger, names).turns()


class _Reading:
    """Turns in the making."""

    def __init__(self, ledger: Ledger, names: Collection[str]) -> None:
        self._ledger = ledger
        self._names = names
        self._agents = agents_of(ledger)
        self._said: list[list[int]] = []
        self._who: list[str] = []
        self._after: list[frozenset[int]] = []
        self._turns_of: dict[str, frozenset[int]] = {}
        """Message to the turns that it belongs to."""
        self._begun: dict[tuple[str, str | frozenset[int]], int] = {}

    def turns(self) -> tuple[Turn, ...]:
        for number, message in enumerate(self._ledger):
            before = [self._turns_of.get(cause, frozenset()) for cause in message.cause]
            seen = frozenset[int]().union(*before)
            if message.kind != "ack" and message.sender in self._agents - {USER}:
                seen = frozenset({self._turn(message, number, seen)})
            self._turns_of[message.id] = seen
        return tuple(
            Turn(agent, tuple(said), after)
            for agent, said, after in zip(self._who, self._said, self._after, strict=True)
        )

    def _turn(self, message: Message, number: int, seen: frozenset[int]) -> int:
        """Return the turn that a message belongs to, a new one if need be."""
        agent = next((n for n in self._names if is_called(message.sender, n)), message.sender)
        # What one agent says of the same words is one turn, unless instances are told apart.
        begun = (agent, message.activation or seen)
        goes_on = {turn for turn in seen if self._who[turn] == agent}
        if begun in self._begun:
            turn = self._begun[begun]
        elif goes_on and goes_on == seen:
            turn = max(goes_on)
        else:
            turn = len(self._who)
            self._who.append(agent)
            self._said.append([])
            self._after.append(seen.union(*(self._after[one] for one in seen)))
        self._begun[begun] = turn
        self._said[turn].append(number)
        return turn


def can_be_ordered(found: Sequence[Turn], agents: Sequence[str]) -> bool:
    """Tell whether the turns, in an order that they may have had, are those of `agents`."""
    if Counter(turn.agent for turn in found) != Counter(agents):
        return False
    done: set[int] = set()
    for agent in agents:
        ready = (
            place
            for place, turn in enumerate(found)
            if turn.agent == agent and place not in done and turn.after <= done
        )
        place = next(ready, None)
        if place is None:
            return False
        done.add(place)
    return True
