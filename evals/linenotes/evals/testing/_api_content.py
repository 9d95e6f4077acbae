"""What both of OpenAI's chat APIs write alike: roles, content, arguments, streamed pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import orjson
from pydantic import JsonValue

from linenotes.evals.testing._exchange import ToolCall

CREATED = 1_700_000_000
"""When everything was made, in seconds since the epoch: fixed, so that equal replies are equal."""
ANY_OBJECT: dict[str, JsonValue] = {"type": "object"}
"""The JSON schema of a tool or a reply that names none."""
_PIECES = re.compile(r"\s*\S+\s*")


def role_of(role: str) -> str:
    """Return the role of a turn: `developer` is the newer name of `system`."""
    return "system" if role == "developer" else role


def text_of(content: str | Sequence[Mapping[str, JsonValue]] | None) -> str:
    """Return the text of a content, whole or in parts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part.get("text") or part.get("refusal") for part in content)
    return "".join(part for part in parts if isinstance(part, str))


def read_arguments(text: str) -> dict[str, JsonValue]:
    """Return the arguments of a call; empty where the text is not a JSON object."""
    try:
        arguments = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def arguments_text(call: ToolCall) -> str:
    """Return the arguments of `call` as JSON."""
    return orjson.dumps(dict(call.arguments)).decode()


def pieces(text: str) -> list[str]:
    """Return `text` in the pieces in which it is streamed: a word each."""
    return _PIECES.findall(text) or ([text] if text else [])
