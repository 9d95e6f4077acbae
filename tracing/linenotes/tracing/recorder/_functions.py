"""Functions of the functional API: they pass values to one another, and no state.

What a function is given is what others returned, wherever it stands in the arguments, and for the
rest an errand of whoever calls it. What it returns goes to its caller, or further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.func import entrypoint

from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import (
    fields_of,
    is_tool_call,
    messages_in,
    values_in,
)
from linenotes.tracing.recorder._openings import adopt

if TYPE_CHECKING:
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Task


def open_call(book: Book, task: Task) -> list[Entry]:
    """Return the rows that a called function is given; the errand is a new one."""
    found: list[Entry] = []
    for message in messages_in(task.inputs):
        found.append(book.entries.find_given(message) or adopt(book, task, message, found))
    errand = {}
    for name, value in values_in(fields_of(task.inputs)).items():
        held = book.values.holding(value)
        found += held
        if not held and not is_tool_call(value):
            errand[name] = value
    if errand and task.within.host:
        found.append(_errand(book, task, task.within.host, errand))
    return found


def _errand(book: Book, task: Task, caller: Task, errand: dict[str, object]) -> Entry:
    entry = book.say(
        "delegate",
        sender=caller.actor,
        view=context(caller),
        start_ns=task.start_ns,
        end_ns=task.start_ns,
        task=caller,
        payload=errand,
    )
    book.values.add(entry, errand)
    return entry


def returned_value(output: object) -> object:
    """Return what a function gives back, without what it only saves for its next run."""
    return output.value if isinstance(output, entrypoint.final) else output


def give_back(book: Book, task: Task, value: object) -> None:
    """Hold what a function returned for its caller, in case nobody else gets it."""
    caller = task.within.host
    if not task.within.is_calls or caller is None:
        return
    found = [book.entries.find(message) for message in messages_in(value)]
    rows = [row for row in (*found, *book.values.holding(value)) if row and row.kind != "call"]
    caller.returned += rows
    caller.view = (*caller.view, *rows)


def is_known(book: Book, value: object) -> bool:
    """Tell whether a value is made of nothing but what others said."""
    items = value if isinstance(value, list | tuple) else [value]
    return all(book.values.holding(item) for item in items)
