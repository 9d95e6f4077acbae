"""The redactor of one recording: what it learns of a secret in one place holds for all others.

`{"password": X}` gives X away by its key. From then on X is masked wherever it turns up, in a later
message as in what the graph returned.
"""

from __future__ import annotations

import threading
from typing import TypeVar

from linenotes.project.redaction._redactor import Redactor

T = TypeVar("T")


class RedactorWithMemory:
    """Redacts what belongs together, piece by piece. Safe to call from several threads."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = threading.Lock()
        self.learnt = 0
        """How many times it learnt of secrets: what was redacted before may hold them."""

    def refreshed(self) -> RedactorWithMemory:
        """Return this redactor, which from now on knows what the environment holds by now."""
        with self._lock:
            self._redactor = self._redactor.refreshed()
        return self

    def text(self, text: str) -> str:
        """Return `text` with placeholders for what must not be stored."""
        return self._redactor.text(text)

    def lets_through(self, value: object) -> bool:
        """Tell quickly of most values that they are JSON and nothing in them is to be redacted."""
        return self._redactor.lets_through(value)

    def value(self, value: T) -> T:
        """Return `value` with every text in it redacted."""
        redacted, learnt = self._redactor.learning(value)
        if learnt:
            with self._lock:
                self._redactor = self._redactor.knowing(learnt)
                self.learnt += 1
        return redacted
