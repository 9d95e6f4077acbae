"""The ledgers of one thread as one story, as when a graph waits for a person and goes on later.

Each invocation of a thread has a ledger of its own, which begins with the messages that the
thread held already. In the story each of them stands once, where it was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from linenotes.tracing._ledger import UNNAMED, Ledger, Message
from linenotes.tracing._trace import Trace


def one_story(ledgers: Iterable[Ledger]) -> Ledger:
    """Return the messages of `ledgers` in the order in which they happened.

    A message that an earlier ledger has is not repeated: whoever got it again has seen it.
    """
    story: dict[str, Message] = {}
    for number, ledger in enumerate(sorted(ledgers, key=_begin)):
        ids = {message.id: _id_in_story(message, number, story) for message in ledger}
        for message in ledger:
            told = _renamed(message, ids)
            known = story.get(told.id)
            story[told.id] = told if known is None else _met_again(known, told)
    return Ledger(tuple(story.values()))


def joined(traces: Sequence[Trace]) -> Trace:
    """Return the traces of one thread, at least one, as a single one under the last one's id."""
    first, last = traces[0], traces[-1]
    return replace(
        last,
        start_ns=first.start_ns,
        request=first.request,
        spans=tuple(span for trace in traces for span in trace.spans),
        messages=one_story(trace.ledger for trace in traces).messages,
    )


def _begin(ledger: Ledger) -> int:
    return min((message.start_ns for message in ledger), default=0)


def _id_in_story(message: Message, number: int, story: dict[str, Message]) -> str:
    """Return the message's own id, which says what it is, or a number that no other has."""
    made_up = message.id.startswith(UNNAMED) and message.id in story
    return f"{message.id}@{number}" if made_up else message.id


def _renamed(message: Message, ids: dict[str, str]) -> Message:
    cause = tuple(ids.get(cause, cause) for cause in message.cause)
    return replace(message, id=ids[message.id], cause=cause)


def _met_again(known: Message, again: Message) -> Message:
    there = {known.sender, *known.recipients, *known.seen_by}
    new = (actor for actor in (*again.recipients, *again.seen_by) if actor not in there)
    if not known.recipients:
        return replace(known, recipients=tuple(again.recipients), seen_by=again.seen_by)
    return replace(known, seen_by=(*known.seen_by, *dict.fromkeys(new)))
