"""Which of the messages that a foreign trace stores several times are the same one.

MLflow stores a message again wherever it passes, and its id where it had one by then: what a node
wrote got its id only afterwards, what a model said and was shown has none. So whatever lacks an
id takes that of the first message with the same words which turns up later and was not there
before. Of two equal messages that were said at once, which is which cannot be known; they are
taken in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import orjson

from linenotes.tracing.sources._stored_values import stored_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from linenotes.tracing.sources._stored_spans import StoredSpan

Stored = dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class _Sight:
    """A moment at which messages were to be seen."""

    at_ns: int
    how: Literal["said", "said inside", "given"]
    messages: tuple[Stored, ...]


@dataclass(slots=True)
class _Nameless:
    """One message without an id, at each place where it was stored so far."""

    copies: list[Stored]
    given: bool = False
    inner: bool = False
    """True while only a tool put it out, and not yet the node that ran the tool."""


@dataclass(slots=True)
class _Identities:
    seen: set[str] = field(default_factory=set)
    waiting: dict[bytes, list[_Nameless]] = field(default_factory=dict)

    def said(self, message: Stored, *, inside: bool) -> None:
        if message.get("id"):
            self.seen.add(str(message["id"]))
            return
        waiting = self.waiting.setdefault(_words(message), [])
        if not inside and (found := next((one for one in waiting if one.inner), None)):
            found.copies.append(message)
            found.inner = False
        else:
            waiting.append(_Nameless([message], inner=inside))

    def given(self, message: Stored) -> None:
        waiting = self.waiting.get(_words(message), [])
        if not message.get("id"):
            self._give(waiting, message)
        elif message["id"] not in self.seen:
            self.seen.add(str(message["id"]))
            self._name(waiting, str(message["id"]))

    @staticmethod
    def _give(waiting: list[_Nameless], message: Stored) -> None:
        found = next((one for one in waiting if not one.given), None) or next(iter(waiting), None)
        if found is not None:
            found.copies.append(message)
            found.given = True

    @staticmethod
    def _name(waiting: list[_Nameless], name: str) -> None:
        found = next((one for one in waiting if one.given), None) or next(iter(waiting), None)
        if found is not None:
            waiting.remove(found)
            for copy in found.copies:
                copy["id"] = name

    def name_rest(self) -> None:
        """Give an id to whatever was passed on without ever getting one."""
        passed = (one for group in self.waiting.values() for one in group if one.given)
        for number, one in enumerate(passed):
            for copy in one.copies:
                copy["id"] = f"unnamed-{number}"


def identify(spans: Sequence[StoredSpan]) -> None:
    """Give each message in what tasks and tools got and wrote the id that it had or got later."""
    identities = _Identities()
    for sight in sorted(_sights(spans), key=attrgetter("at_ns")):
        for message in sight.messages:
            if sight.how == "given":
                identities.given(message)
            else:
                identities.said(message, inside=sight.how == "said inside")
    identities.name_rest()


def _words(message: Stored) -> bytes:
    """Return what two copies of one message have in common."""
    said = [message.get(key) for key in ("type", "name", "content", "tool_call_id")]
    return orjson.dumps([*said, _call_ids(message)])


def _sights(spans: Iterable[StoredSpan]) -> Iterator[_Sight]:
    for span in spans:
        end = span.start_ns if span.end_ns is None else span.end_ns
        wrote, got = tuple(stored_messages(span.outputs)), tuple(stored_messages(span.inputs))
        if span.kind == "tool":
            yield _Sight(end, "said inside", wrote)
        elif span.routes:
            yield _Sight(end, "said", wrote)
        elif span.is_task:
            yield _Sight(span.start_ns, "given", got)
            yield _Sight(end, "said", wrote)
        elif span.kind == "chain" and any(child.is_task for child in span.children):
            yield _Sight(end, "given", wrote)


def said_by_model(span: StoredSpan, reply: Stored, taken: set[str]) -> Stored | None:
    """Return the message that `reply` of a model became in a state, with its id and its usage."""
    for around in span.around():
        for message in stored_messages(around.outputs):
            name = message.get("id")
            if name and name not in taken and _same_reply(message, reply):
                taken.add(str(name))
                return message
    return None


def names_in_prompt(prompt: Iterable[Stored], pool: Iterable[Stored]) -> list[str | None]:
    """Return the ids of the messages that a model was shown, None for what is not in `pool`.

    What was said twice is shown twice, in the same order.
    """
    roles = {"user": "human", "assistant": "ai"}
    left = {str(message["id"]): message for message in pool if message.get("id")}
    names: list[str | None] = []
    for shown in prompt:
        kind = roles.get(str(shown.get("role")), shown.get("role"))
        alike = (n for n, m in left.items() if m.get("type") == kind and _same_reply(m, shown))
        names.append(next(alike, None))
        left.pop(names[-1] or "", None)
    return names


def _same_reply(message: Stored, chat: Stored) -> bool:
    """Tell whether a stored message and one in the form of a chat request say the same."""
    return (message.get("content") or None) == (chat.get("content") or None) and _call_ids(
        message
    ) == _call_ids(chat)


def _call_ids(message: Stored) -> list[JsonValue]:
    calls = message.get("tool_calls")
    return [c.get("id") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
