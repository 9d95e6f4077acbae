"""The values of a graph that MLflow stored as JSON, as they were.

Messages were stored field by field, a Command likewise, a Send as its `repr`. Objects of other
classes come back as dicts, and what MLflow kept as mere text stays text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from langchain_core.messages import BaseMessage, messages_from_dict
from langgraph.types import Command, Send
from pydantic import ValidationError

from linenotes.tracing.sources._identities import messages_within
from linenotes.tracing.sources._reprs import COMMAND_FIELDS, SEND, read_send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

_CHUNKS = {"AIMessageChunk": "ai", "HumanMessageChunk": "human", "ToolMessageChunk": "tool"}


def revived(value: JsonValue) -> object:
    """Return what was stored as `value`: messages, Commands and Sends as such."""
    if isinstance(value, list):
        return [revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "content" in value and "additional_kwargs" in value:
        return _message(value)
    if SEND in value:
        return Send(str(value[SEND]), revived(value["arg"]))
    if value.keys() == set(COMMAND_FIELDS):
        return _command(value)
    return {key: revived(item) for key, item in value.items()}


def revived_output(value: JsonValue) -> object:
    """Return what a node or an edge put out, where texts may stand for Sends and messages."""
    if isinstance(value, str):
        return revived(read_send(value) or value)
    if isinstance(value, list):
        return [revived_output(item) for item in value]
    return with_pairs(revived(value))


def with_pairs(update: object) -> object:
    """Return an update with tuples again where pairs of a speaker and a text mean messages."""
    if isinstance(update, dict) and isinstance(written := update.get("messages"), list):
        return update | {"messages": [tuple(m) if isinstance(m, list) else m for m in written]}
    return update


class SharedValues:
    """Makes equal values one object again, as they were while a graph passed them on."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str], object] = {}

    def fields(self, state: object) -> object:
        """Return `state` with those of its fields shared that hold no messages."""
        if not isinstance(state, dict):
            return state
        return {name: self._shared(value) for name, value in state.items()}

    def _shared(self, value: object) -> object:
        if next(messages_within(value), None) is not None:
            return value
        try:
            # A list, a tuple and a dataclass may be the same JSON, also within a value.
            return self._known.setdefault((orjson.dumps(value), repr(value)), value)
        except TypeError:
            return value


def _message(stored: Mapping[str, JsonValue]) -> BaseMessage | dict[str, object]:
    """Return the message that was stored; as a dict where no class of today takes it."""
    kind = str(stored.get("type"))
    data = {key: value for key, value in stored.items() if value is not None and key != "type"}
    try:
        return messages_from_dict([{"type": _CHUNKS.get(kind, kind), "data": data}])[0]
    except (ValidationError, ValueError, TypeError, KeyError):
        return dict(stored)


def _command(stored: Mapping[str, JsonValue]) -> Command[str]:
    goto = revived_output(stored["goto"])
    targets = [part for part in (goto if isinstance(goto, list) else [goto]) if part]
    graph = stored["graph"]
    return Command(
        graph=graph if isinstance(graph, str) else None,
        update=revived_output(stored["update"]),
        goto=targets,
    )
