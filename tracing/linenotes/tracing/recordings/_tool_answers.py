"""What a tool gave, as JSON and back, where JSON holds it without loss."""

from __future__ import annotations

from typing import Any

import orjson
from langchain_core.messages import ToolMessage
from pydantic import JsonValue


class Unstorable(Exception):  # noqa: N818  it is the value that is, and nobody's error
    """JSON does not hold what the tool gave."""


def keep_value(value: object) -> JsonValue:
    """Return what a tool gave as JSON.

    Raises:
        Unstorable: JSON would not give it back as it is.
    """
    if isinstance(value, ToolMessage):
        fields = value.model_dump(exclude_defaults=True, exclude={"type", "artifact"})
        return {"message": _plain({**fields, "artifact": value.artifact})}
    if isinstance(value, tuple) and len(value) == 2:  # noqa: PLR2004  content and artifact
        return {"pair": [_plain(part) for part in value]}
    return {"plain": _plain(value)}


def restored_value(content: JsonValue) -> object:
    """Return what a tool gave."""
    kept: Any = content
    if "message" in kept:
        return ToolMessage(**{"content": "", **kept["message"]})
    return tuple(kept["pair"]) if "pair" in kept else kept["plain"]


def _plain(value: object) -> JsonValue:
    try:
        found: JsonValue = orjson.loads(
            orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        )
    except (TypeError, ValueError):
        raise Unstorable(type(value).__name__) from None
    if found != value or not _is_alike(found, value):
        raise Unstorable(type(value).__name__)
    return found


def _is_alike(found: object, value: object) -> bool:
    """Tell whether all parts have the same classes: a list is no tuple, and 1 is not True."""
    if type(found) is not type(value):
        return False
    if isinstance(found, dict) and isinstance(value, dict):
        return all(_is_alike(found[key], value[key]) for key in found)
    if isinstance(found, list) and isinstance(value, list):
        return all(map(_is_alike, found, value))
    return True
