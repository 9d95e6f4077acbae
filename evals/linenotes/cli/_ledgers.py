"""A ledger in a terminal: one line a message, who said what to whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from linenotes.tracing import Incident, Message

_ROUTE = 34
"""Most columns for `sender → recipient` where there is no more than usual room."""
_GAPS = 6
"""Columns between who, kind and words."""
_SHORTEST_TEXT = 20
_ROOM_FOR_TEXT = 34
"""Columns; where the words have less, time and cost make room for them."""
_ARROW = " → "
_PLAIN = frozenset({"input", "reply"})
"""Kinds that need no word: somebody says something."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns of a ledger are. By default for one whose end is not known yet."""

    route: int = _ROUTE
    kind: int = 8
    figures: tuple[int, ...] = (12, 0, 0)
    """Tokens, cost and time."""

    @classmethod
    def fitting(cls, messages: Iterable[Message], *, width: int) -> Columns:
        """Return the narrowest columns that hold `messages`, at most a third of `width` for who."""
        from rich.cells import cell_len

        shown = list(messages)
        routes = [cell_len(one_line(route(m))) for m in shown]
        kind = max((len(_kind(m)) for m in shown), default=0)
        who = min(max(_ROUTE, width * 3 // 10), width // 3, max(routes, default=0))
        widest = [max(map(len, column)) for column in zip(*map(_figures, shown), strict=True)]
        return cls(route=who, kind=kind, figures=_fitting(widest, width - who - kind - _GAPS))

    @classmethod
    def of_headings(cls, messages: Iterable[Message], *, width: int) -> Columns:
        """Return the columns of headings, which need no room for words."""
        found = cls.fitting((shown := list(messages)), width=width)
        widest = max((len(one_line(route(m))) for m in shown), default=0)
        return replace(found, route=max(found.route, min(widest, width * 2 // 3)))


def line(message: Message, *, width: int, columns: Columns | None = None) -> Text:
    """Return one message as one line: route, kind, text, and what it cost at the right."""
    from rich.text import Text

    columns = columns or Columns(route=min(_ROUTE, width // 3))
    text = heading(message, columns=columns)
    cells = zip(_figures(message), columns.figures, strict=True)
    figures = "".join(f"  {value:>{wide}}" for value, wide in cells if wide)
    said = Text(one_line(message.text))
    room = width - text.cell_len - len(figures)
    said.truncate(max(_SHORTEST_TEXT, room), overflow="ellipsis", pad=bool(figures.strip()))
    text.append_text(said)
    text.append(figures if figures.strip() else "", style="dim")
    return text


def _fitting(widths: list[int], room: int) -> tuple[int, ...]:
    """Return the widths of the figures, the last ones 0 where the words would get too little."""
    for last in reversed(range(len(widths))):
        if room - sum(wide + 2 for wide in widths if wide) >= _ROOM_FOR_TEXT:
            break
        widths[last] = 0
    return tuple(widths)


def heading(message: Message, *, columns: Columns) -> Text:
    """Return the start of a line: who, to whom, and of what kind where it is not plain talk."""
    from rich.text import Text

    who = Text(_fitted(one_line(route(message)), columns.route), style="bold")
    who.truncate(columns.route, overflow="ellipsis", pad=True)
    text = Text("  ").append_text(who).append("  ")
    if columns.kind:
        text.append(_kind(message).ljust(columns.kind) + "  ", style="dim")
    return text


def figures(message: Message) -> str:
    """Return tokens, cost and time of a message, as far as it has them."""
    return "  ".join(filter(None, _figures(message)))


def incident_line(incident: Incident, *, width: int) -> Text:
    """Return an error or an interruption as one line."""
    from rich.text import Text

    style = "red" if incident.kind == "error" else "yellow"
    who = f"{incident.actor} " if incident.actor else ""
    text = Text(one_line(f"  {incident.mark} {who}{incident.title}: {incident.text}"), style=style)
    text = Text("  ").append_text(text)
    text.truncate(width, overflow="ellipsis")
    return text


def route(message: Message) -> str:
    """Return `sender → recipients`; what nobody received stays with its sender."""
    return message.route if message.recipients else f"{message.sender} (kept)"


def one_line(text: str) -> str:
    """Return `text` on one line; control characters, which could move the cursor, are spaces."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Return `text` with a space for each character that is no letter, sign or space."""
    return "".join(c if c.isprintable() else " " for c in text)


def _fitted(route: str, room: int) -> str:
    """Return a route with the ends of both names, which tell most, where it is too long."""
    sender, arrow, recipient = route.partition(_ARROW)
    if len(route) <= room or not arrow or "," in recipient:
        return route
    room -= len(_ARROW)
    sender = _end(sender, max(room // 2, room - len(recipient)))
    return sender + _ARROW + _end(recipient, room - len(sender))


def _end(name: str, room: int) -> str:
    return name if len(name) <= room else "…" + name[max(1, len(name) - room + 1) :]


def _kind(message: Message) -> str:
    return "" if message.kind in _PLAIN else message.kind


def _figures(message: Message) -> tuple[str, str, str]:
    from linenotes.tracing import dollars, spell_seconds

    spent = (message.end_ns - message.start_ns) / 1e9 if message.start_ns else None
    return (
        f"{message.tokens.total:,} tokens" if message.tokens.total else "",
        dollars(message.cost),
        spell_seconds(spent),
    )
