"""What a node routes when it ends: commands that say where to go, and payloads sent to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import ToolMessage
from langgraph.types import Command, Send

from linenotes.tracing.recorder._content import (
    fields_of,
    is_a,
    is_tool_call,
    messages_in,
    same,
    values_in,
)
from linenotes.tracing.recorder._writer import retold_values, with_messages, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linenotes.tracing._ledger import MessageKind
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Scope
    from linenotes.tracing.recorder._writer import Writer

_END = "__end__"


def targets_of(command: Command[str]) -> list[str | Send]:
    targets = [command.goto] if isinstance(command.goto, str | Send) else list(command.goto)
    return [target for target in targets if target != _END]


def hand_off(
    writer: Writer, command: Command[str], targets: Sequence[str | Send], said: Sequence[Entry]
) -> None:
    """Route what `command` says to whom it names: one row, or one a payload of its own."""
    book, task = writer.book, writer.task
    scope = _addressed(task.within, command)
    if scope is None:
        return
    shared = next(iter(reversed(said)), None)
    for target in targets:
        if isinstance(target, Send):
            row = _sent(writer, target) or shared or _values_row(writer, "handoff", {}, target.node)
            book.deliveries.expect_payload(row, scope, target.node, target.arg)
        else:
            shared = _handing_call(writer, target, command.update) or shared
            row = shared = shared or _update_row(writer, command.update, target)
            book.deliveries.expect(row, scope, target)
        if row.kind == "reply":
            row.kind = "handoff"


def _sent(writer: Writer, send: Send) -> Entry | None:
    """Return the row of a payload: the call that hands over, its own message, or what is new."""
    call, payload = _handing_call(writer, send, send.arg), with_messages(writer, send.arg)
    own = _own_message(writer, payload)
    if call or own:
        return call or own
    known, values = fields_of(writer.task.inputs), values_in(fields_of(payload))
    is_new = any(not same(known.get(name), value) for name, value in values.items())
    if is_new or not fields_of(payload):
        return _values_row(writer, "handoff", payload, send.node)
    return None


def _addressed(scope: Scope, command: Command[str]) -> Scope | None:
    if command.graph is None:
        return scope
    return scope.host.within if scope.host else None


def _handing_call(writer: Writer, target: str | Send, payload: object) -> Entry | None:
    """Return the tool call that names `target`: call, result and goto are one row."""
    for command, call, tool in writer.task.handed:
        if any(same(target, named) for named in targets_of(command)):
            _take_for_handoff(call, tool)
            return call
    return _own_handing_call(writer, payload) if target != writer.task.node else None


def _own_handing_call(writer: Writer, payload: object) -> Entry | None:
    """Return the call that the node made and answered itself, to hand over without a tool."""
    for message in reversed(messages_in(payload)):
        if is_a(message, ToolMessage):
            call, caller = writer.book.call_of(message.tool_call_id, writer.task)
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


def _own_message(writer: Writer, payload: object) -> Entry | None:
    """Return the last message in `payload` that the actor itself says."""
    own = [entry for message in messages_in(payload) if (entry := written(writer, message))]
    return own[-1] if own else None


def _values_row(writer: Writer, kind: MessageKind, payload: object, target: str) -> Entry:
    """Return the row of a payload without messages: the actor's own reply, or a new one."""
    values = values_in(fields_of(payload))
    entry = next(iter(retold_values(writer.task, {**values, "goto": target})), None)
    if entry is None:
        entry = writer.say(kind, payload=values or ("" if payload is None else payload))
        entry.start_ns = entry.end_ns  # code made it at the very end
    return entry


def _update_row(writer: Writer, update: object, target: str) -> Entry:
    """Return the row of a command's update, which others find in the state from then on."""
    entry = _values_row(writer, "handoff", update, target)
    if values := values_in(fields_of(update)):
        writer.book.values.add(entry, values)
    return entry


def send_payload(writer: Writer, send: Send) -> None:
    """Route a payload that a conditional edge made: its message, its values, or what was known."""
    if is_tool_call(send.arg):
        return
    known = len(writer.book.entries.rows)
    payload = with_messages(writer, send.arg)
    row = _own_message(writer, payload)
    if row is not None and row.index >= known:
        row.kind = "send"
    if row is None and (values_in(fields_of(payload)) or not messages_in(payload)):
        row = _values_row(writer, "send", payload, send.node)
    writer.book.deliveries.expect_payload(row, writer.task.within, send.node, send.arg)
