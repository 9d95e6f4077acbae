"""What a node says when it ends: messages, handoffs, routed payloads, plain state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langchain_core.messages import ToolMessage
from langgraph.types import Command, Send
from pydantic import BaseModel

from linenotes.tracing.recorder._actors import is_agents_model
from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import (
    WHOLE,
    as_messages,
    fields_of,
    forms_in,
    is_a,
    message_text,
    messages_in,
    values_in,
)
from linenotes.tracing.recorder._deliveries import same
from linenotes.tracing.recorder._functions import is_known, returned_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run, Scope, Task

_ANSWER = "structured_response"
_END = "__end__"
_HANDED_BACK = "__is_handoff_back"
_TOOL_CALL_TYPES = frozenset({"tool_call", "tool_call_with_context"})


@dataclass(frozen=True, slots=True)
class _Writer:
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


def write(book: Book, task: Task, output: object, at: int) -> None:
    """Make rows of the output of `task` and of what its conditional edges routed."""
    view, parts = tuple(context(task)), _parts(output)
    if task.is_function:
        _write_value(_Writer(book, task, view, at), returned_value(output))
        return
    answers = is_agents_model(task) and any(_ANSWER in fields_of(_update(part)) for part in parts)
    writer = _Writer(book, task, view, at, answers)
    if task.stage is not None:  # what a graph's start puts out is the user's
        parts = [_with_messages(book, part) for part in parts]
    spoke = [_write_part(writer, part) for part in parts]
    if not any(spoke) and task.activation:
        _write_state(writer, parts)
    for send in task.sends:
        _send(writer, send)


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


def _with_messages(book: Book, part: object) -> object:
    """Return an update or a command with its messages as such, however the node wrote them."""
    if isinstance(part, Command):
        return replace(part, update=_with_messages(book, part.update))
    if not isinstance(part, dict):
        return part
    shaped = {name: as_messages(name, value) for name, value in part.items()}
    for name, value in shaped.items():
        if value is not part[name]:
            book.entries.reshaped += messages_in(value)
    return shaped


def _parts(output: object) -> Sequence[object]:
    return output if isinstance(output, list | tuple) else (output,)


def _update(part: object) -> object:
    return part.update if isinstance(part, Command) else part


def _write_part(writer: _Writer, part: object) -> bool:
    """Make rows of an update or a command; tell whether it says anything by itself."""
    update = _update(part)
    said = [entry for message in messages_in(update) if (entry := _written(writer, message))]
    if isinstance(part, Command) and (targets := _targets(part)):
        _hand_off(writer, part, targets, said)
        return True
    return bool(said)


def _written(writer: _Writer, message: BaseMessage) -> Entry | None:
    """Return the row of a message in an output, if the writing actor is who says it."""
    book, task = writer.book, writer.task
    entry = book.recognise(message) or _retold(task, message_text(message))
    if entry is None:
        entry = _new_message(writer, message)
    elif entry.message is not message:
        book.entries.alias(message, entry)
    if entry.activation is not task.activation:
        return None
    entry.passed_on = True
    return entry


def _new_message(writer: _Writer, message: BaseMessage) -> Entry:
    if is_a(message, ToolMessage):
        result = tool_message(writer.book, message, writer.task, at=writer.at)
        if writer.answers:
            _take_as_answer(writer, result, message)
        return result
    return writer.say("ack" if _is_handed_back(message) else "reply", message=message)


def _take_as_answer(writer: _Writer, result: Entry, message: ToolMessage) -> None:
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
    return bool(message.response_metadata.get(_HANDED_BACK))


def _retold(task: Task, value: object) -> Entry | None:
    """Return the reply of the task's own model that `value` repeats, or that held it in a form."""
    if not value or not isinstance(value, str | dict | BaseModel):
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
        return alike or any(value in form.values() for form in forms_in(entry.message))
    form = {key: item for key, item in fields_of(value).items() if item is not None}
    return any(form == said for said in forms_in(entry.message))


def _retold_values(task: Task, values: Mapping[str, object]) -> Entry | None:
    found = (_retold(task, item) for value in values.values() for item in _parts(value))
    return next((entry for entry in found if entry), None) or _retold(task, dict(values))


def _targets(command: Command[str]) -> list[str | Send]:
    targets = [command.goto] if isinstance(command.goto, str | Send) else list(command.goto)
    return [target for target in targets if target != _END]


def _hand_off(
    writer: _Writer, command: Command[str], targets: Sequence[str | Send], said: Sequence[Entry]
) -> None:
    """Route what `command` says to whom it names: one row, or one a payload of its own."""
    book, task = writer.book, writer.task
    scope = _addressed(task.within, command)
    if scope is None:
        return
    shared = next(iter(reversed(said)), None)
    for target in targets:
        if isinstance(target, Send):
            own = _own_message(writer, target.arg)
            row = _handing_call(writer, target, target.arg) or own or shared
            row = row or _values_row(writer, "handoff", target.arg, target.node)
            book.deliveries.expect_payload(row, scope, target.node, target.arg)
        else:
            shared = _handing_call(writer, target, command.update) or shared
            row = shared = shared or _values_row(writer, "handoff", command.update, target)
            book.deliveries.expect(row, scope, target)
        if row.kind == "reply":
            row.kind = "handoff"


def _addressed(scope: Scope, command: Command[str]) -> Scope | None:
    if command.graph is None:
        return scope
    return scope.host.within if scope.host else None


def _handing_call(writer: _Writer, target: str | Send, payload: object) -> Entry | None:
    """Return the tool call that names `target`: call, result and goto are one row."""
    for command, call, tool in writer.task.handed:
        if any(same(target, named) for named in _targets(command)):
            _take_for_handoff(call, tool)
            return call
    return _own_handing_call(writer, payload) if target != writer.task.node else None


def _own_handing_call(writer: _Writer, payload: object) -> Entry | None:
    """Return the call that the node made and answered itself, to hand over without a tool."""
    for message in reversed(messages_in(payload)):
        if is_a(message, ToolMessage):
            call, caller = writer.book.calls.get(message.tool_call_id, (None, None))
            if call and caller is writer.task and (result := writer.book.entries.find(message)):
                result.kind = "ack"
                writer.book.deliveries.changed[result] = None
                _take_for_handoff(call, result.sender)
                return call
    return None


def _take_for_handoff(call: Entry, tool: str) -> None:
    call.kind = "handoff"
    call.unanswered = 0
    call.recipients.pop(tool, None)


def _own_message(writer: _Writer, payload: object) -> Entry | None:
    """Return the last message in `payload` that the actor itself says."""
    own = [entry for message in messages_in(payload) if (entry := _written(writer, message))]
    return own[-1] if own else None


def _values_row(writer: _Writer, kind: MessageKind, payload: object, target: str) -> Entry:
    """Return the row of a payload without messages: the actor's own reply, or a new one."""
    values = values_in(fields_of(payload))
    entry = _retold_values(writer.task, {**values, "goto": target})
    if entry is None:
        entry = writer.say(kind, payload=values or ("" if payload is None else payload))
    if values:
        writer.book.carry(entry, values)
    return entry


def _send(writer: _Writer, send: Send) -> None:
    """Route a payload that a conditional edge made: its message, its values, or what was known."""
    if _is_tool_call(send.arg):
        return
    known = len(writer.book.entries.rows)
    row = _own_message(writer, send.arg)
    if row is not None and row.index >= known:
        row.kind = "send"
    if row is None and (values_in(fields_of(send.arg)) or not messages_in(send.arg)):
        row = _values_row(writer, "send", send.arg, send.node)
    writer.book.deliveries.expect_payload(row, writer.task.within, send.node, send.arg)


def _is_tool_call(payload: object) -> bool:
    first = next(iter(_parts(payload)), None)
    if not isinstance(first, dict):
        return False
    return bool({first.get("type"), first.get("__type")} & _TOOL_CALL_TYPES)


def _write_value(writer: _Writer, value: object) -> None:
    """Make a row of what a function returned, unless it is what others said."""
    said = [_written(writer, message) for message in messages_in(value)]
    if said or value is None or is_known(writer.book, value):
        return
    entry = _retold_values(writer.task, {WHOLE: value}) or writer.say("state", payload=value)
    entry.passed_on = True
    writer.book.carry(entry, {WHOLE: value})


def _write_state(writer: _Writer, output: object) -> None:
    """Make a row of the values that a node changed, or let its model's reply travel as one."""
    task = writer.task
    before = fields_of(task.inputs)
    values = {
        key: value
        for part in _parts(output)
        for key, value in values_in(fields_of(_update(part))).items()
        if not same(before.get(key), value)
    }
    values = {key: value for key, value in values.items() if not _is_known(writer, key, value)}
    if not values:
        return
    entry = _retold_values(task, values)
    if entry is None and task.activation and task.activation.run is task:
        entry = writer.say("state", payload=values)  # a part of an agent does not speak for it
    if entry:
        entry.passed_on = True
        writer.book.carry(entry, values)


def _is_known(writer: _Writer, key: str, value: object) -> bool:
    """Tell whether a graph inside the task wrote the value: then it is no news from the task."""
    states = writer.book.states
    return any(
        entry.start_ns >= writer.task.start_ns
        and entry.activation is not writer.task.activation
        and same(entry.writes.get(key), value)
        and _is_inside(entry, writer.task)
        for entry in states
    )


def _is_inside(entry: Entry, task: Task) -> bool:
    return bool(entry.namespace and entry.namespace.startswith(task.namespace + "|"))
