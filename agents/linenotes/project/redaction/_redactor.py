"""Redaction: what must not be stored is replaced before anything leaves the memory.

A secret becomes `[secret:KIND:HASH]`, such as `[secret:openai-key:3f9a]`, and the same secret
becomes the same wherever it stands. Placeholders are left as they are, so redacting again changes
nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from linenotes.project.redaction._encodings import find_encoded
from linenotes.project.redaction._function import load_function
from linenotes.project.redaction._personal_data import find_personal
from linenotes.project.redaction._placeholders import LONGEST_PLACEHOLDER, PLACEHOLDER, placeholder
from linenotes.project.redaction._secret_contexts import find_contexts
from linenotes.project.redaction._secret_formats import Found, find_formats, secret_in
from linenotes.project.redaction._secret_names import kind_named, secret_variables, spellings
from linenotes.project.redaction._value_walk import Sieve, Walk

if TYPE_CHECKING:
    from linenotes.project._project import Project

T = TypeVar("T")
MAX_CHARACTERS = 100_000
_BEYOND = 100_000
"""Characters after the cut that are looked at: a secret that begins before it may end there."""
_SHORTEST = 6
"""Characters; nothing shorter is looked at without a pattern of the user's."""
_SHORT = 100
_LONGEST_ID = 110


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
    known: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets to find wherever they turn up, such as the environment's; each with its kind."""
    _latest: list[Redactor] = field(default_factory=list, init=False, repr=False, compare=False)
    """This redactor as it was when the environment was last looked at."""

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
            function=load_function(chosen.function, project) if chosen.function else None,
            max_characters=chosen.max_characters,
            variables=frozenset(model.api_key_env for model in models),
        ).refreshed()

    @classmethod
    def current(cls, project: Project | None = None) -> Redactor:
        """Return the redactor in force; where none is, that of `project`, or one for secrets."""
        found = _in_force.get() or (project.redactor if project else _FOR_SECRETS)
        return found.refreshed()

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
        latest = self._latest[-1] if self._latest else self
        if all(value in latest.known for value in values):
            return latest
        known = {
            spelt: _kind_alone(value) or _kebab(name)
            for value, name in values.items()
            for spelt in spellings(value)
        }
        self._latest[:] = [self.knowing(known)]
        return self._latest[-1]

    def text(self, text: str) -> str:
        """Return `text` with placeholders for what must not be stored, cut if it is too long."""
        if text in self._sieve.texts:
            return text
        redacted = self._redacted(text)
        if redacted == text and len(text) <= _SHORT:
            self._sieve.texts.note(text)
        return redacted

    def value(self, value: T) -> T:
        """Return nested dicts, lists, tuples and dataclasses with every text in them redacted.

        A text under a key such as `password` is masked whatever it looks like, and so is each
        repetition of it in `value`. What needs no change is returned as the same object.
        """
        return self.learning(value)[0]

    def lets_through(self, value: object) -> bool:
        """Tell quickly of most values that they are JSON and nothing in them is to be redacted."""
        return self._sieve.lets_through(value)

    def learning(self, value: T) -> tuple[T, Mapping[str, str]]:
        """Return `value` redacted, and the secrets that only keys in it gave away, by kind."""
        if self.lets_through(value):
            return value, {}
        walk = Walk(self.text, by_name=self.secrets)
        redacted = walk.value(value)
        if walk.named:
            redacted = Walk(self.knowing(walk.named).text, by_name=self.secrets).value(redacted)
        return cast("T", redacted), walk.named

    def knowing(self, secrets: Mapping[str, str]) -> Redactor:
        """Return this redactor with more secrets to find wherever they turn up."""
        return replace(self, known={**self.known, **secrets})

    @cached_property
    def _sieve(self) -> Sieve:
        return Sieve(self.text, self._is_safe_id)

    def _is_safe_id(self, text: str) -> bool:
        """Say whether `text` is an id, and not what the user or the environment calls a secret."""
        if not self._is_only_for_secrets or not _is_id(text):
            return False
        return not any(map(text.__contains__, self.known))

    @cached_property
    def _is_only_for_secrets(self) -> bool:
        asked_for_more = self.personal or self.patterns or self.function
        return not asked_for_more and self.max_characters > _LONGEST_ID

    @cached_property
    def _regexes(self) -> dict[str, re.Pattern[str]]:
        return {kind: re.compile(regex) for kind, regex in self.patterns.items()}

    def _redacted(self, text: str) -> str:
        seen = self.max_characters + _BEYOND
        if len(text) > seen and not self.patterns and self.function is None:
            return _cut(self._replaced(text[:seen]), self.max_characters, more=len(text) - seen)
        if len(text) >= _SHORTEST or self.patterns:
            text = self._replaced(text)
        if self.function is not None:
            text = _called(self.function, text)
        return _cut(text, self.max_characters) if len(text) > self.max_characters else text

    def _replaced(self, text: str) -> str:
        if "[secret:" not in text and "[personal:" not in text:
            return self._masked(text)
        parts = PLACEHOLDER.split(text)
        parts[::2] = map(self._masked, parts[::2])
        return "".join(parts)

    def _masked(self, text: str) -> str:
        found = list(self._find(text))
        return _with_placeholders(text, found) if found else text

    def _find_known(self, text: str) -> Iterator[Found]:
        if any(map(text.__contains__, self.known)):
            yield from _occurrences(text, self.known)

    def _find_secrets(self, text: str) -> Iterator[Found]:
        yield from self._find_known(text)
        yield from find_formats(text)
        yield from find_contexts(text)

    def _find(self, text: str) -> Iterator[Found]:
        if self.secrets:
            if _is_id(text):
                yield from self._find_known(text)
            else:
                yield from self._find_secrets(text)
                yield from find_encoded(text, self._find_secrets)
        for kind, regex in self._regexes.items():
            yield from (Found(*secret_in(match), kind) for match in regex.finditer(text))
        if self.personal:
            yield from find_personal(text)


_in_force: ContextVar[Redactor | None] = ContextVar("linenotes_redactor", default=None)
_FOR_SECRETS = Redactor()


_OWN_ID = re.compile(
    r"(?:([A-Za-z_]{1,64})(?:--|:))?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:-\d)?"
    r"|(?:tr-)?[0-9a-f]{32}|[0-9a-f]{16}"
)


def _is_id(text: str) -> bool:
    """Say whether `text` is the id of a run, a message or a span, as most texts of a trace are."""
    match = _OWN_ID.fullmatch(text)
    return match is not None and not (match[1] and kind_named(match[1]))


def _kebab(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:40]


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


def _cut(text: str, most: int, *, more: int = 0) -> str:
    """Return the start of `text`, which goes on for `more`, with a mark; no longer than `most`."""
    kept = text[: max(0, most - 40)]  # the mark's own length
    opened = kept.rfind("[", len(kept) - LONGEST_PLACEHOLDER)
    if opened >= 0 and "]" not in kept[opened:]:
        kept = kept[:opened]  # no half of a placeholder
    return f"{kept}… (cut: {len(text) - len(kept) + more:,} characters)"
