"""The messages between agents, derived from spans that only say what each model was shown.

Spans are taken in the order in which they began. What a model says is a message of the agent
around it; when its words or its call's id turn up in what another agent's model is shown, it was
delivered there. Words that nobody said before are the user's, or of the agent around a nested one
if that has spoken. A reply that turns up nowhere went to the agent around if that speaks on, else
to the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER, Message, MessageKind, Tokens
from linenotes.tracing._values import json_value
from linenotes.tracing.files._otlp_attributes import (
    AGENT_OPERATIONS,
    MODEL_OPERATIONS,
    agent_name,
    model_of,
    operation,
    tokens_of,
)
from linenotes.tracing.files._otlp_messages import content_of, exchange

if TYPE_CHECKING:
    from linenotes.tracing.files._chat_messages import ChatMessage
    from linenotes.tracing.files._otlp_json import OtlpSpan

_TOOL = "tool"


@dataclass(slots=True, eq=False)
class _Row:
    id: str
    kind: MessageKind
    sender: str
    text: str
    span: OtlpSpan
    chat: ChatMessage | None = None
    call_id: str | None = None
    calls: dict[str | None, str] = field(default_factory=dict)
    """Of a call: the id of each call with its tool."""
    sampled: bool = False
    cause: tuple[_Row, ...] = ()
    recipients: dict[str, None] = field(default_factory=dict)
    seen_by: dict[str, None] = field(default_factory=dict)
    outer: str = USER
    """Who is around its sender."""


@dataclass(frozen=True, slots=True)
class OtlpLedger:
    """The messages of a trace, and which spans of agents received and sent which."""

    messages: tuple[Message, ...]
    received: Mapping[str, Sequence[str]]
    """Span id of an agent to the ids of messages."""
    sent: Mapping[str, Sequence[str]]
    of_span: Mapping[str, str]
    """Span id of a model call or tool to the id of its message."""


def derive_ledger(spans: Sequence[OtlpSpan]) -> OtlpLedger:
    """Return the ledger of one trace.

    Raises:
        TraceFileError: a message in a span has no role that is known.
    """
    deriving = _Deriving(spans)
    for span in sorted(spans, key=lambda span: (span.start_ns, -span.end_ns)):
        deriving.take(span)
    return deriving.ledger()


class _Deriving:
    def __init__(self, spans: Sequence[OtlpSpan]) -> None:
        self._by_id = {span.span_id: span for span in spans}
        self._rows: list[_Row] = []
        self._received: dict[str, dict[str, None]] = {}
        self._sent: dict[str, dict[str, None]] = {}
        self._of_span: dict[str, str] = {}
        models = (span for span in spans if operation(span) in MODEL_OPERATIONS)
        self._asking = {agent.span_id for model in models for agent in self._agents(model)}
        """Agents that have a model call inside, so that what they hold is said there."""

    def take(self, span: OtlpSpan) -> None:
        doing = operation(span)
        if doing == names.EXECUTE_TOOL:
            self._take_tool(span)
        elif doing in MODEL_OPERATIONS or (
            doing in AGENT_OPERATIONS and span.span_id not in self._asking
        ):
            self._take_exchange(span)

    def ledger(self) -> OtlpLedger:
        for row in self._rows:
            if row.kind == "reply" and not row.recipients:
                row.recipients[row.outer if self._goes_on(row.outer, row) else USER] = None
        return OtlpLedger(
            messages=tuple(_message(row) for row in self._rows),
            received={span: list(ids) for span, ids in self._received.items()},
            sent={span: list(ids) for span, ids in self._sent.items()},
            of_span=self._of_span,
        )

    def _goes_on(self, actor: str, row: _Row) -> bool:
        """Tell an agent that takes up a reply from a mere wrapper, or one that had ended."""
        return any(r.sender == actor for r in self._rows[self._rows.index(row) + 1 :])

    def _agents(self, span: OtlpSpan) -> list[OtlpSpan]:
        """Return the agents that a span stands in, the nearest first."""
        found, seen, above = [], set[str](), span
        while above.span_id not in seen:
            seen.add(above.span_id)
            if operation(above) in AGENT_OPERATIONS:
                found.append(above)
            above = self._by_id.get(above.parent_id or "", above)
        return found

    def _actors(self, span: OtlpSpan) -> tuple[str, str]:
        """Return the agent that a span is of, and who is around it."""
        named = list(dict.fromkeys(agent_name(agent) for agent in self._agents(span)))
        if not named:
            named = [str(span.attributes.get(names.AGENT_NAME) or span.service or "agent")]
        return named[0], named[1] if len(named) > 1 else USER

    def _take_tool(self, span: OtlpSpan) -> None:
        name = str(span.attributes.get(names.TOOL_NAME) or span.name.split(" ", 1)[-1])
        call_id = span.attributes.get(names.TOOL_CALL_ID)
        result = content_of(span.attributes.get(names.TOOL_RESULT))
        said = next((m.text for m in _tool_messages(span)), "")
        row = self._result(span, name, str(call_id) if call_id else None)
        row.text = said if result is None else _as_text(result)
        self._of_span[span.span_id] = row.id

    def _result(self, span: OtlpSpan, name: str, call_id: str | None) -> _Row:
        asked = self._call_of(call_id, name)
        actor, outer = self._actors(span)
        row = self._add(_Row(f"message-{len(self._rows)}", "result", name, "", span))
        row.call_id, row.outer = call_id, outer
        row.cause = (asked,) if asked else ()
        row.recipients[asked.sender if asked else actor] = None
        return row

    def _call_of(self, call_id: str | None, name: str) -> _Row | None:
        """Return the latest call with an id; without one, the latest of the tool."""
        for row in reversed(self._rows):
            if call_id in row.calls if call_id else name in row.calls.values():
                return row
        return None

    def _take_exchange(self, span: OtlpSpan) -> None:
        said = exchange(span)
        actor, outer = self._actors(span)
        view = self._view(said.asked, span, actor, outer)
        for chat in said.said:
            row = self._spoken(chat, span, actor, outer)
            row.sampled = operation(span) in MODEL_OPERATIONS
            row.cause = _frontier(view, actor)
            self._of_span[span.span_id] = row.id
            for agent in self._agents(span)[:1]:
                self._sent.setdefault(agent.span_id, {})[row.id] = None

    def _view(
        self, asked: Iterable[ChatMessage], span: OtlpSpan, actor: str, outer: str
    ) -> list[_Row]:
        """Return the rows that a model was shown, new ones among them, all delivered."""
        view: list[_Row] = []
        for chat in asked:
            if chat.role == "system":
                continue
            row = self._find(chat, actor, view) or self._unheard(chat, span, actor, outer)
            view.append(row)
            self._deliver(row, actor, span)
        return view

    def _find(self, chat: ChatMessage, actor: str, used: Sequence[_Row]) -> _Row | None:
        """Return the row that a shown message is: each row is shown once in one prompt."""
        fitting = [r for r in self._rows if r not in used and _is_same(r, chat, actor)]
        own = {"user": USER, "assistant": actor}.get(chat.role)
        return next((r for r in fitting if r.sender == own), fitting[0] if fitting else None)

    def _unheard(self, chat: ChatMessage, span: OtlpSpan, actor: str, outer: str) -> _Row:
        if chat.role == "tool":
            called = self._call_of(chat.call_id, chat.name or _TOOL)
            name = chat.name or (called.calls.get(chat.call_id) if called else None) or _TOOL
            row = self._result(span, name, chat.call_id)
            row.text, row.chat = chat.text, chat
            return row
        if chat.role == "assistant":
            return self._spoken(chat, span, actor, outer)
        delegates = outer != USER and any(row.sender == outer for row in self._rows)
        kind: MessageKind = "delegate" if delegates else "input"
        sender = outer if delegates else USER
        return self._add(_Row(f"message-{len(self._rows)}", kind, sender, chat.text, span, chat))

    def _spoken(self, chat: ChatMessage, span: OtlpSpan, actor: str, outer: str) -> _Row:
        text = "\n".join(filter(None, (chat.text, *(call.text for call in chat.calls))))
        kind: MessageKind = "call" if chat.calls else "reply"
        row = _Row(f"message-{len(self._rows)}", kind, actor, text, span, chat, outer=outer)
        row.calls = {call.id: call.name for call in chat.calls}
        row.call_id = chat.calls[0].id if len(chat.calls) == 1 else None
        row.recipients = dict.fromkeys(row.calls.values())
        return self._add(row)

    def _add(self, row: _Row) -> _Row:
        self._rows.append(row)
        return row

    def _deliver(self, row: _Row, actor: str, span: OtlpSpan) -> None:
        if row.sender == actor:
            return
        if not row.recipients:
            row.recipients[actor] = None
        elif actor not in row.recipients:
            row.seen_by[actor] = None
        for agent in self._agents(span)[:1]:
            self._received.setdefault(agent.span_id, {})[row.id] = None


def _is_same(row: _Row, chat: ChatMessage, actor: str) -> bool:
    if chat.role == "tool":
        return row.kind == "result" and row.call_id == chat.call_id
    if chat.calls:
        return row.kind == "call" and set(row.calls) == {call.id for call in chat.calls}
    if row.kind == "result" or row.calls or row.text.strip() != chat.text.strip():
        return False
    return chat.role == "user" or row.sender != USER or actor == USER


def _frontier(view: Sequence[_Row], actor: str) -> tuple[_Row, ...]:
    """Return what an actor had got since it last spoke."""
    got: list[_Row] = []
    for row in reversed(view):
        if row.sender == actor:
            break
        got.insert(0, row)
    return tuple(got) or tuple(view[-1:])


def _tool_messages(span: OtlpSpan) -> list[ChatMessage]:
    return [message for message in exchange(span).asked if message.role == "tool"]


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(json_value(value)).decode()


def _message(row: _Row) -> Message:
    chat = row.chat
    blocks = {} if chat is None or chat.blocks is None else {"blocks": chat.blocks}
    calls = [{"id": c.id, "name": c.name, "args": c.args} for c in chat.calls] if chat else []
    content = {**blocks, **({"tool_calls": calls} if calls else {})}
    said_here = row.sampled or row.kind == "result"
    return Message(
        id=row.id,
        kind=row.kind,
        sender=row.sender,
        text=row.text,
        recipients=tuple(row.recipients),
        seen_by=tuple(row.seen_by),
        cause=tuple(cause.id for cause in row.cause),
        content=json_value(content) if content else None,
        tool_call_id=row.call_id,
        model=model_of(row.span) if row.sampled else None,
        tokens=tokens_of(row.span) if row.sampled else Tokens(),
        start_ns=row.span.start_ns,
        end_ns=row.span.end_ns if said_here else row.span.start_ns,
        activation=row.span.parent_id,
        sampled=row.sampled,
    )
