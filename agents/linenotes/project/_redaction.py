"""Redaction: what must not be stored is replaced before anything leaves the memory.

A secret becomes `[secret:KIND:HASH]`, such as `[secret:openai-key:3f9a]`. The hash is 16 bits of
its SHA-256: enough to see that two places hold the same secret, too little to find a random key
by. (Of something that can be guessed, such as a word, it confirms a guess, as any hash does.)
A placeholder is left as it is, so redacting again changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from operator import attrgetter, is_
from typing import TYPE_CHECKING, TypeVar, cast

from linenotes.project._personal_data import find_personal
from linenotes.project._redaction_function import load_function
from linenotes.project._secret_contexts import find_contexts
from linenotes.project._secret_formats import Found, find_formats, secret_in
from linenotes.project._secret_names import is_telling, kind_named, secret_variables, spellings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from linenotes.project._project import Project

T = TypeVar("T")


class _Recent(set[str]):
    """The last few thousand texts of some sort."""

    def note(self, text: str) -> None:
        if len(self) >= _REMEMBERED:
            self.clear()
        self.add(text)


MAX_CHARACTERS = 100_000
_PLACEHOLDER = re.compile(r"(\[(?:secret|personal):[a-z0-9-]+:[0-9a-f]{4}\])")
_LONGEST_PLACEHOLDER = 100
_PERSONAL = frozenset({"email", "card"})
_SHORTEST = 6
"""Characters; nothing shorter is looked at without a pattern of the user's."""
_SHORT = 100
_REMEMBERED = 4096


@dataclass(frozen=True)
class Redactor:
    """What is kept out of every store, and how texts and values are freed of it."""

    secrets: bool = True
    personal: bool = False
    patterns: Mapping[str, str] = field(default_factory=dict)
    """The user's own: kind to regex. Its group `secret` is replaced, or all that it matches."""
    function: Callable[[str], str] | None = None
    """The user's own, called last on each text."""
    max_characters: int = MAX_CHARACTERS
    variables: frozenset[str] = frozenset()
    """Environment variables that hold secrets although their names do not end like it."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Secrets to find wherever they turn up, such as the environment's; each with its kind."""

    @classmethod
    def of(cls, project: Project) -> Redactor:
        """Return the redactor that the settings of `project` ask for.

        Raises:
            ProjectError: the function that they name cannot be imported.
        """
        chosen = project.settings.redaction
        models = project.settings.models.values()
        return cls(
            secrets=chosen.secrets,
            personal=chosen.personal,
            patterns=chosen.patterns,
            function=load_function(chosen.function, project.root) if chosen.function else None,
            max_characters=chosen.max_characters,
            variables=frozenset(model.api_key_env for model in models),
        ).refreshed()

    @classmethod
    def current(cls) -> Redactor:
        """Return the redactor in force; where none is, one for secrets."""
        return _in_force.get().refreshed()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Make this the current redactor inside the block."""
        token = _in_force.set(self)
        try:
            yield
        finally:
            _in_force.reset(token)

    def refreshed(self) -> Redactor:
        """Return this redactor with the secrets that the environment holds by now."""
        if not self.secrets:
            return self
        values = secret_variables(os.environ, self.variables)
        if all(value in self.known for value in values):
            return self
        known = {
            spelt: _kind_alone(value) or name.lower().replace("_", "-")
            for value, name in values.items()
            for spelt in spellings(value)
        }
        return replace(self, known={**self.known, **known})

    def text(self, text: str) -> str:
        """Return `text` with placeholders for what must not be stored, cut if it is too long."""
        if text in self._short:
            return text
        redacted = self._redacted(text)
        if redacted == text and len(text) <= _SHORT:
            self._short.note(text)
        return redacted

    def value(self, value: T) -> T:
        """Return nested dicts, lists, tuples and dataclasses with every text in them redacted.

        A text under a key such as `password` is masked whatever it looks like, and so is each
        repetition of it in `value`. What needs no change is returned as the same object.
        """
        if self._is_clean(value):
            return value
        walk = _Walk(self)
        redacted = walk.value(value)
        if walk.named:
            knowing = replace(self, known={**self.known, **walk.named})
            redacted = _Walk(knowing).value(redacted)
        return cast("T", redacted)

    def _is_clean(self, value: object) -> bool:
        """Tell quickly of most values that nothing in them is to be redacted."""
        waiting, long = [value], set[str]()
        while waiting:
            items = self._items(waiting.pop())
            if items is None:
                return False
            for part in items:
                if type(part) is str:
                    if part not in self._short and part not in long:
                        if self.text(part) != part:
                            return False
                        long.add(part)
                elif type(part) not in _NO_TEXT:
                    waiting.append(part)
        return True

    def _items(self, value: object) -> Iterable[object] | None:
        """Return what `value` holds; None where that alone does not say what to redact."""
        if isinstance(value, dict):
            known = self._names.issuperset(value) or all(map(self._is_name, value))
            return value.values() if known else None
        if isinstance(value, list | tuple):
            return value
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _fields_in(type(value))(value)
        return None

    @cached_property
    def _short(self) -> _Recent:
        """Short texts that need no change: names and words that turn up all the time."""
        return _Recent()

    @cached_property
    def _names(self) -> _Recent:
        """Keys that need no change and name no secret."""
        return _Recent()

    def _is_name(self, key: object) -> bool:
        if not isinstance(key, str) or kind_named(key) or self.text(key) != key:
            return False
        self._names.note(key)
        return True

    @cached_property
    def _regexes(self) -> dict[str, re.Pattern[str]]:
        return {kind: re.compile(regex) for kind, regex in self.patterns.items()}

    def _redacted(self, text: str) -> str:
        if len(text) >= _SHORTEST or self.patterns:
            text = self._replaced(text)
        if self.function is not None:
            text = _called(self.function, text)
        return _cut(text, self.max_characters) if len(text) > self.max_characters else text

    def _replaced(self, text: str) -> str:
        if "[secret:" not in text and "[personal:" not in text:
            return self._masked(text)
        parts = _PLACEHOLDER.split(text)
        parts[::2] = map(self._masked, parts[::2])
        return "".join(parts)

    def _masked(self, text: str) -> str:
        found = list(self._find(text))
        return _with_placeholders(text, found) if found else text

    def _find(self, text: str) -> Iterator[Found]:
        if self.secrets:
            if any(map(text.__contains__, self.known)):
                yield from _occurrences(text, self.known)
            if not _is_id(text):
                yield from find_formats(text)
                yield from find_contexts(text)
        for kind, regex in self._regexes.items():
            yield from (Found(*secret_in(match), kind) for match in regex.finditer(text))
        if self.personal:
            yield from find_personal(text)


_in_force: ContextVar[Redactor] = ContextVar("linenotes_redactor", default=Redactor())  # noqa: B039  nobody changes it


def placeholder(kind: str, secret: str) -> str:
    """Return what stands for `secret`: the same for the same."""
    label = "personal" if kind in _PERSONAL else "secret"
    digest = hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
    return f"[{label}:{kind}:{digest[:4]}]"


_OWN_ID = re.compile(
    r"(?:([A-Za-z_]{1,64})(?:--|:))?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:-\d)?"
    r"|(?:tr-)?[0-9a-f]{32}|[0-9a-f]{16}"
)


def _is_id(text: str) -> bool:
    """Say whether `text` is the id of a run, a message or a span, as most texts of a trace are."""
    match = _OWN_ID.fullmatch(text)
    return match is not None and not (match[1] and kind_named(match[1]))


def _kind_alone(value: str) -> str | None:
    """Return the kind of a secret whose format gives it away: the same in every environment."""
    found = next(find_formats(value), None)
    return found.kind if found and found[:2] == (0, len(value)) else None


def _occurrences(text: str, known: Mapping[str, str]) -> Iterator[Found]:
    for value, kind in known.items():
        at = text.find(value)
        while at >= 0:
            yield Found(at, at + len(value), kind)
            at = text.find(value, at + len(value))


def _with_placeholders(text: str, found: list[Found]) -> str:
    parts, done = [], 0
    for start, end, kind in _apart(found):
        parts += [text[done:start], placeholder(kind, text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


def _apart(found: list[Found]) -> list[Found]:
    """Return findings that do not overlap: those that do are one, named by the first or widest."""
    apart: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.start >= one.end:
            continue
        if apart and one.start < apart[-1].end:
            last = apart[-1]
            apart[-1] = last._replace(end=max(last.end, one.end))
        else:
            apart.append(one)
    return apart


def _called(function: Callable[[str], str], text: str) -> str:
    """Return what the user's function makes of `text`; where it fails, nothing of the text."""
    try:
        made = function(text)
    except Exception as error:  # noqa: BLE001  whatever it is, the text must not be stored
        return f"(not stored: the redaction function raised {type(error).__name__})"
    if not isinstance(made, str):
        return f"(not stored: the redaction function returned {type(made).__name__})"
    return made


def _cut(text: str, most: int) -> str:
    """Return the start of `text` with a mark, in all no longer than `most`."""
    kept = text[: max(0, most - 40)]  # the mark's own length
    opened = kept.rfind("[", len(kept) - _LONGEST_PLACEHOLDER)
    if opened >= 0 and "]" not in kept[opened:]:
        kept = kept[:opened]  # no half of a placeholder
    return f"{kept}… (cut: {len(text) - len(kept):,} characters)"


_NO_TEXT = frozenset({int, float, bool, type(None)})
_IDS = frozenset({"trace_id", "span_id", "parent_id"})
_ID = re.compile(r"(?:tr-)?[0-9a-f]{16}(?:[0-9a-f]{16})?")
"""Ids of our own making are no card numbers, even of digits only."""


class _Walk:
    """One way through a value. A text that occurs often is looked at once."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._texts: dict[str, str] = {}
        self.named: dict[str, str] = {}
        """The secrets that only the keys above them gave away, with their kinds."""

    def value(self, value: object) -> object:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, list | tuple | set | frozenset):
            made = [self.value(item) for item in value]
            return value if all(map(is_, made, value)) else _rebuilt(value, made)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {name: getattr(value, name) for name in _fields_of(type(value))}
            made_fields = self._dict(fields)
            return value if made_fields is fields else replace(value, **made_fields)
        return value

    def _text(self, text: str) -> str:
        found = self._texts.get(text)
        if found is None:
            found = self._texts[text] = self._redactor.text(text)
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
        if not isinstance(key, str) or not self._redactor.secrets:
            return self.value(item)
        if key in _IDS and isinstance(item, str) and _ID.fullmatch(item):
            return item
        kind = kind_named(key)
        if kind is None or (kind == "token" and "logprob" in beside):  # one of a model's own
            return self.value(item)
        if isinstance(item, list) and all(isinstance(part, str) for part in item):
            made = [self._under_name(kind, part) for part in item]
            return item if all(map(is_, made, item)) else made
        return self._under_name(kind, item) if isinstance(item, str) else self.value(item)

    def _under_name(self, kind: str, secret: str) -> str:
        redacted = self._text(secret)
        if not secret or _PLACEHOLDER.fullmatch(redacted):
            return redacted
        if is_telling(secret):
            self.named |= dict.fromkeys(spellings(secret), kind)
        return placeholder(kind, secret)


@lru_cache(maxsize=256)
def _fields_of(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@lru_cache(maxsize=256)
def _fields_in(kind: type[DataclassInstance]) -> Callable[[object], tuple[object, ...]]:
    names = _fields_of(kind)
    return attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)


def _rebuilt(like: Collection[object], items: list[object]) -> object:
    make = cast("Callable[..., object]", type(like))
    return make(*items) if hasattr(like, "_fields") else make(items)
