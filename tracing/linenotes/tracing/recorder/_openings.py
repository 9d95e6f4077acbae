"""What comes into a graph from outside: the user's words, or an outer agent's errand.

A graph's own input may be written in many ways (tuples, dicts, a plain state), so it is read off
the first tasks, which get it as messages or as state values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing._ledger import USER
from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import fields_of, messages_in, values_in

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Task

_OUTSIDE = frozenset({"human", "system"})


def adopt(book: Book, task: Task, message: BaseMessage) -> Entry:
    """Make a row of a message that `task` got and nobody is known to have said."""
    task.within.opened = True
    outer = task.within.host
    if outer and outer.activation:
        return book.say(
            "delegate",
            sender=outer.activation.actor,
            view=context(outer),
            start_ns=task.start_ns,
            end_ns=task.start_ns,
            task=outer,
            message=message,
        )
    entry = book.say(
        "input",
        sender=USER if message.type in _OUTSIDE else message.name or "assistant",
        view=(),
        start_ns=task.within.run.start_ns,
        end_ns=task.within.run.start_ns,
        message=message,
    )
    entry.past = (1 << entry.index) - 1
    return entry


def open_routed(book: Book, start: Task) -> None:
    """Make rows of a graph's input that conditional edges share out before any task gets it."""
    payloads = [send.arg for send in start.sends]
    found = [book.entries.find(m) or adopt(book, start, m) for m in messages_in(payloads)]
    open_state(book, start, has_messages=bool(found))


def open_state(book: Book, task: Task, *, has_messages: bool) -> None:
    """Make a row of the plain state that a graph was given, if it speaks for itself."""
    scope = task.within
    if scope.opened:
        return
    scope.opened = True
    if has_messages:
        return
    given = values_in(fields_of(scope.run.inputs))
    outer = scope.host
    if outer is None:
        _user_state(book, task, given)
    elif outer.activation:
        _delegate_state(book, outer, given, task.start_ns)


def _user_state(book: Book, task: Task, given: dict[str, object]) -> None:
    if not given:
        return
    at = task.within.run.start_ns
    entry = book.say("input", sender=USER, view=(), start_ns=at, end_ns=at, payload=given)
    entry.past = (1 << entry.index) - 1
    book.carry(entry, given)


def _delegate_state(book: Book, outer: Task, given: dict[str, object], at: int) -> None:
    """Make a row of what a node gave a graph that it ran itself, and did not just pass through."""
    known = fields_of(outer.inputs)
    new = {key: value for key, value in given.items() if known.get(key) is not value}
    if not new or outer.activation is None:
        return
    entry = book.say(
        "delegate",
        sender=outer.activation.actor,
        view=context(outer),
        start_ns=at,
        end_ns=at,
        task=outer,
        payload=new,
    )
    book.carry(entry, new)
