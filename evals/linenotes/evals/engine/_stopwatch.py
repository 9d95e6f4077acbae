"""How long agents run: noted in the journals now and then, so that a killed run knows it, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Self

from linenotes.evals.journal._journal import Journal
from linenotes.project import RunError

_LAP = 1.0
"""Seconds that are not noted one by one: what a killed run may lose."""


class Stopwatch:
    """Notes in journals how long its block takes, however that ends."""

    def __init__(
        self, journals: Collection[Journal], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journals = journals
        self._clock = clock
        self._noted = clock()

    def __enter__(self) -> Self:
        self._noted = self._clock()
        return self

    def lap(self) -> None:
        """Note the time so far, unless that was done just now.

        Raises:
            RunError: a journal cannot be written.
        """
        seconds = self._clock() - self._noted
        if seconds >= _LAP:
            self._noted += seconds
            for journal in self._journals:
                journal.working(seconds=seconds)

    def __exit__(self, *_: object) -> None:
        seconds = self._clock() - self._noted
        # The reason for stopping may be the journal itself, and must not be hidden by this.
        with suppress(RunError):
            for journal in self._journals:
                journal.worked(seconds=seconds)
