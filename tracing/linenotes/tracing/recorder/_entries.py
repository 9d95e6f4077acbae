"""The rows of a ledger while it is being written, and how a message is recognised again.

A row is found by the message object, by its id, or for a tool's result by the id of its call;
never by its place. LangGraph gives an id to a message that has none only after the node that
wrote it has ended, so the object is kept and its id read when it is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, ToolMessage

from linenotes.tracing._ledger import NO_TOKENS, UNNAMED, Message, MessageKind, Tokens
from linenotes.tracing._values import json_value, text_of
from linenotes.tracing.recorder._content import (
    calls_of,
    calls_text,
    is_a,
    message_content,
    message_text,
    payload_text,
    same,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.recorder._runs import Activation, Slot


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """A message that may still find recipients."""

    index: int
    kind: MessageKind
    sender: str
    start_ns: int
    end_ns: int
    activation: Activation | None = None
    """Whose activation said it; None for the user and for tools."""
    namespace: str | None = None
    step: int | None = None
    said_at: Slot | None = None
    """The scope and superstep of the task that said it."""
    message: BaseMessage | None = None
    payload: object = None
    """What was routed or written, where it is no message."""
    tool_call_id: str | None = None
    model: str | None = None
    tokens: Tokens = NO_TOKENS
    cost: float | None = None
    sampled: bool = False
    cause: tuple[Entry, ...] = ()
    past: int = 0
    """The indices, as bits, of all rows that its sender could know of."""
    recipients: dict[str, None] = field(default_factory=dict)
    seen_by: dict[str, None] = field(default_factory=dict)
    slot: Slot | None = None
    """When it was delivered."""
    routed: bool = False
    """True when its sender named the recipients."""
    awaited: int = 0
    """How many tasks it was routed to that have not got it yet."""
    unanswered: int = 0
    """How many of its tool calls have no result yet."""
    deliveries: list[Activation] = field(default_factory=list)
    announced: bool = False
    twin: int = 0
    """How many rows before it had the same id."""

    @property
    def id(self) -> str:
        own = (self.message.id if self.message else None) or f"{UNNAMED}{self.index}"
        return f"{own}~{self.twin}" if self.twin else own

    @property
    def is_waiting(self) -> bool:
        """Tell whether more recipients are known to come."""
        return self.awaited > 0 or self.unanswered > 0

    @property
    def spoken(self) -> str:
        """Its text as it can be recognised in a state."""
        return message_text(self.message) if self.message else payload_text(self.payload)

    @property
    def text(self) -> str:
        if self.message is None:
            return payload_text(self.payload)
        lines = (message_text(self.message), calls_text(self.message))
        return "\n".join(line for line in lines if line)

    def _told(self) -> tuple[str, JsonValue]:
        """Return text and content; of what cannot be read so what there is of it."""
        try:
            if self.message is not None:
                return self.text, message_content(self.message)
            return self.text, None if isinstance(self.payload, str) else json_value(self.payload)
        except Exception:  # noqa: BLE001  a stranger's class may raise anything
            return text_of(self.payload if self.message is None else self.message), None

    def to_message(self) -> Message:
        """Return the row as it is now."""
        text, content = self._told()
        return Message(
            id=self.id,
            kind=self.kind,
            sender=self.sender,
            text=text,
            recipients=tuple(self.recipients),
            seen_by=tuple(self.seen_by),
            cause=tuple(cause.id for cause in self.cause),
            content=content,
            tool_call_id=self.tool_call_id,
            model=self.model,
            tokens=self.tokens,
            cost=self.cost,
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            step=self.step,
            activation=self.activation.namespace if self.activation else self.namespace,
            sampled=self.sampled,
        )


class Entries:
    """All rows of one execution, and the ways to find one."""

    def __init__(self) -> None:
        self.rows: list[Entry] = []
        self._by_object: dict[int, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._by_call: dict[str, Entry] = {}
        self._unnamed: list[BaseMessage] = []
        self._kept: list[BaseMessage] = []
        self.reshaped: list[BaseMessage] = []
        """Messages that we made of what a node wrote as a dict or a pair."""

    def add(self, entry: Entry) -> Entry:
        """Take a new row, the latest to answer to its message's id."""
        self.rows.append(entry)
        if entry.message is not None:
            if entry.message.id and (twin := self._by_id.get(entry.message.id)):
                entry.twin = twin.twin + 1
            self.alias(entry.message, entry)
            if is_a(entry.message, ToolMessage):
                self._by_call[entry.message.tool_call_id] = entry
        return entry

    def drop_unread_states(self) -> None:
        """Strike out changes of a plain state that nobody read: they are no messages."""
        unread = {r for r in self.rows if r.kind == "state" and not (r.recipients or r.seen_by)}
        self.rows = [row for row in self.rows if row not in unread]
        for row in self.rows:
            if not unread.isdisjoint(row.cause):
                row.cause = tuple(_without(unread, row.cause))

    def alias(self, message: BaseMessage, entry: Entry) -> None:
        """Let `message` stand for `entry` from now on: it is the same thing in a new copy."""
        known = entry.message
        is_renewed = known is None or known.id in {None, message.id}
        if is_renewed and len(calls_of(message)) >= len(calls_of(known)):  # else it repeats a part
            entry.message = message
        self._kept.append(message)
        self._by_object[id(message)] = entry
        if message.id:
            self._by_id[message.id] = entry
        else:
            self._unnamed.append(message)
        if is_a(message, ToolMessage):
            self._by_call.setdefault(message.tool_call_id, entry)

    def expect_result(self, call_id: str) -> None:
        """Note that the next result of this call is a new one, even if the id was used before."""
        self._by_call.pop(call_id, None)

    def result_of(self, call_id: str) -> Entry | None:
        """Return the row of a call's result."""
        return self._by_call.get(call_id)

    def find(self, message: BaseMessage) -> Entry | None:
        """Return the row of `message`, if it has one."""
        found = self._by_object.get(id(message))
        if found is None and message.id:
            found = self._by_id.get(message.id) or self._find_among_unnamed(message.id)
        if found is None and is_a(message, ToolMessage):
            found = self._by_call.get(message.tool_call_id)
        return found

    def find_all(self, messages: Sequence[BaseMessage]) -> list[Entry | None]:
        """Return the row of each message; a conversation is long and mostly known."""
        found = [*map(self._by_object.get, map(id, messages))]
        if None in found:
            return [entry or self.find(m) for m, entry in zip(messages, found, strict=True)]
        return found

    def find_given(self, message: BaseMessage) -> Entry | None:
        """Return the row of a message in a task's input or a graph's output.

        What a node wrote as a dict or a pair is a message of its own there, made by the state's
        reducer: nothing but the words is the same.
        """
        found = self.find(message)
        if found is None and self.reshaped:
            said = (message.type, message.name, message.content)
            alike = (m for m in self.reshaped if same((m.type, m.name, m.content), said))
            if written := next(alike, None):
                self.reshaped = [other for other in self.reshaped if other is not written]
                found = self._by_object[id(written)]
                self.alias(message, found)
        return found

    def _find_among_unnamed(self, message_id: str) -> Entry | None:
        named = [message for message in self._unnamed if message.id]
        if named:
            self._unnamed = [message for message in self._unnamed if not message.id]
        for message in named:
            self._by_id[str(message.id)] = self._by_object[id(message)]
        return self._by_id.get(message_id)


def _without(unread: Collection[Entry], causes: Iterable[Entry]) -> Iterable[Entry]:
    """Yield the causes, and in place of a struck one its own."""
    for cause in causes:
        if cause in unread:
            yield from _without(unread, cause.cause)
        else:
            yield cause


def is_rewritten(entry: Entry, message: BaseMessage) -> bool:
    """Tell whether `message` has the id of a row and says something else."""
    known = entry.message
    if known is None or known is message or not message.id or known.id != message.id:
        return False
    before, after = calls_of(known), calls_of(message)
    if message_text(known) != message_text(message):
        return True
    return len(before) == len(after) and [c["args"] for c in before] != [c["args"] for c in after]


_INDEX = attrgetter("index")
_KIND = attrgetter("kind")


def frontier(view: Collection[Entry]) -> tuple[tuple[Entry, ...], int]:
    """Return the newest rows of `view`, and everything known to whoever has it, as bits.

    A row is newest when nobody who said another row of the view could know of it: two branches
    that joined are both newest, whatever came first. A row only knows of rows before it. A made-up
    acknowledgement stands for what it acknowledges.
    """
    latest = max(view, key=_INDEX, default=None)
    if latest is not None and latest.kind != "ack" and latest.past + 1 == 1 << latest.index:
        return (latest,), latest.past | 1 << latest.index  # it knows of all others
    known = 0
    newest: list[Entry] = []
    rows: Iterable[Entry] = view
    if "ack" in map(_KIND, view):
        rows = {r for row in view for r in (row.cause if row.kind == "ack" else (row,))}
    for row in sorted(rows, key=_INDEX, reverse=True):
        if not known >> row.index & 1:
            newest.append(row)
            known |= row.past | 1 << row.index
            if known + 1 == 1 << newest[0].index + 1:
                break  # all others are known
    return tuple(reversed(newest)), known
