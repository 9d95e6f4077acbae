"""What MLflow stored of a graph's values, and the values again.

Messages were stored field by field, a Command likewise, a Send as its `repr`. Fields of other
classes come back as dicts, and what MLflow kept as mere text stays text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, messages_from_dict
from langgraph.types import Command, Send
from pydantic import JsonValue, ValidationError

from linenotes.tracing.sources._reprs import COMMAND_FIELDS, SEND, read_send

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {"human", "ai", "system", "tool", "function", "chat", "remove"}
_DEPTH = 6
_CHUNKS = {"AIMessageChunk": "ai", "HumanMessageChunk": "human", "ToolMessageChunk": "tool"}


def is_message(value: JsonValue) -> bool:
    """Tell whether `value` is a message, stored field by field."""
    if not isinstance(value, dict) or "content" not in value or "additional_kwargs" not in value:
        return False
    return _kind(value) in _KINDS


def stored_messages(value: JsonValue, depth: int = _DEPTH) -> Iterator[dict[str, JsonValue]]:
    """Yield the messages in `value`, as they are stored."""
    if isinstance(value, dict) and is_message(value):
        yield value
    elif depth and isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from stored_messages(item, depth - 1)


def is_command(value: JsonValue) -> bool:
    """Tell whether `value` is a Command, stored field by field."""
    return isinstance(value, dict) and value.keys() == set(COMMAND_FIELDS)


def with_sends(value: JsonValue) -> JsonValue:
    """Return what a node or an edge put out, with each Send in it read from its text."""
    if isinstance(value, str):
        return read_send(value) or value
    if isinstance(value, list):
        return [with_sends(item) for item in value]
    if isinstance(value, dict) and is_command(value):
        return {**value, "goto": with_sends(value["goto"])}
    return value


def revived(value: JsonValue) -> object:
    """Return what was stored as `value`: messages, Commands and Sends as such."""
    if isinstance(value, list):
        return [revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    if is_message(value):
        return revived_message(value)
    fields = {key: revived(item) for key, item in value.items()}
    if SEND in value:
        return Send(str(value[SEND]), fields["arg"])
    return _command(fields) if is_command(value) else fields


def revived_message(stored: Mapping[str, JsonValue]) -> BaseMessage | dict[str, JsonValue]:
    """Return the message that was stored; as a dict where no class of today takes it."""
    data = {key: value for key, value in stored.items() if value is not None or key == "content"}
    try:
        return messages_from_dict([{"type": _kind(stored), "data": data | {"type": _kind(stored)}}])[0]
    except (ValidationError, ValueError, TypeError):
        return dict(stored)


def _kind(stored: Mapping[str, JsonValue]) -> str:
    kind = str(stored.get("type"))
    return _CHUNKS.get(kind, kind)


def _command(fields: Mapping[str, object]) -> Command[str]:
    goto = fields["goto"]
    targets = [part for part in (goto if isinstance(goto, list) else [goto]) if part]
    return Command(
        graph=fields["graph"],  # type: ignore[arg-type]  # a text or None, as it was stored
        update=fields["update"],
        resume=fields["resume"],  # type: ignore[arg-type]  # any value
        goto=targets,  # type: ignore[arg-type]  # names and Sends
    )
