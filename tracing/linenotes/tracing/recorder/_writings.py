"""What a node says when it ends: messages, handoffs, routed payloads, plain state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.graph import END
from langgraph.types import Command

from linenotes.tracing.recorder._actors import is_agents_model
from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import (
    WHOLE,
    fields_of,
    messages_in,
    same,
    values_in,
)
from linenotes.tracing.recorder._functions import give_back, is_known, returned_value
from linenotes.tracing.recorder._handoffs import hand_off, send_payload, targets_of
from linenotes.tracing.recorder._writer import (
    Writer,
    is_inside,
    is_part,
    parts_of,
    retold_values,
    with_messages,
    written,
)

if TYPE_CHECKING:
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._runs import Task

_ANSWER = "structured_response"


def write(book: Book, task: Task, output: object, at: int) -> None:
    """Make rows of the output of `task` and of what its conditional edges routed."""
    view, parts = tuple(context(task)), parts_of(output)
    if task.is_function:
        _write_value(Writer(book, task, view, at), returned_value(output))
        return
    answers = is_agents_model(task) and any(_ANSWER in fields_of(_update(part)) for part in parts)
    writer = Writer(book, task, view, at, answers)
    parts = [with_messages(writer, part) for part in parts]
    spoke = [_write_part(writer, part) for part in parts]
    if not any(spoke) and task.activation:
        _write_state(writer, parts)
    for send in task.sends:
        send_payload(writer, send)


def _update(part: object) -> object:
    return part.update if isinstance(part, Command) else part


def _write_part(writer: Writer, part: object) -> bool:
    """Make rows of an update or a command; tell whether it says anything by itself."""
    update = _update(part)
    said = [entry for message in messages_in(update) if (entry := written(writer, message))]
    if isinstance(part, Command) and (targets := targets_of(part)):
        hand_off(writer, part, targets, said)
        return True
    return bool(said)


def _write_value(writer: Writer, value: object) -> None:
    """Make a row of what a function returned, unless it is what others said."""
    said = [written(writer, message) for message in messages_in(value)]
    if said or value is None or is_known(writer.book, value):
        give_back(writer.book, writer.task, value)
        return
    rows = retold_values(writer.task, {WHOLE: value}) or [writer.say("state", payload=value)]
    for entry in rows:
        writer.book.values.add(entry, {WHOLE: value})
    give_back(writer.book, writer.task, value)


def _write_state(writer: Writer, output: object) -> None:
    """Make a row of the values that a node changed, or let its model's reply travel as one."""
    task = writer.task
    before = fields_of(task.inputs)
    values = {
        key: value
        for part in parts_of(output)
        for key, value in values_in(fields_of(_update(part))).items()
        if not same(before.get(key), value) and not same(value, END)
    }
    values = {key: value for key, value in values.items() if not _is_known(writer, key, value)}
    if not values:
        return
    rows = retold_values(task, values)
    if not rows and task.activation and not is_part(task):
        rows = [writer.say("state", payload=values)]  # a part of an agent does not speak for it
    for entry in rows:
        writer.book.values.add(entry, values)


def _is_known(writer: Writer, key: str, value: object) -> bool:
    """Tell whether a graph inside the task wrote the value: then it is no news from the task."""
    return any(
        entry.start_ns >= writer.task.start_ns
        and entry.activation is not writer.task.activation
        and is_inside(entry, writer.task)
        for entry in writer.book.values.written(key, value)
    )
