"""Exceptions that belong to what a model or a tool answered, as JSON and back.

A provider that refuses a request (HTTP 400) and a tool that says what is wrong have answered: an
agent may go on with that, so a replay raises it again. What the infrastructure failed is no answer.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson
from pydantic import JsonValue


class ReplayedError(Exception):
    """An exception from a recording whose own class is not at hand."""


def keep_error(error: BaseException) -> JsonValue:
    """Return an exception as JSON: its class, its arguments, and what else of it is plain."""
    kind = type(error)
    return {
        "module": kind.__module__,
        "class": kind.__qualname__,
        "text": str(error),
        "args": [arg if _is_plain(arg) else str(arg) for arg in error.args],
        "fields": {k: v for k, v in vars(error).items() if _is_plain(v)},
    }


def restored_error(content: JsonValue) -> BaseException:
    """Return the exception that was kept, of its own class where a program has imported that."""
    kept: Any = content
    found: Any = sys.modules.get(kept["module"])
    for part in kept["class"].split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Exception):
        error: Exception = found.__new__(found, *kept["args"])
        error.__dict__.update(kept["fields"])
        if str(error) == kept["text"]:
            return error
    alike: type[ReplayedError] = type(kept["class"].rpartition(".")[2], (ReplayedError,), {})
    return alike(kept["text"])


def _is_plain(value: object) -> bool:
    try:
        return bool(orjson.loads(orjson.dumps(value)) == value)
    except TypeError:
        return False
