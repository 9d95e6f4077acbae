"""How long work tells what it is doing. The command line shows it; a library call is silent."""

from __future__ import annotations

from typing import Protocol

from linenotes.evals.engine._budget import Budget
from linenotes.evals.journal._samples import Sample
from linenotes.evals.journal._spending import Spending


class Progress(Protocol):
    """Hears of each stage of an evaluation, and of each step within it."""

    def stage(self, text: str, *, total: int | None = None) -> None:
        """A stage begins, of `total` steps where that is known."""

    def advance(self, sample: Sample | None = None) -> None:
        """A step of the stage is done; while agents run, with the sample that it gave."""

    def spent(self, so_far: Spending, budget: Budget) -> None:
        """All versions together have spent so much, in all sessions, and may spend so much."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one line that stays."""


class Silent:
    """Shows nothing."""

    def stage(self, text: str, *, total: int | None = None) -> None:
        """Show nothing."""

    def advance(self, sample: Sample | None = None) -> None:
        """Show nothing."""

    def spent(self, so_far: Spending, budget: Budget) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""
