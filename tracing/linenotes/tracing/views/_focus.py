"""Which part of a conversation is looked at: how deep, whose, and with or without plumbing.

Every function takes a ledger and returns a smaller one. What is left out leaves no hole: a
message that answered it answers what it had answered. When actors are taken together, what they
said among themselves goes, and its tokens and cost go to the next message that they sent out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from linenotes.project import RunError
from linenotes.tracing._ledger import Ledger, Message, total_cost

PLUMBING = frozenset({"ack"})
"""Kinds of messages that carry nothing: code wrote them to keep a protocol."""
_NUMBER = re.compile(r"#(\d+)(?=/|$)")
"""What tells instances of one agent apart."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What a person wants to see of a conversation; by default all but its plumbing."""

    depth: int | None = None
    """Actors below this level count as the one above them: 1 makes `team/search` `team`."""
    actor: str | None = None
    """Only messages to or from this actor, or those inside of it."""
    plumbing: bool = False

    def apply(self, ledger: Ledger) -> Ledger:
        """Return what is in focus.

        Raises:
            RunError: nobody of that name takes part.
        """
        if self.depth is not None:
            ledger = collapse(ledger, self.depth)
        if not self.plumbing:
            ledger = without_plumbing(ledger)
        return ledger if self.actor is None else only_actor(ledger, self.actor)

    def shows(self, actor: str) -> bool:
        """Tell whether what `actor` does by itself is in focus."""
        return self.actor is None or is_part(actor, self.actor)


def collapse(ledger: Ledger, depth: int) -> Ledger:
    """Return the ledger with actors taken together below `depth` levels of their paths."""
    shallow = [_shallow(message, depth) for message in ledger]
    inside = {new.id for old, new in zip(ledger, shallow, strict=True) if _is_inside(old, new)}
    heirs = _heirs(shallow, inside)
    silent = {new.id for new in shallow if heirs.get(new.id) == new.id}
    merged = _inherit(shallow, heirs)
    return Ledger(_without(merged, inside - silent))


def without_plumbing(ledger: Ledger) -> Ledger:
    """Return the ledger without what code wrote to keep a protocol, such as hand-backs."""
    return Ledger(_without(ledger.messages, {m.id for m in ledger if m.kind in PLUMBING}))


def only_actor(ledger: Ledger, name: str) -> Ledger:
    """Return the messages to or from `name`: a whole path, its end, or a part of it.

    Raises:
        RunError: nobody of that name takes part.
    """
    apart = {m.id for m in ledger if not any(is_part(a, name) for a in (m.sender, *m.recipients))}
    if len(apart) == len(ledger):
        raise RunError(
            f"No message is to or from {name!r}. "
            f"Actors of this conversation: {', '.join(ledger.actors) or 'none'}."
        )
    return Ledger(_without(ledger.messages, apart))


def is_part(actor: str, name: str) -> bool:
    """Tell whether the path `actor` is `name`, ends in it or passes through it.

    `worker` means all of `worker#1` and `worker#2`.
    """
    return any(f"/{name}/" in f"/{path}/" for path in (actor, _NUMBER.sub("", actor)))


def side_by_side(actors: Iterable[str]) -> list[str]:
    """Return each actor once as they appear, with instances of one together, by their numbers."""
    found: dict[str, dict[str, None]] = {}
    for actor in actors:
        found.setdefault(_NUMBER.sub("", actor), {}).setdefault(actor)
    return [
        actor
        for instances in found.values()
        for actor in sorted(instances, key=lambda name: [*map(int, _NUMBER.findall(name))])
    ]


def shallow_name(actor: str, depth: int | None) -> str:
    """Return the first `depth` levels of the path of an actor."""
    return actor if depth is None else "/".join(actor.split("/")[:depth])


def _shallow(message: Message, depth: int) -> Message:
    sender = shallow_name(message.sender, depth)
    names = dict.fromkeys(shallow_name(name, depth) for name in message.recipients)
    if sender != message.sender or any(name not in message.recipients for name in names):
        names.pop(sender, None)
    readers = dict.fromkeys(shallow_name(name, depth) for name in message.seen_by)
    others = tuple(name for name in readers if name not in names and name != sender)
    if not names and others and _is_result(message):
        names, others = {others[0]: None}, others[1:]
    return replace(message, sender=sender, recipients=tuple(names), seen_by=others)


def _is_result(message: Message) -> bool:
    """Tell whether a part of an actor gave it to that actor, for whoever reads it there."""
    return bool(message.recipients) and all(
        message.sender.startswith(f"{recipient}/") for recipient in message.recipients
    )


def _is_inside(old: Message, new: Message) -> bool:
    """Tell whether a message never left the actor that its sender is now a part of."""
    return not new.recipients and (new.sender != old.sender or bool(old.recipients))


def _heirs(messages: Sequence[Message], inside: Collection[str]) -> dict[str, str]:
    """Return for each message inside an actor the one that gets its tokens.

    It is the next one that the actor sent out, else the last one. An actor that sent nothing out
    keeps its last message, so that it does not vanish with what it cost.
    """
    heirs: dict[str, str] = {}
    following: dict[str, str] = {}
    for message in reversed(messages):
        if message.id not in inside:
            following[message.sender] = message.id
        elif message.sender in following:
            heirs[message.id] = following[message.sender]
    last: dict[str, str] = {}
    for message in messages:
        if message.id not in inside or message.sender not in following:
            last[message.sender] = message.id
    return {m.id: heirs.get(m.id, last[m.sender]) for m in messages if m.id in inside}


def _inherit(messages: Sequence[Message], heirs: dict[str, str]) -> list[Message]:
    left: dict[str, list[Message]] = {}
    for message in messages:
        heir = heirs.get(message.id, message.id)
        if heir != message.id:
            left.setdefault(heir, []).append(message)
    return [_with_shares(m, left[m.id]) if m.id in left else m for m in messages]


def _with_shares(heir: Message, given: Sequence[Message]) -> Message:
    starts = [m.start_ns for m in (heir, *given) if m.start_ns]
    return replace(
        heir,
        tokens=sum((m.tokens for m in given), heir.tokens),
        cost=total_cost((heir, *given)),
        start_ns=min(starts, default=0),
    )


def _without(messages: Iterable[Message], dropped: Collection[str]) -> tuple[Message, ...]:
    """Return the other messages; who answered a dropped one answers what that one answered."""
    answered: dict[str, tuple[str, ...]] = {}
    kept = []
    for message in messages:
        cause = tuple(dict.fromkeys(c for own in message.cause for c in answered.get(own, (own,))))
        if message.id in dropped:
            answered[message.id] = cause
        elif cause == message.cause:
            kept.append(message)
        else:
            kept.append(replace(message, cause=cause))
    return tuple(kept)
