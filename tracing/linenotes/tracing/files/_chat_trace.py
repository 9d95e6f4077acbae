"""A written chat as the trace that the recorder would have made of it.

The root is the whole conversation; each turn of an agent is an AGENT span with what it received
and sent, and in it one CHAT_MODEL span for each thing the model said and one TOOL span for each
result. Where the file has no times, messages are a microsecond apart from a given moment on: that
keeps their order and says nothing about how long anything took.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER
from linenotes.tracing._trace import Span, SpanEvent, Trace
from linenotes.tracing._usage import usage_attributes
from linenotes.tracing.files._chat_completions import chat_request, chat_response, openai_message
from linenotes.tracing.files._chat_ledger import ChatLedger, Spoken, Turn, read_ledger
from linenotes.tracing.files._chat_messages import ChatMessage
from linenotes.tracing.recorder._content import bubbles

if TYPE_CHECKING:
    from pydantic import JsonValue

_MICROSECOND = 1_000
_SHOWN = 60
"""How many messages of a prompt are kept. Each prompt repeats the chat so far, so the trace of a
long chat would grow with the square of its length."""


@dataclass(frozen=True, slots=True)
class ChatOrigin:
    """What is known of a chat besides its messages."""

    trace_id: str
    agent: str
    """The actor of assistant messages without a name."""
    case: str
    sample: int
    start_ns: int
    """When it began, for messages without a time."""
    model: str | None = None
    error: str | None = None
    """What ended it early."""


def chat_trace(chat: Sequence[ChatMessage], origin: ChatOrigin) -> Trace:
    """Return the trace of a chat."""
    times = _times(chat, origin.start_ns)
    ledger = read_ledger(chat, times, agent=origin.agent, model=origin.model)
    start = times[0][0] if times else origin.start_ns
    end = times[-1][1] if times else origin.start_ns
    replies = [row.text for row in ledger.rows if row.kind == "reply" and USER in row.recipients]
    spans = [_root(origin, ledger, start, end)]
    shown = [openai_message(message) for message in chat]  # once: every prompt repeats them
    for turn in ledger.turns:
        spans += _turn_spans(turn, shown, spans[0].span_id, origin.trace_id)
    return Trace(
        trace_id=origin.trace_id,
        name=origin.agent,
        state="ERROR" if origin.error else "OK",
        start_ns=start,
        end_ns=end,
        request=next((row.text for row in ledger.rows if row.kind == "input"), ""),
        response=replies[-1] if replies else "",
        spans=tuple(spans),
        messages=ledger.rows,
        case=origin.case,
        sample=origin.sample,
        error=origin.error,
    )


def is_timed(chat: Sequence[ChatMessage]) -> bool:
    """Return whether any message has a time."""
    return any(message.at_ns is not None for message in chat)


def _times(chat: Sequence[ChatMessage], start_ns: int) -> list[tuple[int, int]]:
    """Return when each message began and ended: it began when the one before it had ended.

    What a user says takes no time. A message without a time comes a microsecond after the one
    before it, and no message comes before the one that it follows.
    """
    known = [(place, m.at_ns) for place, m in enumerate(chat) if m.at_ns is not None]
    first = max(0, known[0][1] - known[0][0] * _MICROSECOND) if known else start_ns
    found: list[tuple[int, int]] = []
    for message in chat:
        before = found[-1][1] if found else first
        end = max(before, before + _MICROSECOND if message.at_ns is None else message.at_ns)
        found.append((end if message.role in {"system", "user"} else before, end))
    return found


def _root(origin: ChatOrigin, ledger: ChatLedger, start: int, end: int) -> Span:
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: origin.agent,
        names.SCHEMA: names.SCHEMA_VERSION,
        names.CASE: origin.case,
        names.SAMPLE: origin.sample,
    }
    return Span(
        span_id=_span_id(origin.trace_id, "root"),
        parent_id=None,
        name=origin.agent,
        type="WORKFLOW",
        start_ns=start,
        end_ns=end,
        status="ERROR" if origin.error else "OK",
        inputs=bubbles([row for row in ledger.rows if row.kind == "input"]),
        outputs=bubbles(ledger.rows),
        attributes=attributes,
        events=(SpanEvent(names.EXCEPTION, end, {names.EXCEPTION_MESSAGE: origin.error}),)
        if origin.error
        else (),
    )


def _turn_spans(turn: Turn, shown: Sequence[JsonValue], root_id: str, trace_id: str) -> list[Span]:
    agent = Span(
        span_id=_span_id(trace_id, f"turn {turn.number}"),
        parent_id=root_id,
        name=turn.actor,
        type="AGENT",
        start_ns=turn.said[0].row.start_ns,
        end_ns=turn.said[-1].row.end_ns,
        status="OK",
        inputs=bubbles(list(turn.received.values())),
        outputs=bubbles(turn.sent),
        attributes={
            names.OPERATION_NAME: names.INVOKE_AGENT,
            names.AGENT_NAME: turn.actor,
            names.MESSAGES_RECEIVED: list(turn.received),
            names.MESSAGES_SENT: [row.id for row in turn.sent],
            names.ACTIVATION: turn.activation,
            names.STEP: turn.number,
        },
    )
    inner = (
        _tool_span(spoken, agent.span_id, trace_id)
        if spoken.chat.role == "tool"
        else _model_span(spoken, agent.span_id, trace_id, shown)
        for spoken in turn.said
    )
    return [agent, *inner]


def _model_span(spoken: Spoken, parent_id: str, trace_id: str, shown: Sequence[JsonValue]) -> Span:
    row = spoken.row
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.CHAT,
        names.MLFLOW_MESSAGE_FORMAT: "openai",
        names.MESSAGE_ID: row.id,
    }
    if row.model:
        attributes |= {names.REQUEST_MODEL: row.model, names.MLFLOW_MODEL: row.model}
    return Span(
        span_id=_span_id(trace_id, row.id),
        parent_id=parent_id,
        name=f"{names.CHAT} {row.model or 'model'}",
        type="CHAT_MODEL",
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        status="OK",
        inputs=chat_request(row.model, _prompt(shown[: spoken.place])),
        outputs=chat_response(row.model, [shown[spoken.place]], row.tokens),
        attributes={**attributes, **usage_attributes(row.tokens)},
    )


def _prompt(messages: Sequence[JsonValue]) -> list[JsonValue]:
    """Return what a model was shown: of a long chat the beginning, a mark and the end."""
    if len(messages) <= _SHOWN:
        return list(messages)
    left_out = len(messages) - _SHOWN
    mark = f"… ({left_out} earlier messages are left out here; the conversation has them all)"
    return [*messages[:1], {"role": "system", "content": mark}, *messages[left_out + 1 :]]


def _tool_span(spoken: Spoken, parent_id: str, trace_id: str) -> Span:
    row = spoken.row
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.EXECUTE_TOOL,
        names.TOOL_NAME: row.sender,
        names.TOOL_TYPE: "function",
        names.MESSAGE_ID: row.id,
    }
    if row.tool_call_id:
        attributes[names.TOOL_CALL_ID] = row.tool_call_id
    return Span(
        span_id=_span_id(trace_id, row.id),
        parent_id=parent_id,
        name=row.sender,
        type="TOOL",
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        status="OK",
        inputs=spoken.call.args if spoken.call else None,
        outputs=row.text,
        attributes=attributes,
    )


def _span_id(trace_id: str, part: str) -> str:
    return hashlib.sha256(f"{trace_id} {part}".encode()).hexdigest()[:16]
