"""The ledger while it is written: its rows, what is under way, and who has what in view."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.tracing.recorder._actors import tool_around
from linenotes.tracing.recorder._carried import Carried
from linenotes.tracing.recorder._content import calls_of
from linenotes.tracing.recorder._deliveries import Deliveries
from linenotes.tracing.recorder._entries import Entries, Entry, frontier

if TYPE_CHECKING:
    from collections.abc import Collection

    from langchain_core.messages import BaseMessage

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._runs import Run, Slot, Task


@dataclass(slots=True)
class Book:
    """What all rules of the conversation read and write."""

    entries: Entries = field(default_factory=Entries)
    deliveries: Deliveries = field(default_factory=Deliveries)
    values: Carried = field(default_factory=Carried)
    """Rows that travel as values of a plain state."""
    handed_out: dict[object, list[Entry]] = field(default_factory=dict)
    """What the user got when the last graph of a thread ended, by the thread's id."""
    taken_back: list[Entry] = field(default_factory=list)
    """What the user had got before the graph went on, and may yet be for somebody else."""
    handing: set[str] = field(default_factory=set)
    """The calls whose result is no news: tools that handed over, and answers in a form."""
    said: dict[Slot, set[Entry]] = field(default_factory=dict)
    """The rows by the scope and superstep of the task that said them."""
    calls: dict[str, tuple[Entry, Task | None]] = field(default_factory=dict)
    """Tool calls by id: the row that made the call, and its task."""
    _calls_within: dict[tuple[str, int], tuple[Entry, Task]] = field(default_factory=dict)
    """The same by the graph as well: agents at work at once may use the same ids."""

    def say(
        self,
        kind: MessageKind,
        *,
        sender: str,
        view: Collection[Entry],
        start_ns: int,
        end_ns: int,
        task: Task | None = None,
        by_actor: bool = True,
        message: BaseMessage | None = None,
        payload: object = None,
    ) -> Entry:
        """Add a row that answers the newest rows of `view`."""
        cause, past = frontier(view)
        entry = Entry(
            index=len(self.entries.rows),
            kind=kind,
            sender=sender,
            start_ns=start_ns,
            end_ns=end_ns,
            activation=task.activation if task and by_actor else None,
            namespace=task.namespace if task else None,
            step=task.step if task else None,
            said_at=(task.within.number, task.step) if task else None,
            message=message,
            payload=payload,
            cause=cause,
            past=past | (task.view_past if task else 0),
        )
        if entry.activation:
            entry.activation.sent.append(entry)
        if entry.said_at:
            self.said.setdefault(entry.said_at, set()).add(entry)
        return self.entries.add(entry)

    def recognise(self, message: BaseMessage) -> Entry | None:
        """Return the row of `message`, also where it repeats one of the calls of a model's row."""
        found = self.entries.find(message)
        if found is None and (calls := calls_of(message)):
            made = {self.calls.get(str(call["id"]), (None, None))[0] for call in calls}
            if len(made) == 1 and (found := made.pop()):
                self.entries.alias(message, found)
        return found

    def take_calls(self, entry: Entry, task: Task | None) -> None:
        """Note that the tool calls of a row are made by it, in `task`."""
        for call in calls_of(entry.message):
            self.calls[str(call["id"])] = (entry, task)
            if task is not None:
                self._calls_within[(str(call["id"]), task.within.number)] = (entry, task)

    def call_of(self, call_id: str, task: Task | None) -> tuple[Entry | None, Task | None]:
        """Return the row of a call and its task: one of the graph of `task`, unless it changed."""
        newest = self.calls.get(call_id)
        if newest is None or newest[1] is None or task is None:
            return newest or (None, None)
        return self._calls_within.get((call_id, task.within.number)) or newest

    def reach_tool(self, call: Entry, tool: str) -> None:
        """Note that a tool got its call, and so it is no message for whoever reads it next."""
        call.routed = True
        call.recipients.setdefault(tool)
        self.deliveries.changed[call] = None


def called_name(call: Entry | None, call_id: str) -> str | None:
    """Return the name of the tool that one of the calls of a row is for."""
    made = calls_of(call.message) if call else ()
    return next((one["name"] for one in made if one["id"] == call_id), None)


def delegating(task: Task, run: Run) -> Collection[Entry]:
    """Return what led `task` to run a graph: the call of the tool that it runs in, if it does."""
    tool = tool_around(run)
    return tool.view if tool and tool.view else context(task)


def context(task: Task | None) -> list[Entry]:
    """Return what the actor of `task` can know of: what it was given and what it said itself."""
    if task is None:
        return []
    said = task.activation.sent if task.activation else []
    return [*task.view, *(entry for entry in said if entry.kind != "delegate")]
