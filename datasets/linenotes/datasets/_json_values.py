"""Strict JSON: what a golden file may hold, whatever its format.

Python's own reader takes the last of two equal keys, knows NaN, and reads numbers that no store
holds. Here each of these is an error, for a value that is silently another one is a wrong score
that nobody sees.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pydantic import JsonValue

MAX_DEPTH = 64
_INTEGERS = range(-(2**63), 2**64)
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """A text is JSON, but not of the strict kind."""


class NotJsonError(JsonError):
    """A text is no JSON at all."""


def read_json(text: str) -> JsonValue:
    """Return the value that `text` stands for.

    Raises:
        NotJsonError: the text is not JSON.
        JsonError: it has a key twice, NaN or Infinity, or too deep a nesting.
    """
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not valid JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels") from None
    return value


def check_json_values(values: JsonValue) -> JsonValue:
    """Return `values` if every store and every digest can hold them.

    Raises:
        ValueError: they cannot; the text says where and why.
    """
    for path, why in _unfit(values, ()):
        raise ValueError(f"at {'.'.join(path)}: {why}" if path else why)
    return values


def _unfit(value: JsonValue, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if len(path) > MAX_DEPTH:
        yield path[:3], f"nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, str) and _SURROGATE.search(value):
        yield path, "half of a surrogate pair is no text"
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value!r} is not a number that JSON can hold"
    elif isinstance(value, int) and value not in _INTEGERS:
        yield path, "an integer of more than 64 bits; write it as text"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit(item, (*path, str(index)))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unfit(key, path)
            yield from _unfit(item, (*path, key))


def _unique_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise JsonError(f"the key {twice[0]!r} stands there twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f'{name} is not JSON; write null, or "{name}" for the text')
