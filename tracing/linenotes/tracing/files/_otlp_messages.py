"""What a span of the GenAI conventions says was asked and answered, in the one chat shape.

The conventions have had three forms: messages of parts as JSON in attributes, an event for each
message, and before these the prompt and the completion as JSON. All are read; where a span has
several, the attributes count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._values import json_value
from linenotes.tracing.files._chat_messages import ChatMessage, read_messages

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing._trace import SpanEvent
    from linenotes.tracing.files._otlp_json import OtlpSpan

_Object = Mapping[str, "JsonValue"]
_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_INPUTS = (names.INPUT_MESSAGES, "gen_ai.prompt")
_OUTPUTS = (names.OUTPUT_MESSAGES, "gen_ai.completion")
_TEXTS = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """The messages that a model or an agent was given, and those that it said."""

    inputs: tuple[ChatMessage, ...]
    outputs: tuple[ChatMessage, ...]


class Exchanges:
    """The exchanges of one trace's spans, each read once, when it is first asked for."""

    def __init__(self) -> None:
        self._read: dict[str, Exchange] = {}

    def of(self, span: OtlpSpan) -> Exchange:
        """Return the messages of a span.

        Raises:
            TraceFileError: one has no role that is known.
        """
        if span.span_id not in self._read:
            self._read[span.span_id] = exchange(span)
        return self._read[span.span_id]


def exchange(span: OtlpSpan) -> Exchange:
    """Return the messages of a span; none where the instrumentation kept no content.

    Raises:
        TraceFileError: one has no role that is known.
    """
    everywhere = [span.attributes, *(event.attributes for event in span.events)]
    inputs = _first_listed(everywhere, _INPUTS) or _input_events(span)
    outputs = _first_listed(everywhere, _OUTPUTS) or _output_events(span)
    return Exchange(
        read_messages(plain_messages(inputs, "user"), f"{span.place}: input message"),
        read_messages(plain_messages(outputs, "assistant"), f"{span.place}: output message"),
    )


def content_of(value: JsonValue) -> JsonValue:
    """Return the value of an attribute, parsed where it is an object or a list as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json_value(json.loads(value))
        except ValueError:
            return value
    return value


def _first_listed(holders: Iterable[_Object], keys: tuple[str, ...]) -> list[JsonValue]:
    for holder in holders:
        for key in keys:
            found = content_of(holder.get(key))
            if isinstance(found, str) and found:
                return [{"content": found}]
            if isinstance(found, dict):
                return [found]
            if isinstance(found, list) and found:
                return found
    return []


def _input_events(span: OtlpSpan) -> list[JsonValue]:
    return [
        {"role": _EVENTS[event.name], **_parsed_attributes(event)}
        for event in span.events
        if event.name in _EVENTS
    ]


def _output_events(span: OtlpSpan) -> list[JsonValue]:
    choices = [_parsed_attributes(event) for event in span.events if event.name == _CHOICE]
    messages = ((choice.get("message"), choice) for choice in choices)
    return [
        {"role": "assistant", **(message if isinstance(message, dict) else choice)}
        for message, choice in messages
    ]


def _parsed_attributes(event: SpanEvent) -> dict[str, JsonValue]:
    return {key: content_of(value) for key, value in event.attributes.items()}


def plain_messages(messages: Iterable[JsonValue], role: str = "assistant") -> list[JsonValue]:
    """Return messages of parts in the chat format; `role` is that of those without one."""
    return [one for message in messages for one in _plain(message, role)]


def _plain(message: JsonValue, role: str) -> list[JsonValue]:
    """Return a message of parts as messages with content; results are messages of their own."""
    if not isinstance(message, dict):
        return [{"role": role, "content": message}]
    parts = message.get("parts")
    if not isinstance(parts, list):
        return [{"role": role, **message}]
    held = [part for part in parts if isinstance(part, dict)]
    results = [_result(p) for p in held if p.get("type") == "tool_call_response"]
    calls = [_call(part) for part in held if part.get("type") == "tool_call"]
    blocks = [p for p in held if p.get("type") not in ("tool_call", "tool_call_response")]
    if results and not blocks and not calls:
        return [{**_named(message), **result} for result in results]
    spoken: dict[str, JsonValue] = {"role": message.get("role", role), **_named(message)}
    spoken["content"] = _content(blocks)
    if calls:
        spoken["tool_calls"] = list(calls)
    return [*results, spoken]


def _content(blocks: list[dict[str, JsonValue]]) -> JsonValue:
    if all(block.get("type") in _TEXTS for block in blocks):
        return "\n".join(str(block.get("content", block.get("text", ""))) for block in blocks)
    return [
        {"type": "text", "text": block.get("content", block.get("text"))}
        if block.get("type") in _TEXTS
        else block
        for block in blocks
    ]


def _named(message: _Object) -> dict[str, JsonValue]:
    return {"name": message["name"]} if isinstance(message.get("name"), str) else {}


def _result(part: _Object) -> dict[str, JsonValue]:
    answer = next((part[key] for key in ("response", "result", "content") if key in part), None)
    return {"role": "tool", "tool_call_id": part.get("id"), "content": answer}


def _call(part: _Object) -> JsonValue:
    return {"id": part.get("id"), "name": part.get("name"), "arguments": part.get("arguments")}
