"""The messages between agents, derived from spans that only say what each model was shown.

Spans are taken in the order in which they began. What a model says is a message of the agent
around it; when its words or its call's id turn up in what another agent's model is shown, it was
delivered there. Words that nobody said before are the user's, or of the agent around a nested one
if that has spoken. A reply that turns up nowhere went to the agent around if that speaks on, else
to the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

import orjson

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import NO_TOKENS, USER, Message, MessageKind
from linenotes.tracing._values import json_value
from linenotes.tracing.files._otlp_attributes import (
    AGENT_OPERATIONS,
    MODEL_OPERATIONS,
    agent_name,
    model_of,
    operation,
    tokens_of,
)
from linenotes.tracing.files._otlp_messages import Exchanges, content_of
from linenotes.tracing.files._otlp_rows import Prompt, Row, Rows

if TYPE_CHECKING:
    from linenotes.tracing.files._chat_messages import ChatMessage
    from linenotes.tracing.files._otlp_json import OtlpSpan

_TOOL = "tool"


@dataclass(frozen=True)
class OtlpLedger:
    """The messages of a trace, and which spans of agents received and sent which."""

    messages: tuple[Message, ...]
    received: Mapping[str, Sequence[str]]
    """Span id of an agent to the ids of messages."""
    sent: Mapping[str, Sequence[str]]
    of_span: Mapping[str, str]
    """Span id of a model call or tool to the id of its message."""

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {row.id: place for place, row in enumerate(self.messages)}

    def named(self, ids: Iterable[str]) -> list[Message]:
        """Return the messages with these ids, in the order of the ledger."""
        return [
            self.messages[n] for n in sorted({self._places[i] for i in ids if i in self._places})
        ]


def derive_ledger(spans: Sequence[OtlpSpan], exchanges: Exchanges) -> OtlpLedger:
    """Return the ledger of one trace.

    Raises:
        TraceFileError: a message in a span has no role that is known.
    """
    derivation = _Derivation(spans, exchanges)
    for span in sorted(spans, key=lambda span: (span.start_ns, -span.end_ns)):
        derivation.take(span)
    return derivation.ledger()


@dataclass(frozen=True, slots=True)
class _Scene:
    """A span in which something was said or shown, and whose it is."""

    span: OtlpSpan
    actor: str
    outer: str
    """The agent around the actor, else the user."""
    agent: str | None
    """The id of the actor's span, where it has one."""

    @property
    def activation(self) -> str | None:
        return self.agent or self.span.parent_id


class _Derivation:
    """Takes spans in the order in which they began, and collects rows and deliveries."""

    def __init__(self, spans: Sequence[OtlpSpan], exchanges: Exchanges) -> None:
        self._by_id = {span.span_id: span for span in spans}
        self._exchanges = exchanges
        self._rows = Rows()
        self._received: dict[str, dict[str, None]] = {}
        self._sent: dict[str, dict[str, None]] = {}
        self._of_span: dict[str, str] = {}
        self._around_models = self._ancestors_of_models(spans)
        """Spans with a model call inside: those calls, not the span, say what was said there."""

    def take(self, span: OtlpSpan) -> None:
        doing = operation(span)
        if doing == names.EXECUTE_TOOL:
            self._take_tool(self._scene(span))
        elif doing in MODEL_OPERATIONS or (
            doing in AGENT_OPERATIONS and span.span_id not in self._around_models
        ):
            self._take_exchange(self._scene(span))

    def ledger(self) -> OtlpLedger:
        for row in self._rows.all:
            if row.kind == "reply" and not row.recipients:
                # The agent around receives it only if it speaks again: it may be a mere wrapper.
                goes_on = self._rows.speaks_after(row.outer, row.place)
                row.recipients[row.outer if goes_on else USER] = None
        return OtlpLedger(
            messages=tuple(_message(row) for row in self._rows.all),
            received={span: list(ids) for span, ids in self._received.items()},
            sent={span: list(ids) for span, ids in self._sent.items()},
            of_span=self._of_span,
        )

    def _ancestors_of_models(self, spans: Sequence[OtlpSpan]) -> set[str]:
        found: set[str] = set()
        for model in (span for span in spans if operation(span) in MODEL_OPERATIONS):
            above: OtlpSpan | None = model
            while above is not None and above.span_id not in found:
                found.add(above.span_id)
                above = self._by_id.get(above.parent_id or "")
        return found

    def _agents(self, span: OtlpSpan) -> Iterator[OtlpSpan]:
        """Yield the agents that a span stands in, the nearest first."""
        seen: set[str] = set()
        above: OtlpSpan | None = span
        while above is not None and above.span_id not in seen:
            seen.add(above.span_id)
            if operation(above) in AGENT_OPERATIONS:
                yield above
            above = self._by_id.get(above.parent_id or "")

    def _scene(self, span: OtlpSpan) -> _Scene:
        """Return the agent that a span is of, and who is around it."""
        agents = list(self._agents(span))
        named = list(dict.fromkeys(agent_name(agent) for agent in agents))
        if not named:
            named = [str(span.attributes.get(names.AGENT_NAME) or span.service or "agent")]
        outer = named[1] if len(named) > 1 else USER
        return _Scene(span, named[0], outer, agents[0].span_id if agents else None)

    def _take_tool(self, scene: _Scene) -> None:
        span = scene.span
        name = str(span.attributes.get(names.TOOL_NAME) or span.name.split(" ", 1)[-1])
        call_id = span.attributes.get(names.TOOL_CALL_ID)
        result = content_of(span.attributes.get(names.TOOL_RESULT))
        said = self._tool_message(span) if result is None else _as_text(result)
        row = self._result(scene, name, str(call_id) if call_id else None, said)
        row.said_here, row.activation = True, scene.activation
        self._of_span[span.span_id] = row.id

    def _tool_message(self, span: OtlpSpan) -> str:
        asked = self._exchanges.of(span).inputs
        return next((message.text for message in asked if message.role == "tool"), "")

    def _result(self, scene: _Scene, name: str, call_id: str | None, text: str) -> Row:
        asked = self._rows.call_of(call_id, name)
        row = Row("result", name, text, scene.span, call_id=call_id, outer=scene.outer)
        row.cause = (asked,) if asked else ()
        row.recipients[asked.sender if asked else scene.actor] = None
        return self._rows.add(row)

    def _take_exchange(self, scene: _Scene) -> None:
        span = scene.span
        said = self._exchanges.of(span)
        view = self._view(said.inputs, scene)
        for chat in said.outputs:
            row = self._spoken(chat, scene)
            row.said_here, row.activation = True, scene.activation
            row.sampled = operation(span) in MODEL_OPERATIONS
            row.cause = _frontier(view, scene.actor)
            self._of_span[span.span_id] = row.id
            if scene.agent:
                self._sent.setdefault(scene.agent, {})[row.id] = None

    def _view(self, asked: Iterable[ChatMessage], scene: _Scene) -> list[Row]:
        """Return the rows that a model was shown, new ones among them, and deliver them."""
        prompt = Prompt(self._rows, scene.actor)
        for chat in asked:
            if chat.role != "system":
                row = prompt.find(chat) or self._new_row(chat, scene)
                prompt.show(row)
                self._deliver(row, scene)
        return prompt.rows

    def _new_row(self, chat: ChatMessage, scene: _Scene) -> Row:
        if chat.role == "tool":
            called = self._rows.call_of(chat.call_id, chat.name or _TOOL)
            name = chat.name or (called.calls.get(chat.call_id) if called else None) or _TOOL
            row = self._result(scene, name, chat.call_id, chat.text)
            row.chat = chat
            return row
        if chat.role == "assistant":
            return self._spoken(chat, scene)
        delegates = scene.outer != USER and self._rows.speaks_after(scene.outer, -1)
        kind: MessageKind = "delegate" if delegates else "input"
        sender = scene.outer if delegates else USER
        return self._rows.add(Row(kind, sender, chat.text, scene.span, chat=chat))

    def _spoken(self, chat: ChatMessage, scene: _Scene) -> Row:
        kind: MessageKind = "call" if chat.calls else "reply"
        row = Row(kind, scene.actor, chat.spoken, scene.span, chat=chat, outer=scene.outer)
        row.calls = {call.id: call.name for call in chat.calls}
        row.call_id = chat.only_call_id
        row.recipients = dict.fromkeys(row.calls.values())
        return self._rows.add(row)

    def _deliver(self, row: Row, scene: _Scene) -> None:
        if row.sender == scene.actor:
            return
        if not row.recipients:
            row.recipients[scene.actor] = None
        elif scene.actor not in row.recipients:
            row.seen_by[scene.actor] = None
        if scene.agent:
            self._received.setdefault(scene.agent, {})[row.id] = None


def _frontier(view: Sequence[Row], actor: str) -> tuple[Row, ...]:
    """Return what an actor had received since it last spoke."""
    got = tuple(takewhile(lambda row: row.sender != actor, reversed(view)))
    return got[::-1] or tuple(view[-1:])


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(json_value(value)).decode()


def _message(row: Row) -> Message:
    return Message(
        id=row.id,
        kind=row.kind,
        sender=row.sender,
        text=row.text,
        recipients=tuple(row.recipients),
        seen_by=tuple(row.seen_by),
        cause=tuple(cause.id for cause in row.cause),
        content=row.chat.content if row.chat else None,
        tool_call_id=row.call_id,
        model=model_of(row.span) if row.sampled else None,
        tokens=tokens_of(row.span) if row.sampled else NO_TOKENS,
        start_ns=row.span.start_ns,
        end_ns=row.span.end_ns if row.said_here else row.span.start_ns,
        activation=row.activation,
        sampled=row.sampled,
    )
