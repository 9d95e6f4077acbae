"""Where things stand in the sequence diagram of a page: a lane an actor, a row a message.

Only geometry, in pixels; the template draws it. A row that happened to nobody in particular, such
as a limit of the whole graph, runs over all lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from linenotes.tracing._ledger import Message
from linenotes.tracing.views._focus import side_by_side
from linenotes.tracing.views._incidents import Incident
from linenotes.tracing.views._one_line import one_line
from linenotes.tracing.views._shares import Role, role_of

COLOURS = 9
"""How many colours there are for actors; the user has one of its own."""

_GUTTER = 40
_HEAD = 66
_ROW = 40
_WIDE, _NARROW = 260, 114
_ROOM = 660
"""So much is there for the lanes beside the messages on a usual screen."""
_LETTER = 6.6
_BOLD = 7.8
_LABEL = 420
"""A label may be this wide however short its arrow is: nothing else stands in its row."""
_NEAR = 220
"""A label stands no farther than this from its sender, where a person looks for it."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The line of one actor."""

    actor: str
    role: Role
    colour: str
    x: int
    lines: tuple[str, ...]
    """Its name on one line or two, cut to the width of its head."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message or incident: from one lane to others, at one height."""

    number: int
    """Of the message, from 1; an incident has that of the message before it."""
    anchor: str
    shape: Literal["says", "hands", "returns", "tells", "keeps", "loops", "error", "interrupt"]
    colour: str
    y: int
    start: int
    ends: tuple[int, ...]
    label: str
    label_x: int
    title: str

    @property
    def left(self) -> int:
        """Where its line begins."""
        return min(self.start, *self.ends, self.start)

    @property
    def right(self) -> int:
        """Where its line ends."""
        return max(self.start, *self.ends, self.start)


_SHAPES: dict[str, Literal["hands", "returns", "tells"]] = {
    "handoff": "hands",
    "delegate": "hands",
    "send": "hands",
    "result": "returns",
    "ack": "returns",
    "call": "tells",
    "state": "tells",
}


class Diagram:
    """Lanes and rows of a conversation."""

    head = _HEAD

    def __init__(self, told: Sequence[Message | Incident]) -> None:
        """Take what was told in its order."""
        self._told = told
        self._messages = [item for item in told if isinstance(item, Message)]

    @cached_property
    def lanes(self) -> tuple[Lane, ...]:
        """The actors from left to right, in the order in which they appear."""
        actors: dict[str, None] = {}
        for item in self._told:
            if isinstance(item, Message):
                actors |= dict.fromkeys((item.sender, *item.recipients))
            elif item.actor:
                actors[item.actor] = None
        width = self.lane_width(len(actors))
        lanes = []
        for number, actor in enumerate(side_by_side(actors)):
            role = role_of(actor, self._messages)
            colour = "user" if role == "user" else f"c{number % COLOURS}"
            x = _GUTTER + width * number + width // 2
            lanes.append(Lane(actor, role, colour, x, _lines(actor, width - 22)))
        return tuple(lanes)

    @staticmethod
    def lane_width(count: int) -> int:
        """Return how wide a lane is among so many."""
        return min(_WIDE, max(_NARROW, _ROOM // max(1, count)))

    @property
    def head_width(self) -> int:
        """How wide the head of a lane is."""
        return self.lane_width(len(self.lanes)) - 12

    @property
    def width(self) -> int:
        """Of the whole picture."""
        return _GUTTER + self.lane_width(len(self.lanes)) * len(self.lanes) + 10

    @property
    def height(self) -> int:
        """Of the rows together."""
        return _ROW * len(self._told) + 20

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """What was told, from top to bottom."""
        rows = []
        number = incidents = 0
        for place, item in enumerate(self._told):
            y = _ROW * place + 30
            if isinstance(item, Message):
                number += 1
                rows.append(self._message(item, number, y))
            else:
                incidents += 1
                rows.append(self._incident(item, number, f"x{incidents}", y))
        return tuple(rows)

    @cached_property
    def _places(self) -> dict[str, Lane]:
        return {lane.actor: lane for lane in self.lanes}

    def _message(self, message: Message, number: int, y: int) -> Row:
        lane = self._places[message.sender]
        ends = tuple(self._places[name].x for name in message.recipients)
        anchor, title = f"m{number}", f"{message.route}\n{message.text[:400]}"
        if ends in ((), (lane.x,)):
            room = min(self.width - lane.x - 40, 2 * _NEAR)
            label = _cut(message.text, room, _LETTER)
            shape: Literal["loops", "keeps"] = "loops" if ends else "keeps"
            return Row(
                number, anchor, shape, lane.colour, y, lane.x, ends, label, lane.x + 34, title
            )
        far = max(ends, key=lambda x: abs(x - lane.x))
        room = min(max(abs(far - lane.x) - 22, _LABEL), 2 * _NEAR, self.width - 60)
        label = _cut(message.text, room, _LETTER)
        half = int(len(label) * _LETTER / 2) + 6
        middle = lane.x + max(-_NEAR, min(_NEAR, (far - lane.x) // 2))
        return Row(
            number=number,
            anchor=anchor,
            shape=_SHAPES.get(message.kind, "says"),
            colour=lane.colour,
            y=y,
            start=lane.x,
            ends=ends,
            label=label,
            label_x=min(max(middle, _GUTTER - 10 + half), self.width - half),
            title=title,
        )

    def _incident(self, item: Incident, number: int, anchor: str, y: int) -> Row:
        lane = self._places.get(item.actor or "")
        x = lane.x if lane else _GUTTER + 12
        room = max(self.width - x - 40, 120)
        fits = len(item.text) * _LETTER <= room or x < self.width // 2
        label = _cut(item.text, room if fits else x - _GUTTER - 40, _LETTER)
        where = x + 18 if fits else x - 18
        return Row(number, anchor, item.kind, "x", y, x, (), label, where, item.text)


def _lines(name: str, room: int) -> tuple[str, ...]:
    """Return a name on two lines where it is long and has a place to break."""
    letters = int(room / _BOLD)
    breaks = [
        i + (c != "#")  # the number of an instance begins a line
        for i, c in enumerate(name[:-1])
        if c in "/_- #" and 0 < i < letters
    ]
    if len(name) <= letters or not breaks:
        return (_cut(name, room, _BOLD),)
    return (_cut(name[: breaks[-1]], room, _BOLD), _cut(name[breaks[-1] :], room, _BOLD))


def _cut(text: str, room: float, letter: float) -> str:
    return one_line(text, max(3, int(room / letter)))
