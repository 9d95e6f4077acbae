"""Where one conversation departs from others of the same case.

Order is never identity: agents side by side end in any order. So what was said is looked for
wherever it stands, and a message comes before another only where the other answers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from linenotes.tracing import USER, Ledger, Message

Pair = tuple[Message | None, Message | None]
"""The same message of two conversations, or what stands in its place; None where one has none."""
Place = tuple[str, str]
"""Who said something, and of what kind it is."""
_Said = tuple[str, str, frozenset[str], str]


def told(ledger: Ledger) -> list[Message]:
    """Return what was said, without receipts."""
    return [message for message in ledger if message.kind != "ack"]


def same(one: Message | None, other: Message | None) -> bool:
    """Tell whether two conversations have the same message."""
    return one is not None and other is not None and _said(one) == _said(other)


def place(message: Message) -> Place:
    """Return what messages have in common that stand for one another in two conversations."""
    return message.sender, message.kind


def departing(ledger: Ledger, others: Iterable[Ledger]) -> list[Message]:
    """Return what agents said that none of the others has, or none so often."""
    known: Counter[_Said] = Counter()
    for other in others:
        known |= Counter(map(_said, told(other)))
    found, seen = [], Counter[_Said]()
    for message in told(ledger):
        seen[_said(message)] += 1
        if message.sender != USER and seen[_said(message)] > known[_said(message)]:
            found.append(message)
    return found


def pairs(ledger: Ledger, other: Ledger) -> list[Pair]:
    """Return both conversations beside one another, in the order of the first.

    Equal messages stand beside one another, then those of one place in their order. What only the
    other has follows what it follows there.
    """
    left, right = told(ledger), told(other)
    partners = _partners(left, right)
    rows: list[Pair] = [
        (message, right[partners[number]] if number in partners else None)
        for number, message in enumerate(left)
    ]
    for number in sorted({*range(len(right))} - {*partners.values()}):
        before = right[number - 1] if number else None
        after = next((row for row, (_, shown) in enumerate(rows) if shown is before), -1)
        rows.insert(after + 1 if before else 0, (None, right[number]))
    return rows


def closest(ledger: Ledger, others: Sequence[Ledger]) -> Ledger | None:
    """Return the conversation with the fewest differences, of equal ones the first."""
    return min(others, key=lambda other: _distance(ledger, other), default=None)


def before(message: Message, ledger: Ledger) -> set[str]:
    """Return the ids of all that a message answers, directly or not.

    One that does not say what it answers, as in some files, answers the one before it.
    """
    messages = told(ledger)
    previous = {one.id: messages[number - 1].id for number, one in enumerate(messages) if number}
    causes = {one.id: one.cause for one in messages}
    found: set[str] = set()
    open_ones = [message.id]
    while open_ones:
        one = open_ones.pop()
        known = causes.get(one) or ((previous[one],) if one in previous else ())
        open_ones += [cause for cause in known if cause not in found]
        found.update(known)
    return found


def _said(message: Message) -> _Said:
    return message.kind, message.sender, frozenset(message.recipients), message.text


def _partners(left: Sequence[Message], right: Sequence[Message]) -> dict[int, int]:
    """Return for messages of one conversation, by number, those of the other."""
    found: dict[int, int] = {}
    for alike in (_said, place):
        free: dict[object, list[int]] = {}
        for number, message in enumerate(right):
            if number not in found.values():
                free.setdefault(alike(message), []).append(number)
        for number, message in enumerate(left):
            if number not in found and free.get(alike(message)):
                found[number] = free[alike(message)].pop(0)
    return found


def _distance(ledger: Ledger, other: Ledger) -> int:
    one, two = (Counter(map(_said, told(either))) for either in (ledger, other))
    return ((one - two) + (two - one)).total()
