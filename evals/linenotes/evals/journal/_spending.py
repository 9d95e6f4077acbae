"""What model calls have used up: of a sample, of a run, or of one call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from linenotes.evals.journal._samples import Outcome
from linenotes.tracing import dollars


@dataclass(frozen=True, slots=True)
class Spending:
    """Calls, tokens and US dollars. Calls without a known price are counted and cost nothing."""

    calls: int = 0
    tokens: int = 0
    """In and out."""
    usd: float = 0.0
    """Of the calls with a known price."""
    unpriced: int = 0
    """How many calls have none."""

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Return what a finished sample used up; calls that were replayed used up nothing."""
        return cls(
            calls=outcome.calls - outcome.replayed,
            tokens=outcome.tokens - outcome.replayed_tokens,
            usd=(outcome.cost or 0.0) - (outcome.replayed_cost or 0.0),
            unpriced=outcome.unpriced - outcome.replayed_unpriced,
        )

    @classmethod
    def total(cls, parts: Iterable[Spending]) -> Spending:
        """Return all of `parts` together."""
        return sum(parts, Spending())

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
        )

    @property
    def cost(self) -> float | None:
        """US dollars of the calls with a known price; None where there are calls and none has."""
        return None if self.calls and self.unpriced == self.calls else self.usd

    @property
    def cost_text(self) -> str:
        """The cost as a person reads it; empty where nothing was paid for."""
        if self.cost is None:
            return "unpriced"
        rest = f"{self.unpriced:,} unpriced calls" if self.unpriced else ""
        return " and ".join(filter(None, (dollars(self.usd), rest)))
