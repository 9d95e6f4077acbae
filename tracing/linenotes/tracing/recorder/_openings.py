"""What comes into a graph from outside: the user's words, or an outer agent's errand.

A graph's own input may be written in many ways (tuples, dicts, a plain state), so it is read off
the first tasks, which get it as messages or as state values. A thread's checkpoint brings back
what was said in earlier runs: that belongs to whoever said it then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command

from linenotes.tracing._ledger import USER
from linenotes.tracing.recorder._book import called_name, delegating
from linenotes.tracing.recorder._content import (
    WHOLE,
    calls_of,
    fields_of,
    is_a,
    is_tool_call,
    messages_in,
    values_in,
)
from linenotes.tracing.recorder._entries import is_rewritten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run, Task

OUTSIDE = frozenset({"human", "system"})


def adopt(book: Book, task: Task, message: BaseMessage, before: Sequence[Entry]) -> Entry:
    """Make a row of a message that `task` got, after `before`, and nobody is known to have said."""
    task.within.opened = True
    outer = task.within.host
    if outer and outer.activation:
        return book.say(
            "delegate",
            sender=outer.activation.actor,
            view=delegating(outer, task.within.run),
            start_ns=task.start_ns,
            end_ns=task.start_ns,
            task=outer,
            message=message,
        )
    if message.type in OUTSIDE:
        heard = [entry for entry in before if USER in entry.recipients]
        return _earlier(book, task, message, "input", USER, heard)
    kind: MessageKind = "call" if calls_of(message) else "reply"
    sender = message.name or "assistant"
    if is_a(message, ToolMessage):
        made, _ = book.call_of(message.tool_call_id, None)
        kind, sender = "result", message.name or called_name(made, message.tool_call_id) or "tool"
    entry = _earlier(book, task, message, kind, sender, before[-1:])
    if kind == "call":
        book.take_calls(entry, None)
        for call in calls_of(message):
            book.reach_tool(entry, call["name"])
    return entry


def _earlier(
    book: Book,
    task: Task,
    message: BaseMessage,
    kind: MessageKind,
    sender: str,
    view: Sequence[Entry],
) -> Entry:
    at = task.within.run.start_ns
    entry = book.say(kind, sender=sender, view=view, start_ns=at, end_ns=at, message=message)
    entry.past = (1 << entry.index) - 1
    if is_a(message, ToolMessage):
        entry.tool_call_id = message.tool_call_id
    return entry


def edited(
    book: Book, task: Task, given: Sequence[BaseMessage], found: Sequence[Entry]
) -> list[Entry]:
    """Return `found`, with rows of what a person rewrote in the state of a thread meanwhile."""
    rows = _changed_calls(book, task)
    for message, entry in zip(given, found, strict=True):
        if is_rewritten(entry, message):
            entry = _earlier(book, task, message, "input", USER, [entry])  # noqa: PLW2901  instead
            book.take_calls(entry, None)
        rows.append(entry)
    return rows


def _changed_calls(book: Book, task: Task) -> list[Entry]:
    """Make rows of the calls that `task` is to execute where a person changed what they ask."""
    calls = task.inputs if isinstance(task.inputs, list) and is_tool_call(task.inputs) else []
    rows = []
    for call in calls:
        made, _ = book.call_of(str(call.get("id")), task)
        asked = [one for one in calls_of(made.message) if one["id"] == call["id"]] if made else []
        if made and asked and asked[0]["args"] != call.get("args"):
            message = AIMessage("", tool_calls=[call])
            rows.append(_earlier(book, task, message, "input", USER, [made]))
            book.take_calls(rows[-1], None)
    return rows


def open_routed(book: Book, start: Task) -> None:
    """Make rows of a graph's input that conditional edges share out before any task gets it."""
    found: list[Entry] = []
    for message in messages_in([send.arg for send in start.sends]):
        found.append(book.entries.find(message) or adopt(book, start, message, found))
    open_state(book, start, has_messages=bool(found))


def open_state(book: Book, task: Task, *, has_messages: bool) -> None:
    """Make a row of the plain state that a graph was given, if it speaks for itself."""
    scope = task.within
    if scope.opened:
        return
    scope.opened = True
    if has_messages:
        return
    given = _given(book, task)
    outer = scope.host
    if outer is None:
        _user_state(book, task, given)
    elif outer.activation:
        _delegate_state(book, outer, scope.run, given, task.start_ns)


def _given(book: Book, task: Task) -> dict[str, object]:
    """Return the values that a graph was given; a resumed one has them from its checkpoint."""
    inputs = task.within.run.inputs
    if isinstance(inputs, Command):
        inputs = inputs.update
    if inputs is not None:
        return values_in(fields_of(inputs) or ({WHOLE: inputs} if task.is_function else {}))
    restored = values_in(fields_of(task.inputs))
    return {} if book.values.within(restored) else restored


def _user_state(book: Book, task: Task, given: dict[str, object]) -> None:
    if not given:
        return
    at = task.within.run.start_ns
    entry = book.say("input", sender=USER, view=(), start_ns=at, end_ns=at, payload=given)
    entry.past = (1 << entry.index) - 1
    book.values.add(entry, given)


def _delegate_state(book: Book, outer: Task, run: Run, given: dict[str, object], at: int) -> None:
    """Make a row of what a node gave a graph that it ran itself, and did not just pass through."""
    known = fields_of(outer.inputs)
    new = {key: value for key, value in given.items() if known.get(key) is not value}
    if not new or outer.activation is None:
        return
    entry = book.say(
        "delegate",
        sender=outer.activation.actor,
        view=delegating(outer, run),
        start_ns=at,
        end_ns=at,
        task=outer,
        payload=new,
    )
    book.values.add(entry, new)
