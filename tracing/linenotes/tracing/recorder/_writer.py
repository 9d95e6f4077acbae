"""The messages that a node writes when it ends, and how its own model's words are known again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_core.messages import ToolMessage
from pydantic import BaseModel

from linenotes.tracing._langgraph import HANDED_BACK
from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import (
    fields_of,
    forms_in,
    is_a,
    message_text,
    same,
)
from linenotes.tracing.recorder._quotes import is_quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run, Task


@dataclass(frozen=True, slots=True)
class Writer:
    """A task at its end: what its actor knew before it wrote, and the time."""

    book: Book
    task: Task
    view: tuple[Entry, ...]
    at: int
    answers: bool = False
    """True when its agent's model answered in a form."""

    @property
    def actor(self) -> str:
        return self.task.actor

    def say(
        self, kind: MessageKind, message: BaseMessage | None = None, payload: object = None
    ) -> Entry:
        """Add a row in the name of the task's actor."""
        return self.book.say(
            kind,
            sender=self.actor,
            view=self.view,
            start_ns=self.task.start_ns,
            end_ns=self.at,
            task=self.task,
            message=message,
            payload=payload,
        )


def tool_message(
    book: Book, message: ToolMessage, task: Task | None, *, at: int, run: Run | None = None
) -> Entry:
    """Make a row of a tool's result. It is the tool that says it, whichever node brings it."""
    call, _ = book.calls.get(message.tool_call_id, (None, None))
    handed = message.tool_call_id in book.handing
    start_ns = run.start_ns if run else None
    name = message.name or _called_name(call, message.tool_call_id) or "tool"
    if call:
        call.unanswered -= 1
        book.reach_tool(call, name)
    entry = book.say(
        "ack" if handed or _is_handed_back(message) else "result",
        sender=name,
        view=(run.view if run else ()) or ([call] if call else context(task)),
        start_ns=at if start_ns is None else start_ns,
        end_ns=at,
        task=task,
        by_actor=False,
        message=message,
    )
    entry.tool_call_id = message.tool_call_id
    return entry


def _called_name(call: Entry | None, call_id: str) -> str | None:
    calls = getattr(call.message, "tool_calls", ()) if call else ()
    return next((one["name"] for one in calls if one["id"] == call_id), None)


def written(writer: Writer, message: BaseMessage) -> Entry | None:
    """Return the row of a message in an output, if the writing actor is who says it."""
    book, task = writer.book, writer.task
    entry = book.recognise(message) or retold(task, message_text(message))
    if entry is None:
        entry = _new_message(writer, message)
    elif entry.message is not message:
        book.entries.alias(message, entry)
    if entry.activation is not task.activation:
        return None
    return entry


def _new_message(writer: Writer, message: BaseMessage) -> Entry:
    if is_a(message, ToolMessage):
        result = tool_message(writer.book, message, writer.task, at=writer.at)
        if writer.answers:
            _take_as_answer(writer, result, message)
        return result
    return writer.say("ack" if _is_handed_back(message) else "reply", message=message)


def _take_as_answer(writer: Writer, result: Entry, message: ToolMessage) -> None:
    """Take a call for what it is, an answer in a form: the task that made it confirms it itself."""
    call, caller = writer.book.calls.get(message.tool_call_id, (None, None))
    if call and caller is writer.task:
        _take_for_reply(call)
        result.kind = "ack"
        writer.book.deliveries.changed |= {call: None, result: None}


def _take_for_reply(call: Entry) -> None:
    """Take a call of no tool for what it is: a reply in a form."""
    call.kind, call.routed, call.unanswered = "reply", False, 0
    call.recipients.clear()


def _is_handed_back(message: BaseMessage) -> bool:
    """Tell whether a library made `message` up when an agent returned control."""
    return bool(message.response_metadata.get(HANDED_BACK))


def retold(task: Task, value: object) -> Entry | None:
    """Return the reply of the task's own model that `value` repeats, or that held it in a form."""
    is_filled = isinstance(value, str | dict) and len(value) > 0
    if not is_filled and not is_a(value, BaseModel):
        return None
    said = task.activation.sent if task.activation else []
    own = (entry for entry in reversed(said) if entry.sampled and not entry.recipients)
    found = next((entry for entry in own if _says(entry, value)), None)
    if found and found.kind == "call":
        _take_for_reply(found)
    return found


def _says(entry: Entry, value: object) -> bool:
    if isinstance(value, str):
        alike = entry.kind == "reply" and entry.spoken.strip() == value.strip()
        fields = (field for form in forms_in(entry.message) for field in form.values())
        return alike or any(same(field, value) for field in fields)
    form = {key: item for key, item in fields_of(value).items() if item is not None}
    return any(same(form, said) for said in forms_in(entry.message))


def retold_values(task: Task, values: Mapping[str, object]) -> Entry | None:
    items = [item for value in values.values() for item in parts_of(value)]
    found = next((entry for item in items if (entry := retold(task, item))), None)
    return found or retold(task, dict(values)) or _quoted(task, items)


def _quoted(task: Task, values: Sequence[object]) -> Entry | None:
    """Return the reply of the task's own model that one of its texts quotes."""
    texts = [value for value in values if isinstance(value, str)]
    said = task.activation.sent if task.activation and texts else []
    own = (one for one in reversed(said) if one.sampled and one.kind == "reply")
    return next((one for one in own if not one.recipients and is_quoted(one, texts)), None)


def parts_of(output: object) -> Sequence[object]:
    return output if isinstance(output, list | tuple) else (output,)
