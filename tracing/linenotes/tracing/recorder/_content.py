"""From what agents pass around to what is kept: text, content, OpenAI and GenAI shapes.

Nothing else reads the content of a LangChain message or of a state.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    RemoveMessage,
    ToolMessage,
    convert_to_messages,
)
from pydantic import BaseModel

from linenotes.tracing._ledger import NO_TOKENS, Tokens
from linenotes.tracing._values import json_value, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langchain_core.messages import ToolCall
    from pydantic import JsonValue

    from linenotes.tracing._ledger import Message

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
_SPEAKERS = frozenset({"user", "human", "assistant", "ai", "system"})
_TOOL_CALL_TYPES = frozenset({"tool_call", "tool_call_with_context"})
_DEPTH = 5
T = TypeVar("T")
_PLAIN = frozenset({str, int, float, bool, type(None)})
WHOLE = "__root__"
"""The name that LangGraph gives to a state without fields."""


def messages_in(value: object) -> list[BaseMessage]:
    """Return the messages that `value` holds, in its fields, lists and payloads."""
    return _messages_in(value, _DEPTH, set())


def _messages_in(value: object, depth: int, seen: set[int]) -> list[BaseMessage]:
    if isinstance(value, list | tuple):
        if all(map(_is_message_class, {*map(type, value)})):
            return [*value]
        items: Iterable[object] = value
    elif _is_message(value):
        return [value]
    else:
        items = fields_of(value).values()
    found: list[BaseMessage] = []
    for item in items:
        if depth and type(item) not in _PLAIN and id(item) not in seen:
            seen.add(id(item))  # it may contain itself
            try:
                found += _messages_in(item, depth - 1, seen)
            except Exception:  # noqa: BLE001, S112  a stranger's class may raise anything
                continue
    return found


def as_messages(name: str, value: object) -> object:
    """Return the value of a state field with messages where it has dicts or pairs that mean some.

    LangGraph's `add_messages` takes `{"role", "content"}`, `("user", "text")`, and in a field
    called `messages` a mere text, and makes messages of them after the node has ended.
    """
    items = value if isinstance(value, list) else [value]
    if not any(_means_a_message(name, item) for item in items):
        return value
    try:
        return [
            convert_to_messages([item])[0] if _means_a_message(name, item) else item  # type: ignore[list-item]  # checked
            for item in items
        ]
    except Exception:  # noqa: BLE001  LangChain finds out in many ways that it means none
        return value


def _means_a_message(name: str, item: object) -> bool:
    if isinstance(item, dict):
        return "content" in item and isinstance(item.get("role", item.get("type")), str)
    if isinstance(item, tuple):
        return len(item) == 2 and isinstance(item[0], str) and item[0] in _SPEAKERS  # noqa: PLR2004  a pair
    return name == "messages" and isinstance(item, str)


def is_a(value: object, parent: type[T]) -> TypeGuard[T]:
    """Answer like `isinstance`, for which the classes of LangChain and pydantic are slow."""
    return _is_subclass(type(value), parent)


_is_subclass = cast("Callable[[type, type], bool]", lru_cache(maxsize=1024)(issubclass))


def same(one: object, other: object) -> bool:
    """Tell whether two values of a state are equal."""
    if one is other:
        return True
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  values of a stranger's state may refuse to be compared
        return False


def _is_message(value: object) -> TypeGuard[BaseMessage]:
    kind: Any = type(value)
    return _is_message_class(kind)


@lru_cache(maxsize=256)
def _is_message_class(kind: type) -> bool:
    return issubclass(kind, BaseMessage) and not issubclass(kind, RemoveMessage)


def fields_of(value: object) -> Mapping[str, object]:
    """Return the named values of a state: a dict, a pydantic model, a dataclass or a mere text."""
    try:
        return _fields_of(value)
    except Exception:  # noqa: BLE001  a stranger's class may raise anything
        return {}


def _fields_of(value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {WHOLE: value}
    if is_a(value, BaseModel):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return {}


def values_in(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that hold something other than messages."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None
        and not (isinstance(value, str | list | tuple | dict) and not value)
        and not messages_in(value)
        and not _removes(value)
    }


def _removes(value: object) -> bool:
    """Tell whether a value says nothing but which messages are to go."""
    items = value if isinstance(value, list | tuple) else [value]
    return all(is_a(item, RemoveMessage) for item in items)


def message_text(message: BaseMessage) -> str:
    """Return what `message` says, without its tool calls."""
    content = message.content
    if isinstance(content, str):
        return content
    if not isinstance(content, list):  # nobody checked it
        return ""
    blocks = (block.get("text") if isinstance(block, dict) else block for block in content)
    return "".join(block for block in blocks if isinstance(block, str))


def calls_of(message: BaseMessage | None) -> Sequence[ToolCall]:
    """Return the tool calls of a message; most have none."""
    return message.tool_calls if is_a(message, AIMessage) else ()


def forms_in(message: BaseMessage | None) -> list[dict[str, object]]:
    """Return the filled forms of a model's structured output: JSON, or the arguments of calls."""
    if message is None:
        return []
    forms: list[dict[str, object]] = [call["args"] for call in calls_of(message)]
    text = message_text(message).strip()
    if text.startswith("{"):
        with suppress(ValueError):
            form = json.loads(text)
            forms += [form] if isinstance(form, dict) else []
    return forms


def is_tool_call(payload: object) -> bool:
    """Tell whether a payload is a call, or a list of calls, for whoever executes tools."""
    first = next(iter(payload), None) if isinstance(payload, list | tuple) else payload
    if not isinstance(first, dict):
        return False
    kinds = (first.get("type"), first.get("__type"))
    return any(isinstance(kind, str) and kind in _TOOL_CALL_TYPES for kind in kinds)


def calls_text(message: BaseMessage) -> str:
    """Return the tool calls of `message` as a person writes them, one a line."""
    if not is_a(message, AIMessage):
        return ""
    return "\n".join(
        f"{call['name']}({', '.join(f'{k}={_json(v)}' for k, v in call['args'].items())})"
        for call in message.tool_calls
    )


def payload_text(value: object, outer: tuple[int, ...] = ()) -> str:
    """Return a routed payload or state update as a person reads it, `outer` being around it."""
    if isinstance(value, str):
        return value
    if id(value) in outer:  # it contains itself
        return "…"
    fields, outer = (fields_of(value) if len(outer) < _DEPTH else {}), (*outer, id(value))
    if len(fields) == 1:
        return payload_text(next(iter(fields.values())), outer)
    if fields:
        return "\n".join(f"{text_of(k)}: {payload_text(one, outer)}" for k, one in fields.items())
    return message_text(value) if is_a(value, BaseMessage) else _leaf_text(value)


def _leaf_text(value: object) -> str:
    if isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(text_of(one) for one in value)
    if isinstance(value, list) and all(_is_openai_text(one) for one in value):
        return "\n".join(one["content"] for one in value)
    return "" if value is None else _json(value)


def _is_openai_text(item: object) -> bool:
    return isinstance(item, dict) and "role" in item and isinstance(item.get("content"), str)


def message_content(message: BaseMessage) -> JsonValue:
    """Return the content blocks and tool calls of `message`, or None where its text is all."""
    content: dict[str, JsonValue] = {}
    if not isinstance(message.content, str):
        content["blocks"] = json_value(message.content)
    if is_a(message, AIMessage) and message.tool_calls:
        content["tool_calls"] = [
            {"id": call["id"], "name": call["name"], "args": json_value(call["args"])}
            for call in message.tool_calls
        ]
    return content or None


def openai_message(message: BaseMessage) -> JsonValue:
    """Return `message` in the shape of the OpenAI chat API."""
    shaped: dict[str, JsonValue] = {"role": _ROLES.get(message.type, message.type)}
    shaped["content"] = json_value(message.content)
    if message.name:
        shaped["name"] = message.name
    if is_a(message, AIMessage) and message.tool_calls:
        shaped["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": _json(call["args"])},
            }
            for call in message.tool_calls
        ]
    if is_a(message, ToolMessage):
        shaped["tool_call_id"] = message.tool_call_id
    return shaped


def tokens_of(message: BaseMessage) -> Tokens:
    """Return the tokens that the provider counted for a model's reply."""
    usage = message.usage_metadata if is_a(message, AIMessage) else None
    if not usage:
        return NO_TOKENS
    return Tokens(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cached=usage.get("input_token_details", {}).get("cache_read", 0),
        reasoning=usage.get("output_token_details", {}).get("reasoning", 0),
    )


def error_text(error: BaseException) -> str:
    """Return an exception as `Type: message`."""
    return f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")


def bubbles(messages: Iterable[Message]) -> list[JsonValue]:
    """Return `messages` in the GenAI parts form, which the MLflow UI shows as titled bubbles."""
    return [bubble(message) for message in messages]


def bubble(message: Message) -> JsonValue:
    """Return `message` in the GenAI parts form, which the MLflow UI shows as a titled bubble."""
    if message.kind == "result":
        part: JsonValue = {
            "type": "tool_call_response",
            "id": message.tool_call_id,
            "response": message.text,
        }
        return {"role": "tool", "name": message.sender, "parts": [part]}
    calls = _calls(message)
    text = _spoken(message) if calls else message.text
    parts: list[JsonValue] = [{"type": "text", "content": text}] if text or not calls else []
    return {"role": message.route, "parts": [*parts, *calls]}


def _calls(message: Message) -> list[JsonValue]:
    content = message.content
    calls = content.get("tool_calls") if isinstance(content, dict) else None
    return [
        {"type": "tool_call", "id": c["id"], "name": c["name"], "arguments": c["args"]}
        for c in (calls if isinstance(calls, list) else [])
        if isinstance(c, dict)
    ]


def _spoken(message: Message) -> str:
    """Return the text of a calling message without the calls that end it."""
    content = message.content
    calls = content.get("tool_calls") if isinstance(content, dict) else None
    count = len(calls) if isinstance(calls, list) else 0
    return "\n".join(message.text.split("\n")[:-count]) if count else message.text


def _json(value: object) -> str:
    return json.dumps(json_value(value), ensure_ascii=False)
