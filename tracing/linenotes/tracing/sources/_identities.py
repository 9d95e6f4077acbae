"""Which of the messages that were stored several times are the same one.

A message is stored again wherever it passes, and its id where it had one by then: LangGraph
gives an id to what a node wrote only after the node has ended. So whatever lacks an id takes that
of the first message with the same words which turns up later and was not there before. Of two
equal messages that were said at once, which is which cannot be known; they are taken in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import orjson
from langchain_core.messages import AIMessage, BaseMessage, RemoveMessage, ToolMessage
from langgraph.types import Command, Send

from linenotes.tracing._values import json_value
from linenotes.tracing.recorder._content import fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEPTH = 6
"""Levels of lists and fields that are searched for messages."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A moment at which messages were to be seen."""

    how: Literal["said", "said inside", "given"]
    """Whether a node put them out, a tool inside a node did, or somebody was given them."""
    messages: Sequence[BaseMessage]


def messages_within(value: object, depth: int = _DEPTH) -> Iterator[BaseMessage]:
    """Yield the messages in `value`, also those in Commands and Sends."""
    if isinstance(value, BaseMessage):
        if not isinstance(value, RemoveMessage):
            yield value
    elif isinstance(value, Send):
        yield from messages_within(value.arg, depth - 1)
    elif isinstance(value, Command):
        yield from messages_within([value.update, value.goto], depth)
    elif depth and not isinstance(value, str):
        parts = value if isinstance(value, list | tuple) else fields_of(value).values()
        for part in parts:
            yield from messages_within(part, depth - 1)


def identify(sights: Iterable[Sight]) -> None:
    """Give each message the id that it had or got later; sights come in their order in time."""
    identities = _Identities()
    for sight in sights:
        for message in sight.messages:
            if sight.how == "given":
                identities.given(message)
            else:
                identities.said(message, inside=sight.how == "said inside")
    identities.name_rest()


@dataclass(slots=True)
class _Unidentified:
    """One message without an id, at each place where it was stored so far."""

    copies: list[BaseMessage]
    given: bool = False
    inside_tool: bool = False
    """True while only a tool put it out, and not yet the node that ran the tool."""

    def identify(self, name: str) -> None:
        for copy in self.copies:
            copy.id = name


@dataclass(slots=True)
class _Identities:
    seen: set[str] = field(default_factory=set)
    waiting: dict[bytes, list[_Unidentified]] = field(default_factory=dict)
    """The messages without an id, by their words."""

    def said(self, message: BaseMessage, *, inside: bool) -> None:
        if message.id:
            self.seen.add(message.id)
            return
        waiting = self.waiting.setdefault(_words(message), [])
        if not inside and (found := next((one for one in waiting if one.inside_tool), None)):
            found.copies.append(message)
            found.inside_tool = False
        else:
            waiting.append(_Unidentified([message], inside_tool=inside))

    def given(self, message: BaseMessage) -> None:
        if not message.id:
            _add_copy(self.waiting.setdefault(_words(message), []), message)
        elif message.id not in self.seen:
            self.seen.add(message.id)
            waiting = self.waiting.get(_words(message), [])
            if (found := _first(waiting, given=True)) is not None:
                waiting.remove(found)
                found.identify(message.id)

    def name_rest(self) -> None:
        """Give an id to whatever was passed on without ever getting one."""
        passed_on = (one for group in self.waiting.values() for one in group if one.given)
        for number, one in enumerate(passed_on):
            one.identify(f"unnamed-{number}")


def _add_copy(waiting: list[_Unidentified], message: BaseMessage) -> None:
    found = _first(waiting, given=False)
    if found is None:
        waiting.append(_Unidentified([message], given=True))
    else:
        found.copies.append(message)
        found.given = True


def _first(waiting: Sequence[_Unidentified], *, given: bool) -> _Unidentified | None:
    """Return the first message that was, or was not, given to somebody; else the first of all."""
    fitting = (one for one in waiting if one.given is given)
    return next(fitting, None) or next(iter(waiting), None)


def _words(message: BaseMessage) -> bytes:
    """Return what two copies of one message have in common."""
    calls = [call["id"] for call in message.tool_calls] if isinstance(message, AIMessage) else []
    answered = message.tool_call_id if isinstance(message, ToolMessage) else None
    return orjson.dumps([message.type, message.name, json_value(message.content), calls, answered])
