"""The values of plain state that carry rows, and how they are found again in a state.

A list carries the rows of all its items, anything else the rows of its own. Values are looked up
by what they are equal to, and not compared one with another: a state is long, and every task is
given all of it. What can be neither hashed nor taken apart, such as an array, is known as itself.
"""

from __future__ import annotations

import dataclasses
import itertools
from operator import attrgetter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from linenotes.tracing.recorder._content import fields_of, values_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from linenotes.tracing.recorder._entries import Entry

_ANY = ""
"""The name under which a value is found whatever it is called; no state has a key without one."""

_MOST = 1_000
"""Containers: a larger value is known as itself only."""


class Carried:
    """The rows that travel as values, by the names of the values and by what these are."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, object], list[tuple[Entry, frozenset[object]]]] = {}
        """By name and first item: the row, and the other items of the value that carries it."""
        self._wholes: dict[tuple[str, type, object], list[Entry]] = {}
        self._tokens: dict[int, tuple[object, object]] = {}
        """The values that are dear to hash, by identity; they are kept, so none gets another's."""

    def __bool__(self) -> bool:
        return bool(self._wholes)

    def add(self, entry: Entry, writes: Mapping[str, object]) -> None:
        """Note that `entry` travels as the values of these keys."""
        for name, value in writes.items():
            for key in (name, _ANY) if _tells(value) else (name,):
                self._add(entry, key, value)

    def _add(self, entry: Entry, key: str, value: object) -> None:
        first, *others = [self._kept_token(item) for item in _items(value)] or [()]
        self._items.setdefault((key, first), []).append((entry, frozenset(others)))
        token = token_of(value) if isinstance(value, list | tuple) else self._kept_token(value)
        self._wholes.setdefault((key, type(value), token), []).append(entry)

    def within(self, fields: Mapping[str, object]) -> list[Entry]:
        """Return the rows that travel in these state fields, in the order of the ledger."""
        found = {entry: None for key, value in fields.items() for entry in self._find(key, value)}
        return sorted(found, key=attrgetter("index"))

    def holding(self, value: object) -> list[Entry]:
        """Return the rows that travel in `value`, whatever it is called."""
        return self.within({_ANY: value})

    def written(self, key: str, value: object) -> list[Entry]:
        """Return the rows that travel as exactly this value."""
        return self._wholes.get((key, type(value), self._token(value)), [])

    def _find(self, key: str, field: object) -> Iterable[Entry]:
        if not isinstance(field, list | tuple):
            return self.written(key, field)
        present = self._present(field)
        return [
            entry
            for item in present
            for entry, others in self._items.get((key, item), ())
            if others <= present.keys()
        ]

    def _present(self, items: Iterable[object]) -> Mapping[object, object]:
        known = self._tokens
        try:
            return dict.fromkeys(items)
        except Exception:  # noqa: BLE001  see `token_of`
            return {known[id(one)][1] if id(one) in known else token_of(one): None for one in items}

    def _kept_token(self, value: object) -> object:
        token = self._token(value)
        if token is not value:
            self._tokens[id(value)] = (value, token)
        return token

    def _token(self, value: object) -> object:
        known = self._tokens.get(id(value))
        return known[1] if known else token_of(value)


def carried_payload(entry: Entry, payload: object) -> Carried | None:
    """Return how the payload of a `Send` is found by its values, unless it is a message."""
    values = values_in(fields_of(payload))
    if entry.message is not None or not values:
        return None
    carried = Carried()
    carried.add(entry, values)
    return carried


class _Itself:
    """A value that equals nothing else."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def token_of(value: object) -> object:
    """Return what `value` has in common with its copies, and can be looked up by."""
    try:
        return _token(value, itertools.count())
    except Exception:  # noqa: BLE001  a stranger's value may refuse, or contain itself
        return _Itself(value)


def _token(value: object, nodes: Iterator[int]) -> object:
    try:
        hash(value)
    except TypeError:
        if next(nodes) == _MOST:
            raise OverflowError from None
        return _structure(value, nodes)
    return value


def _structure(value: object, nodes: Iterator[int]) -> object:
    if isinstance(value, dict):
        return dict, frozenset((key, _token(item, nodes)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(_token(item, nodes) for item in value)
    if isinstance(value, set):
        return set, frozenset(value)
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        return type(value), _token({**fields_of(value)}, nodes)
    return _Itself(value)


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _tells(value: object) -> bool:
    """Tell whether a value is rare enough to be recognised by itself."""
    if isinstance(value, str | list | tuple | dict | set):
        return len(value) > 0
    return value is not None and not isinstance(value, bool | int | float)
