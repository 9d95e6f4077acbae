"""Redacting nested values: every text in dicts, lists, tuples and dataclasses.

Nearly all values need no change, so a sieve says that first, as fast as Python can; only what it
keeps back is walked through and made anew. A key such as `password` says that what stands under
it is a secret, whatever it looks like.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, cast

from linenotes.project.redaction._placeholders import PLACEHOLDER, placeholder
from linenotes.project.redaction._secret_names import is_telling, kind_named, spellings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_REMEMBERED = 1_000_000
"""Characters of texts that are remembered; each also counts for what a string takes by itself."""
_OF_A_STRING = 60
_SHORT = 100
_ARRAYS = frozenset({list, tuple})
_NO_TEXT = frozenset({float, bool, type(None)})
_LARGEST = 2**63
"""Of JSON's integers, in every store that we write to."""
_LONG_NUMBERS = {"token": 10**7}
_LONG_NUMBER = 10**5
"""From here on a number under a name such as `password` is one, and no count and no index."""
_VALUES = frozenset({"value", "values", "raw", "plain", "plaintext", "text", "data", "default"})
"""Keys of what stands for a secret in `{"token": {"type": "x", "value": "y"}}`."""
_IDS = frozenset({"trace_id", "span_id", "parent_id"})
_ID = re.compile(r"(?:tr-)?[0-9a-f]{16}(?:[0-9a-f]{16})?")
"""Ids of our own making are no card numbers, even of digits only."""


class Recent(set[str]):
    """The latest texts of some sort, about a megabyte of them."""

    def __init__(self) -> None:
        super().__init__()
        self._room = _REMEMBERED

    def note(self, text: str) -> None:
        """Remember `text`, unless it would push out all others."""
        size = len(text) + _OF_A_STRING
        if size > _REMEMBERED // 2:
            return
        if size > self._room:
            self.clear()
            self._room = _REMEMBERED
        self._room -= size
        self.add(text)


class Sieve:
    """Lets through what certainly needs no redaction: plain JSON without a text that does."""

    def __init__(self, redact: Callable[[str], str], is_safe: Callable[[str], bool]) -> None:
        self._redact = redact
        self._is_safe = is_safe
        """Tells quickly of some texts that they need no change."""
        self.texts = Recent()
        """Short texts that need no change: names and words that turn up all the time."""
        self._clean = Recent()
        """Texts that need no change and, as a key, name no secret. What an agent says is looked at
        several times: as it is said, in its trace, in the journal, in the store."""

    def lets_through(self, value: object) -> bool:
        """Tell quickly of most values that they are JSON and nothing in them is to be redacted."""
        texts = _texts_in(value)
        if texts is None:
            return False
        return all(map(self._is_clean, texts.difference(self._clean)))

    def _is_clean(self, text: object) -> bool:
        if type(text) is not str:  # a key of another type
            return False
        if self._is_safe(text):
            return True
        short = len(text) <= _SHORT
        if self._redact(text) != text or (short and kind_named(text)) or not _is_whole(text):
            return False
        self._clean.note(text)
        return True


class Walk:
    """One way through a value. A text that occurs often is looked at once."""

    def __init__(self, redact: Callable[[str], str], *, by_name: bool) -> None:
        self._redact = redact
        self._by_name = by_name
        self._texts: dict[str, str] = {}
        self.named: dict[str, str] = {}
        """The secrets that only the keys above them gave away, with their kinds."""

    def value(self, value: object) -> object:
        """Return `value` redacted; the same object where nothing changed."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, list | tuple | set | frozenset):
            made = self._apart_in_blocks(value) or [self.value(item) for item in value]
            return value if all(map(is_, made, value)) else _rebuilt(value, made)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {name: getattr(value, name) for name in _fields_of(type(value))}
            made_fields = self._dict(fields)
            return value if made_fields is fields else replace(value, **made_fields)
        return value

    def _apart_in_blocks(self, value: Collection[object]) -> list[object]:
        """Return the blocks of a message with all text in the first, if a secret lies across."""
        blocks = [i for i in value if isinstance(i, dict) and isinstance(i.get("text"), str)]
        if len(blocks) <= 1:
            return []
        texts = [block["text"] for block in blocks]
        whole = self._text("".join(texts))
        if whole == "".join(map(self._text, texts)):
            return []
        said = iter([whole])
        return [
            {**cast("dict[str, object]", self.value(i)), "text": next(said, "")}
            if any(i is block for block in blocks)
            else self.value(i)
            for i in value
        ]

    def _text(self, text: str) -> str:
        found = self._texts.get(text)
        if found is None:
            found = self._texts[text] = self._redact(text)
        return text if found == text else found  # the same object where nothing changed

    def _dict(self, value: dict[str, object]) -> dict[str, object]:
        changed = False
        made: dict[str, object] = {}
        for key, item in value.items():
            new_key = self._text(key) if isinstance(key, str) else key
            new = item if type(item) in _NO_TEXT else self._item(value, key, item)
            changed = changed or new is not item or new_key is not key
            made[new_key] = new
        return made if changed else value

    def _item(self, beside: Mapping[str, object], key: object, item: object) -> object:
        """Return what stands under `key`."""
        if not isinstance(key, str) or not self._by_name:
            return self.value(item)
        if key in _IDS and isinstance(item, str) and _ID.fullmatch(item):
            return item
        kind = kind_named(key)
        if kind is None or (kind == "token" and "logprob" in beside):  # one of a model's own
            return self.value(item)
        return self._secret(kind, item, every=key.endswith("s") and kind != "credential")

    def _secret(self, kind: str, item: object, *, every: bool) -> object:
        """Return what stands under the name of a secret; of a dict all values or some are one."""
        if isinstance(item, str):
            return self._under_name(kind, item)
        if type(item) is int and abs(item) >= _LONG_NUMBERS.get(kind, _LONG_NUMBER):
            return self._under_name(kind, str(item))
        if isinstance(item, list | tuple):
            made = [self._secret(kind, part, every=every) for part in item]
            return item if all(map(is_, made, item)) else _rebuilt(item, made)
        if isinstance(item, dict):
            made_items = {
                key: self._secret(kind, part, every=every) if every or key in _VALUES else part
                for key, part in item.items()
            }
            same = all(map(is_, made_items.values(), item.values()))
            return self._dict(item if same else made_items)
        return self.value(item)

    def _under_name(self, kind: str, secret: str) -> str:
        redacted = self._text(secret)
        if not secret or PLACEHOLDER.fullmatch(redacted):
            return redacted
        if is_telling(secret):
            self.named |= dict.fromkeys(spellings(secret), kind)
        return placeholder(kind, secret)


def _texts_in(value: object) -> set[str] | None:
    """Return all keys and texts of a value; None where it holds something that JSON does not.

    A part that stands in many places, as a message does in many prompts, is looked at once.
    """
    texts: set[str] = set()
    seen: set[int] = set()
    left: list[Any] = [(value,)]
    while left:
        parts = left.pop()
        if type(parts) is dict:
            texts.update(parts)
            parts = parts.values()
        elif type(parts) not in _ARRAYS:
            getter = _getter(type(parts))
            if getter is None:
                return None
            parts = getter(parts)
        for part in parts:
            kind = type(part)
            if kind is str:
                texts.add(part)
            elif id(part) not in seen:
                seen.add(id(part))
                if kind is not int and kind not in _NO_TEXT:
                    left.append(part)
                elif kind is int and not -_LARGEST <= part < _LARGEST:
                    return None
    return texts


def _all_fields(kind: type) -> Callable[[object], Iterable[Any]] | None:
    """Return what gets all fields of a dataclass; None for others, and where a field is secret."""
    names = [one.name for one in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    if not names or any(map(kind_named, names)):
        return None
    several = len(names) > 1
    return attrgetter(*names) if several else lambda value: [getattr(value, names[0])]


_getter = cast(
    "Callable[[type], Callable[[object], Iterable[Any]] | None]",
    lru_cache(maxsize=256)(_all_fields),
)


def _is_whole(text: str) -> bool:
    """Tell a text from one with half an emoji in it, which no JSON can hold."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=256)
def _fields_of(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _rebuilt(like: Collection[object], items: list[object]) -> object:
    make = cast("Callable[..., object]", type(like))
    return make(*items) if hasattr(like, "_fields") else make(items)
