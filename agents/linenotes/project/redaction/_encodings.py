"""Secrets that were written down in another way: in colour, as a part of an address, in base 64.

Whoever knows how to find a secret in a text finds it in what such a text says; the places are
those in the text as it stands.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from linenotes.project.redaction._secret_formats import Found

Find = Callable[[str], Iterator[Found]]
_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,20}[A-Za-z]")
_ESCAPE = re.compile(r"%([2-7][0-9A-Fa-f])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")


def find_encoded(text: str, find: Find) -> Iterator[Found]:
    """Yield what `find` finds in `text` once it is read as it was meant."""
    if "\x1b[" in text:
        yield from find(_COLOUR.sub(lambda match: " " * len(match[0]), text))
    if "%" in text and _ESCAPE.search(text):
        yield from _find_in_address(text, find)
    for match in _BASE64.finditer(text):
        said = _decoded(match[0])
        if said and (found := next(find(said), None)):
            yield Found(*match.span(), found.kind)


def _find_in_address(text: str, find: Find) -> Iterator[Found]:
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for match in _ESCAPE.finditer(text):
        parts += [text[done : match.start()], chr(int(match[1], 16))]
        places += range(done, match.start() + 1)
        done = match.end()
    places += range(done, len(text) + 1)
    for start, end, kind in find("".join([*parts, text[done:]])):
        yield Found(places[start], places[end], kind)


def _decoded(written: str) -> str | None:
    """Return the text that `written` is the base 64 of; most long words are no such thing."""
    plain = written.rstrip("=").translate(_FROM_ADDRESS)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


_FROM_ADDRESS = str.maketrans("-_", "+/")
