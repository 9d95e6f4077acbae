"""Who said what to whom in a chat that was written down as a list of messages.

The list is what the agent had before it, so all that stands in it was delivered: what the user
says to the agent that speaks next, what a tool returns to the one that called it, what an agent
says to whoever speaks next, another agent or the user. A message answers what its sender had got
since it last spoke. An agent's turn ends when somebody else but its tools speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from linenotes.tracing._ledger import UNNAMED, USER, Message
from linenotes.tracing.files._chat_messages import ChatMessage, ToolCall

_SPEAKERS = frozenset({"user", "assistant"})
_TOOL = "tool"
"""The actor of a result whose tool nobody names."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of the chat with its row of the ledger."""

    place: int
    """Its index in the chat."""
    chat: ChatMessage
    row: Message
    call: ToolCall | None = None
    """Of a result: the call that it answers."""


@dataclass(slots=True)
class Turn:
    """One agent from its first word until somebody else but its tools speaks."""

    actor: str
    number: int
    received: dict[str, Message] = field(default_factory=dict)
    said: list[Spoken] = field(default_factory=list)
    """What the agent said and what its tools returned, in order."""

    @property
    def activation(self) -> str:
        """Its id among the turns of one chat."""
        return f"{self.actor}:{self.number}"

    @property
    def sent(self) -> list[Message]:
        """What the agent said."""
        return [spoken.row for spoken in self.said if spoken.chat.role == "assistant"]


@dataclass(frozen=True, slots=True)
class ChatLedger:
    """The rows of a chat, and the turns that its agents took."""

    rows: tuple[Message, ...]
    turns: tuple[Turn, ...]


def read_ledger(
    chat: Sequence[ChatMessage],
    times: Sequence[tuple[int, int]],
    *,
    agent: str,
    model: str | None,
) -> ChatLedger:
    """Return the ledger of a chat; `times` has the start and the end of each message."""
    reading = _Reading(chat, agent, model)
    for place, (message, (start, end)) in enumerate(zip(chat, times, strict=True)):
        if message.role != "system":
            reading.take(place, message, start, end)
    return ChatLedger(_with_readers(reading.rows), tuple(reading.turns))


def _with_readers(rows: Sequence[Message]) -> tuple[Message, ...]:
    """Add who read a row later: every agent that spoke after it had the whole chat in view."""
    speaking: dict[str, None] = {}
    found: list[Message] = []
    for row in reversed(rows):
        knew = {row.sender, *row.recipients}
        readers = tuple(actor for actor in reversed(speaking) if actor not in knew)
        found.append(replace(row, seen_by=readers) if readers else row)
        if row.sampled:
            speaking.pop(row.sender, None)
            speaking[row.sender] = None
    return tuple(reversed(found))


class _Reading:
    """Takes the messages of a chat in their order, and collects rows and turns."""

    def __init__(self, chat: Sequence[ChatMessage], agent: str, model: str | None) -> None:
        self.rows: list[Message] = []
        self.turns: list[Turn] = []
        self._chat = chat
        self._agent = agent
        self._model = model
        self._turn: Turn | None = None
        self._unanswered: dict[str, list[Message]] = {}
        """What each actor has received since it last spoke."""
        self._last: dict[str, Message] = {}
        self._open: list[tuple[ToolCall, Message]] = []
        """The calls that have no result yet."""

    def take(self, place: int, message: ChatMessage, start: int, end: int) -> None:
        row = Message(
            id=f"{UNNAMED}{place}",
            kind="reply",
            sender=USER,
            text=message.spoken,
            content=message.content,
            start_ns=start,
            end_ns=end,
            tokens=message.tokens,
            cost=message.cost,
        )
        if message.role == "tool":
            self._take_result(Spoken(place, message, row))
        else:
            self._take_speech(Spoken(place, message, row))

    def _take_result(self, spoken: Spoken) -> None:
        call, asked = self._answered(spoken.chat)
        name = spoken.chat.name or (call.name if call else _TOOL)
        caller = asked.sender if asked else self._next_agent(spoken.place)
        row = replace(
            spoken.row,
            kind="result",
            sender=name,
            recipients=(caller,),
            cause=(asked.id,) if asked else (),
            tool_call_id=spoken.chat.call_id or (call.id if call else None),
        )
        self.rows.append(row)
        self._unanswered.setdefault(caller, []).append(row)
        if self._turn is not None and self._turn.actor == caller:
            self._turn.received[row.id] = row
            self._turn.said.append(replace(spoken, row=row, call=call))

    def _answered(self, result: ChatMessage) -> tuple[ToolCall, Message] | tuple[None, None]:
        """Return the open call that a result answers, by its id, else by its name.

        Files repeat ids, so of several calls with one id it is the oldest without a result.
        """
        for entry in self._open:
            if _answers(result, entry[0]):
                self._open.remove(entry)
                return entry
        return None, None

    def _take_speech(self, spoken: Spoken) -> None:
        chat, sampled = spoken.chat, spoken.chat.role == "assistant"
        sender = self._actor(chat)
        received = self._unanswered.pop(sender, [])
        turn = self._turn_of(sender) if sampled else None
        before = [self._last[sender]] if sender in self._last else []
        row = replace(
            spoken.row,
            kind="call" if chat.calls else "reply" if sampled else "input",
            sender=sender,
            recipients=self._recipients(spoken.place, sender),
            cause=tuple(cause.id for cause in received or before),
            tool_call_id=chat.only_call_id,
            model=(chat.model or self._model) if sampled else None,
            step=turn.number if turn else None,
            activation=turn.activation if turn else None,
            sampled=sampled,
        )
        self._note(replace(spoken, row=row), received, turn)

    def _note(self, spoken: Spoken, received: Sequence[Message], turn: Turn | None) -> None:
        row = spoken.row
        self.rows.append(row)
        self._last[row.sender] = row
        self._open += [(call, row) for call in spoken.chat.calls]
        for actor in () if spoken.chat.calls else row.recipients:
            self._unanswered.setdefault(actor, []).append(row)
        self._turn = turn
        if turn is not None:
            turn.received |= {message.id: message for message in received}
            turn.said.append(spoken)

    def _turn_of(self, actor: str) -> Turn:
        """Return the turn that goes on, or a new one."""
        if self._turn is not None and self._turn.actor == actor:
            return self._turn
        turn = Turn(actor, len(self.turns) + 1)
        self.turns.append(turn)
        return turn

    def _actor(self, message: ChatMessage) -> str:
        return USER if message.role == "user" else message.name or self._agent

    def _recipients(self, place: int, sender: str) -> tuple[str, ...]:
        chat = self._chat[place]
        if chat.calls:
            return tuple(dict.fromkeys(call.name for call in chat.calls))
        return (self._next_agent(place) if sender == USER else self._next_other(place, sender),)

    def _next_other(self, place: int, sender: str) -> str:
        later = (self._actor(m) for m in self._chat[place + 1 :] if m.role in _SPEAKERS)
        return next((actor for actor in later if actor != sender), USER)

    def _next_agent(self, place: int) -> str:
        """Return the agent that speaks next, or the one that spoke last."""
        later = (m for m in self._chat[place + 1 :] if m.role == "assistant")
        earlier = (m for m in reversed(self._chat[:place]) if m.role == "assistant")
        found = next(later, None) or next(earlier, None)
        return self._agent if found is None else self._actor(found)


def _answers(result: ChatMessage, call: ToolCall) -> bool:
    if result.call_id is not None:
        return call.id == result.call_id
    return result.name is None or call.name == result.name
