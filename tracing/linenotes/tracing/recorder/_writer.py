"""The messages that a node writes when it ends, and how its own model's words are known again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langchain_core.messages import ToolMessage
from langgraph.types import Command
from pydantic import BaseModel

from linenotes.tracing._langgraph import HANDED_BACK
from linenotes.tracing.recorder._book import called_name, context
from linenotes.tracing.recorder._content import (
    as_messages,
    calls_of,
    fields_of,
    forms_in,
    is_a,
    message_text,
    messages_in,
    same,
)
from linenotes.tracing.recorder._entries import is_rewritten
from linenotes.tracing.recorder._quotes import is_quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_core.messages import BaseMessage

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run, Task

_DEPTH = 3
"""Levels of lists and records in which a model's words are looked for."""


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
    call, _ = book.call_of(message.tool_call_id, task)
    handed = message.tool_call_id in book.handing
    start_ns = run.start_ns if run else None
    name = message.name or called_name(call, message.tool_call_id) or "tool"
    if call:
        call.unanswered -= 1
    if call and not handed:
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


def with_messages(writer: Writer, part: object) -> object:
    """Return what a node wrote with its messages as such; a graph's start writes the user's."""
    if isinstance(part, Command):
        return replace(part, update=with_messages(writer, part.update))
    if not isinstance(part, dict) or writer.task.stage is None:
        return part
    shaped = {name: as_messages(name, value) for name, value in part.items()}
    for name, value in shaped.items():
        if value is not part[name]:
            writer.book.entries.reshaped += messages_in(value)
    return shaped


def written(writer: Writer, message: BaseMessage) -> Entry | None:
    """Return the row of a message in an output, if the writing actor is who says it."""
    book, task = writer.book, writer.task
    entry = book.recognise(message)
    if entry and _rewrites(task, entry, message):
        entry = _retold_message(task, message) or _rewritten(writer, message)
    entry = entry or _retold_message(task, message)
    if entry is None:
        entry = _new_message(writer, message)
    elif entry.message is not message:
        book.entries.alias(message, entry)
    if entry.activation is not task.activation:
        return None
    return entry


def _retold_message(task: Task, message: BaseMessage) -> Entry | None:
    """Return the reply of the task's own model that `message` repeats; not as a tool's words."""
    if is_a(message, ToolMessage) and is_part(task):
        return None
    return retold(task, message_text(message))


def is_part(task: Task) -> bool:
    """Tell whether a task is a part of an agent, such as a middleware, and no actor itself."""
    return task.activation is not None and task.activation.run is not task


def _rewrites(task: Task, entry: Entry, message: BaseMessage) -> bool:
    """Tell whether `task` says something else under the id of what another actor said before."""
    others = entry.activation is not task.activation and not is_part(task)
    return others and not is_inside(entry, task) and is_rewritten(entry, message)


def is_inside(entry: Entry, task: Task) -> bool:
    """Tell whether a row was said in `task` or in a graph inside of it."""
    return bool(entry.namespace) and f"{entry.namespace}|".startswith(f"{task.namespace}|")


def _new_message(writer: Writer, message: BaseMessage) -> Entry:
    if is_a(message, ToolMessage):
        result = tool_message(writer.book, message, writer.task, at=writer.at)
        if writer.answers:
            _take_as_answer(writer, result, message)
        return result
    if calls_of(message) and not _is_handed_back(message):
        return _made_up_call(writer, message)
    return writer.say("ack" if _is_handed_back(message) else "reply", message=message)


def _made_up_call(writer: Writer, message: BaseMessage) -> Entry:
    """Make a row of a call that code wrote, perhaps after the tool had answered it."""
    entry = writer.say("call", message=message)
    writer.book.take_calls(entry, writer.task)
    for call in calls_of(message):
        if writer.book.entries.result_of(str(call["id"])):
            writer.book.reach_tool(entry, call["name"])
    return entry


def _rewritten(writer: Writer, message: BaseMessage) -> Entry:
    """Make a row of new words under an old id; a changed call goes on as the new one."""
    entry = writer.say("call" if calls_of(message) else "reply", message=message)
    writer.book.take_calls(entry, None)
    return entry


def _take_as_answer(writer: Writer, result: Entry, message: ToolMessage) -> None:
    """Take a call for what it is, an answer in a form: the task that made it confirms it itself."""
    call, caller = writer.book.call_of(message.tool_call_id, writer.task)
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
    is_filled = isinstance(value, str | dict | list) and len(value) > 0
    if not is_filled and not is_a(value, BaseModel):
        return None
    said = task.activation.sent if task.activation else []
    own = (entry for entry in reversed(said) if entry.sampled and not entry.recipients)
    found = next((entry for entry in own if _says(entry, value)), None)
    if found and found.kind == "call":
        _take_for_reply(found)
    return found


def _says(entry: Entry, value: object) -> bool:
    fields = (field for form in forms_in(entry.message) for field in form.values())
    if isinstance(value, str):
        alike = entry.kind == "reply" and entry.spoken.strip() == value.strip()
        return alike or any(same(field, value) for field in fields)
    if isinstance(value, list):
        return any(_holds(value, field) for field in fields)
    return any(_holds(value, form) for form in forms_in(entry.message))


def _holds(value: object, form: object) -> bool:
    """Tell whether `value` is a filled form, as a dict or parsed, perhaps with defaults."""
    if isinstance(value, list) and isinstance(form, list):
        pairs = zip(value, form, strict=True) if len(value) == len(form) else ()
        return len(value) == len(form) and all(_holds(*pair) for pair in pairs)
    if isinstance(form, dict) and is_a(value, BaseModel):
        return form.keys() <= vars(value).keys() and all(
            _holds(vars(value)[key], item) for key, item in form.items()
        )
    filled = {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
    return same(filled, form)


def retold_values(task: Task, values: Mapping[str, object]) -> list[Entry]:
    """Return the replies of the task's own model that travel in these values."""
    found: dict[Entry, None] = {}
    for value in values.values():
        for part in (value, *_parts_within(value)):
            if entry := retold(task, part):
                found[entry] = None
    if not found and (entry := retold(task, dict(values)) or _quoted(task, values)):
        found[entry] = None
    return [*found]


def _parts_within(value: object, depth: int = _DEPTH) -> Iterator[object]:
    """Yield what stands in a value, and in that."""
    inside = value if isinstance(value, list | tuple) else fields_of(value).values()
    if not depth or isinstance(value, str):
        return
    for part in inside:
        yield part
        yield from _parts_within(part, depth - 1)


def _quoted(task: Task, values: Mapping[str, object]) -> Entry | None:
    """Return the reply of the task's own model that one of its texts quotes."""
    items = [item for value in values.values() for item in parts_of(value)]
    texts = [item for item in items if isinstance(item, str)]
    said = task.activation.sent if task.activation and texts else []
    own = (one for one in reversed(said) if one.sampled and one.kind == "reply")
    return next((one for one in own if not one.recipients and is_quoted(one, texts)), None)


def parts_of(output: object) -> Sequence[object]:
    return output if isinstance(output, list | tuple) else (output,)
