"""Texts that fit the `format`, the `pattern` and the length that a JSON schema asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from string import ascii_uppercase, digits
from typing import Any
from uuid import UUID

from linenotes.evals.testing._words import phrase, sentence, word

Make = Callable[[Random], str]
_LENGTHS = range(1, 17)
_LONGEST = 100_000


def schema_text(schema: Mapping[str, Any], draw: Random) -> str:
    """Return a text that fits `schema`; for an unusual pattern, two words that may not.

    Raises:
        ValueError: it asks for a text that is too long.
    """
    if pattern := schema.get("pattern"):
        usual = (text for make in _USUAL if re.search(pattern, text := make(draw)))
        return next(usual, phrase(draw))
    if make := _FORMATS.get(schema.get("format", "")):
        return make(draw)
    if schema.get("minLength", 0) > _LONGEST:
        raise ValueError(f"The schema asks for a text of more than {_LONGEST:,} characters.")
    text = phrase(draw)
    while len(text) < schema.get("minLength", 0):
        text = f"{text} {sentence(draw)}"
    return text[: schema.get("maxLength")]


def _date(draw: Random) -> str:
    return f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"


def _time(draw: Random) -> str:
    return f"{draw.randint(10, 23)}:30:00Z"


def _some(characters: str, length: int) -> Make:
    return lambda draw: "".join(draw.choices(characters, k=length))


_FORMATS: dict[str, Make] = {
    "date": _date,
    "date-time": lambda draw: f"{_date(draw)}T{_time(draw)}",
    "duration": lambda draw: f"PT{draw.randint(1, 59)}M",
    "email": lambda draw: f"{word(draw)}@example.com",
    "hostname": lambda draw: f"{word(draw)}.example.com",
    "ipv4": lambda draw: f"192.0.2.{draw.randint(1, 254)}",
    "ipv6": lambda draw: f"2001:db8::{draw.randint(1, 9999)}",
    "time": _time,
    "uri": lambda draw: f"https://example.com/{word(draw)}",
    "uuid": lambda draw: str(UUID(int=draw.getrandbits(128), version=4)),
}
_USUAL: tuple[Make, ...] = (
    *_FORMATS.values(),
    word,
    lambda draw: word(draw).upper(),
    lambda draw: word(draw).title(),
    lambda draw: f"{word(draw)}_{word(draw)}",
    lambda draw: f"/{word(draw)}",
    lambda draw: f"#{draw.getrandbits(24):06x}",
    lambda draw: f"{ascii_uppercase[draw.randrange(26)] * 3}-{draw.randint(100, 999)}",
    lambda draw: f"{draw.randint(1, 9)}.{draw.randint(0, 9)}.{draw.randint(0, 9)}",
    lambda draw: f"+1555{draw.randint(1000000, 9999999)}",
    *(_some(characters, length) for characters in (digits, ascii_uppercase) for length in _LENGTHS),
)
