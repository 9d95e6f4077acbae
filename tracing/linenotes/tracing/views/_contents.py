"""What a message holds besides its text: tool arguments, payloads, pictures and other media.

Content may come from strangers. A picture is shown only when the message itself carries it, as
one of the formats that hold no program; whatever stands elsewhere is named, never fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from linenotes.tracing._ledger import Message

_LONGEST_VALUE = 4_000
"""Longer texts inside of JSON are cut: they are encoded files, or the message's text again."""
_TEXTS = frozenset({"text", "tool_use", "tool_call", "input_text", "output_text"})
_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=\s]+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message that is no text."""

    label: str
    """What it is, such as `image/png, 12 kB`."""
    picture: str | None = None
    """A data URI, where it can be shown."""


def attachments(message: Message) -> tuple[Attachment, ...]:
    """Return the parts of a message that are no text, in their order."""
    content = message.content
    blocks = content.get("blocks") if isinstance(content, dict) else None
    return tuple(
        _attachment(block)
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and block.get("type") not in _TEXTS
    )


def details(message: Message) -> Iterator[tuple[str, str]]:
    """Yield what stands behind the text as (title, readable JSON): arguments, or a payload."""
    content = message.content
    calls = content.get("tool_calls") if isinstance(content, dict) else None
    if isinstance(calls, list):
        for call in calls:
            if isinstance(call, dict) and call.get("args"):
                yield f"Arguments of {call.get('name')}", pretty(call["args"])
    elif isinstance(content, dict) and "blocks" in content:
        return
    elif isinstance(content, dict) and list(content.values()) == [message.text]:
        return  # one field, and the text says it
    elif isinstance(content, dict | list) and content:
        yield "Whole content", pretty(content)


def pretty(value: JsonValue) -> str:
    """Return JSON as a person reads it, with long texts cut and the cut marked."""
    return orjson.dumps(_shortened(value), option=orjson.OPT_INDENT_2).decode()


def visible(text: str) -> str:
    """Return `text` with characters that act instead of showing made visible.

    Control characters become their pictures; marks that turn the direction of writing, and
    halves of characters, become their names.
    """
    return "".join(_visible(c) for c in text) if not text.isprintable() else text


def _visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t" or character.isprintable():
        return character
    if code < 0x20:  # noqa: PLR2004  the control characters, whose pictures start at U+2400
        return chr(0x2400 + code)
    if character.isspace() or character in "\u200c\u200d\u200e\u200f\u00ad":
        return character
    return f"⟨U+{code:04X}⟩"


def _attachment(block: dict[str, JsonValue]) -> Attachment:
    kind = str(block.get("type") or "content").removeprefix("input_").removesuffix("_url")
    source = _source(block)
    if match := _DATA_URI.fullmatch(source):
        picture = source if match["type"].lower() in _PICTURES else None
        return Attachment(f"{match['type']}, {_size(match['data'])}", picture)
    return Attachment(f"{kind} {source[:200]}".strip())


def _size(base64: str) -> str:
    count = len(base64) * 3 // 4
    return f"{count / 1024:,.0f} kB" if count >= 1024 else f"{count} bytes"  # noqa: PLR2004  1 kB


def _source(block: dict[str, JsonValue]) -> str:
    """Return where the bytes of a block are: a data URI, an address, or nothing."""
    inner = next((v for v in block.values() if isinstance(v, dict)), {})
    for part in (block, inner):
        data = part.get("base64") or part.get("data")
        media = part.get("mime_type") or part.get("media_type")
        if isinstance(data, str) and isinstance(media, str) and _BASE64.fullmatch(data):
            return f"data:{media};base64,{data}"
        for name in ("url", "image_url", "file_id", "filename"):
            if isinstance(found := part.get(name), str):
                return found
    return ""


def _shortened(value: JsonValue) -> JsonValue:
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"{value[:_LONGEST_VALUE]} … ({len(value):,} characters)"
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    return value
