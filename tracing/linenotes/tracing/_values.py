"""A graph's values as JSON: states, messages and whatever else an agent returns."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, JsonValue

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_ROLES = {"human": "user", "ai": "assistant"}
_DEEPEST = 100
"""Levels; what lies deeper is cut off with a mark."""
_MOST = 100_000
"""Containers; others are cut off with a mark: parts that are shared are written out each time.
Bytes as well."""
_LARGEST = 2**63
"""The stores hold integers of 64 bits; larger ones become text."""


def json_value(value: object) -> JsonValue:
    """Return `value` as JSON that every store takes.

    Messages become `{"role", "content", ...}` as in OpenAI's chat format; models, dataclasses,
    sets and tuples become objects and arrays; anything else that JSON lacks becomes its text.
    """
    return _converted(value, (), itertools.count())


def _converted(value: object, outer: tuple[int, ...], nodes: Iterator[int]) -> JsonValue:
    if type(value) is str and value.isascii():
        return value
    try:
        return _as_json(value, outer, nodes)
    except (Exception, SystemExit):  # noqa: BLE001  a stranger's class may raise anything
        return text_of(value)


def _as_json(value: object, outer: tuple[int, ...], nodes: Iterator[int]) -> JsonValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Half an emoji is no UTF-8. A slice of an enum's text is plain text.
        return value[:] if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        return int(value) if -_LARGEST <= value < _LARGEST else text_of(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if (too_deep := len(outer) == _DEEPEST or id(value) in outer) or next(nodes) >= _MOST:
        return "… (cut off: too deep)" if too_deep else "… (cut off: too large)"
    return _structure(value, (*outer, id(value)), nodes)


def _structure(value: object, outer: tuple[int, ...], nodes: Iterator[int]) -> JsonValue:
    if isinstance(value, Mapping):
        return {text_of(key): _converted(inner, outer, nodes) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_converted(inner, outer, nodes) for inner in value]
    if isinstance(value, set | frozenset):
        # Sorted: the order of a set's texts is another in every process.
        return sorted((_converted(inner, outer, nodes) for inner in value), key=orjson.dumps)
    if _is_message(value):
        return _message(value)  # type: ignore[arg-type]  # LangChain's messages, not imported here
    return _converted(_plain(value), outer, nodes)


def _is_message(value: object) -> bool:
    """Return whether a value is a message; a pandas table with such columns, say, is none."""
    try:
        return hasattr(value, "content") and isinstance(getattr(value, "type", None), str)
    except Exception:  # noqa: BLE001  a stranger's class may raise anything
        return False


def _plain(value: object) -> object:
    """Return what a model, a dataclass or a NumPy value holds; anything else as its text."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return value.tolist()
    return _text_of_bytes(value) if isinstance(value, bytes | bytearray) else text_of(value)


def text_of(value: object) -> str:
    """Return the text of any value; its class in angle brackets where `str` raises."""
    try:
        text = str(value)
    except (Exception, SystemExit):  # noqa: BLE001  a stranger's class may raise anything
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def _text_of_bytes(value: bytes | bytearray) -> str:
    mark = f"… (cut off: {len(value):,} bytes)" if len(value) > _MOST else ""
    return repr(value[:_MOST]) + mark


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
