"""A graph's values as JSON: states, messages and whatever else an agent returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, JsonValue

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_ROLES = {"human": "user", "ai": "assistant"}


def json_value(value: object) -> JsonValue:
    """Return `value` as JSON.

    Messages become `{"role", "content", ...}` as in OpenAI's chat format; models, dataclasses,
    sets and tuples become objects and arrays; anything else that JSON lacks becomes its text.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(inner) for inner in value]
    if hasattr(value, "content") and hasattr(value, "type"):
        return _message(value)  # type: ignore[arg-type]  # LangChain's messages, not imported here
    if isinstance(value, BaseModel):
        return json_value(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: json_value(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return str(value)


def output_text(output: JsonValue) -> str:
    """Return what a graph answered as a person reads it: its last message, else its JSON."""
    if isinstance(output, str):
        return output
    if isinstance(output, dict):
        messages = output.get("messages")
        if isinstance(messages, list) and messages:
            last = messages[-1]
            content = last.get("content") if isinstance(last, dict) else None
            if isinstance(content, str):
                return content
    return orjson.dumps(output).decode()


def _message(message: BaseMessage) -> JsonValue:
    content: dict[str, JsonValue] = {
        "role": _ROLES.get(message.type, message.type),
        "content": json_value(message.content),
    }
    if message.name:
        content["name"] = message.name
    for extra in ("tool_calls", "tool_call_id"):
        found = getattr(message, extra, None)
        if found:
            content[extra] = json_value(found)
    return content
