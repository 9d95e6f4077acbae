"""A message that is quoted as plain text in another actor's prompt has reached that actor too.

A quote is the whole text of a message, word for word, and at least 20 characters of it: shorter
answers ("yes", a label, a number) stand in other texts by chance. A text that an actor's model
gets again and again, as a system prompt, is searched for new messages only; a message of the
ledger is searched once, since what was said later it cannot quote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.tracing.recorder._content import message_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_core.messages import BaseMessage

    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Task

_SHORTEST = 20
_LATEST = 64
"""Messages: whoever quotes, quotes something recent."""
_PROMPTS = 256
"""Texts that are remembered as searched."""
_UNQUOTED = frozenset({"input", "call", "delegate"})


def is_quoted(entry: Entry, texts: Iterable[str]) -> bool:
    """Tell whether one of `texts` holds the whole of a message."""
    spoken = entry.spoken.strip()
    return len(spoken) >= _SHORTEST and any(spoken in text for text in texts)


def _is_written(entry: Entry) -> bool:
    """Tell whether code or a tool wrote a message: it may quote what others said."""
    return entry.kind == "result" or (entry.activation is not None and not entry.sampled)


@dataclass(slots=True)
class Quotes:
    """The messages that are long enough to be recognised in a text."""

    _texts: list[tuple[str, Entry]] = field(default_factory=list)
    _rows_read: int = 0
    _searched: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many messages an actor's text was searched for."""
    _looked_at: dict[str, set[Entry]] = field(default_factory=dict)
    """By actor, the messages of the ledger that were searched."""

    def quoted(
        self,
        rows: Sequence[Entry],
        prompt: Sequence[BaseMessage],
        found: Sequence[Entry | None],
        task: Task,
    ) -> list[Entry]:
        """Return the rows of others that a prompt quotes, whose own rows were `found`.

        What was searched for before is not returned again.
        """
        looked_at = self._looked_at.setdefault(task.actor, set())
        new = [(m, row) for m, row in zip(prompt, found, strict=True) if row not in looked_at]
        looked_at.update(row for _, row in new if row)
        texts = [message_text(message) for message, row in new if row is None or _is_written(row)]
        long = [text for text in texts if len(text) >= _SHORTEST]
        if not long:
            return []
        self._read(rows)
        return [entry for text in long for entry in self._search(text, task)]

    def _read(self, rows: Sequence[Entry]) -> None:
        new = [row for row in rows[self._rows_read :] if row.kind not in _UNQUOTED]
        self._rows_read = len(rows)
        spoken = ((row.spoken.strip(), row) for row in new)
        self._texts += [(text, row) for text, row in spoken if len(text) >= _SHORTEST]

    def _search(self, text: str, task: Task) -> list[Entry]:
        key, count = (task.actor, text), len(self._texts)
        first = max(self._searched.get(key, 0), count - _LATEST)
        if len(self._searched) >= _PROMPTS:
            self._searched.clear()
        self._searched[key] = count
        return [entry for spoken, entry in self._texts[first:] if spoken in text]
