"""The rows of a ledger in the making, and how a prompt's messages are found among them.

A row is found by its call's id or by its words, through an index: a conversation is in the prompt
of each of its model calls, and a search through all rows would take time with the cube of its
length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.tracing._ledger import UNNAMED, USER, MessageKind

if TYPE_CHECKING:
    from linenotes.tracing.files._chat_messages import ChatMessage
    from linenotes.tracing.files._otlp_json import OtlpSpan

_Key = tuple[str, object]


@dataclass(slots=True, eq=False)
class Row:
    """One message, as far as it is known."""

    kind: MessageKind
    sender: str
    text: str
    span: OtlpSpan
    """The span in which it was said, else the one in which it was first shown."""
    place: int = -1
    """Its number in the ledger."""
    chat: ChatMessage | None = None
    call_id: str | None = None
    calls: dict[str | None, str] = field(default_factory=dict)
    """Of a call: call id to tool."""
    activation: str | None = None
    said_here: bool = False
    """True when `span` is where it was said."""
    sampled: bool = False
    cause: tuple[Row, ...] = ()
    recipients: dict[str, None] = field(default_factory=dict)
    seen_by: dict[str, None] = field(default_factory=dict)
    outer: str = USER
    """The actor around its sender; the user for the outermost agent."""

    @property
    def id(self) -> str:
        """Its id in the ledger."""
        return f"{UNNAMED}{self.place}"


class Rows:
    """The rows of a ledger so far."""

    def __init__(self) -> None:
        self.all: list[Row] = []
        self._alike: dict[tuple[_Key, str | None], list[Row]] = {}
        self._call_with: dict[str | None, Row] = {}
        self._call_to: dict[str, Row] = {}
        self._last_place: dict[str, int] = {}

    def add(self, row: Row) -> Row:
        """Add a row at the end. Its kind, sender, text and call ids must not change afterwards."""
        row.place = len(self.all)
        self.all.append(row)
        for sender in (row.sender, None):
            self._alike.setdefault((_key_of_row(row), sender), []).append(row)
        self._call_with |= dict.fromkeys(row.calls, row)
        self._call_to |= dict.fromkeys(row.calls.values(), row)
        self._last_place[row.sender] = row.place
        return row

    def alike(self, chat: ChatMessage, sender: str | None = None) -> list[Row]:
        """Return the rows with the words or the calls of a message, of one sender or of all."""
        return self._alike.get((_key(chat), sender), [])

    def call_of(self, call_id: str | None, name: str) -> Row | None:
        """Return the latest call with an id; without one, the latest of the tool."""
        return self._call_with.get(call_id) if call_id else self._call_to.get(name)

    def speaks_after(self, actor: str, place: int) -> bool:
        """Return whether `actor` has sent a row after the one at `place`."""
        return self._last_place.get(actor, -1) > place


class Prompt:
    """The rows that one model was shown, each once."""

    def __init__(self, rows: Rows, actor: str) -> None:
        self.rows: list[Row] = []
        self._all = rows
        self._actor = actor
        self._used: set[int] = set()
        self._waiting: dict[tuple[_Key, str, str | None], Iterator[Row]] = {}
        """Iterators over the rows that are not shown yet, by key, role and sender."""

    def find(self, chat: ChatMessage) -> Row | None:
        """Return the row of the prompt's next message: first one of the same speaker, else any."""
        own = {"user": USER, "assistant": self._actor}.get(chat.role)
        found = self._next(chat, own) if own else None
        return found or self._next(chat, None)

    def show(self, row: Row) -> None:
        """Add a row."""
        self.rows.append(row)
        self._used.add(row.place)

    def _next(self, chat: ChatMessage, sender: str | None) -> Row | None:
        waiting = self._waiting.setdefault(
            (_key(chat), chat.role, sender), iter(self._all.alike(chat, sender))
        )
        return next((row for row in waiting if self._fits(row, chat)), None)

    def _fits(self, row: Row, chat: ChatMessage) -> bool:
        if row.place in self._used:
            return False
        by_agent = chat.role == "assistant" and not chat.calls
        return not by_agent or row.sender != USER or self._actor == USER


def _key(chat: ChatMessage) -> _Key:
    if chat.role == "tool":
        return "result", chat.call_id
    if chat.calls:
        return "call", frozenset(call.id for call in chat.calls)
    return "text", chat.text.strip()


def _key_of_row(row: Row) -> _Key:
    if row.kind == "result":
        return "result", row.call_id
    if row.calls:
        return "call", frozenset(row.calls)
    return "text", row.text.strip()
