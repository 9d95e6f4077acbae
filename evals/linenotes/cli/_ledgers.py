"""A ledger in a terminal: one line a message, who said what to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from linenotes.tracing import Message

_ROUTE = 34
"""Columns for `sender → recipient`."""


def line(message: Message, *, width: int) -> Text:
    """Return one message as one line: route, text, and tokens where a model said it."""
    from rich.text import Text

    tokens = f"  {message.tokens.total:,} tokens" if message.tokens.total else ""
    room = max(20, width - _ROUTE - len(tokens) - 4)
    text = Text("  ")
    text.append(_cut(route(message), _ROUTE - 1).ljust(_ROUTE), style="bold")
    text.append(_cut(one_line(message.text), room))
    text.append(tokens, style="dim")
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


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
