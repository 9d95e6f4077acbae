"""What each actor did and cost: messages, model calls, tokens, money and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from linenotes.tracing._ledger import USER, Ledger, Message, Tokens, total_cost
from linenotes.tracing.views._focus import PLUMBING, shallow_name, side_by_side

Role = Literal["user", "agent", "tool"]


@dataclass(frozen=True, slots=True)
class Share:
    """One actor's part of a conversation."""

    actor: str
    role: Role
    sent: int
    received: int
    calls: int
    """Model calls."""
    tokens: Tokens
    cost: float | None
    """US dollars of the calls with a known price; None where none has one."""
    seconds: float
    """How long it was at work. Work of two instances at the same time counts once."""


def shares(ledger: Ledger, *, depth: int | None = None) -> tuple[Share, ...]:
    """Return the share of every actor, in order of appearance; deeper ones count as those above.

    Who did nothing but plumbing has none.
    """
    actors = side_by_side(shallow_name(actor, depth) for actor in ledger.actors)
    found = (_share(actor, ledger, depth) for actor in actors)
    return tuple(share for share in found if share.sent or share.received or share.tokens.total)


def role_of(actor: str, messages: Iterable[Message]) -> Role:
    """Return what an actor is: the user, a tool that only answers calls, or an agent."""
    if actor == USER:
        return "user"
    called = said = False
    for message in messages:
        if message.sender == actor and message.kind not in ("result", *PLUMBING):
            said = True
        called = called or (message.sender == actor and message.kind == "result")
        called = called or (message.kind == "call" and actor in message.recipients)
    return "tool" if called and not said else "agent"


def _share(actor: str, ledger: Ledger, depth: int | None) -> Share:
    sent = [m for m in ledger if shallow_name(m.sender, depth) == actor]
    received = [m for m in ledger if actor in {shallow_name(r, depth) for r in m.recipients}]
    shown = [m for m in sent if m.kind not in PLUMBING]
    return Share(
        actor=actor,
        role=role_of(actor, ledger) if depth is None or actor in ledger.actors else "agent",
        sent=len(shown),
        received=sum(m.kind not in PLUMBING for m in received),
        calls=sum(m.sampled for m in sent),
        tokens=sum((m.tokens for m in sent), Tokens()),
        cost=total_cost(sent),
        seconds=_seconds(sent),
    )


def _seconds(messages: Iterable[Message]) -> float:
    """Return how long at least one of the messages was in the making."""
    total = until = 0
    for start, end in sorted((m.start_ns, m.end_ns) for m in messages if m.start_ns):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total / 1e9
