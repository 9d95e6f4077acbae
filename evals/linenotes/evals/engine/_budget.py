"""What a run may spend: the limits, and how a person writes and reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

from linenotes.project import Project, RunError
from linenotes.tracing import dollars, spell_seconds

Limit = Literal["usd", "tokens", "calls", "seconds"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a run may spend in all its sessions, all versions together; None is without limit.

    It is for the calls of agents that go through LangChain. What scorers ask of judges, and what
    a node asks of a provider's own client, is not heard.

    Raises:
        RunError: a limit that nothing could be done with.
    """

    usd: float | None = None
    """US dollars; 0 allows only models that cost nothing."""
    tokens: int | None = None
    """In and out."""
    calls: int | None = None
    """Model calls that are answered; what a client repeats by itself is one call."""
    seconds: float | None = None
    """How long agents run, over all sessions."""

    def __post_init__(self) -> None:
        for limit, value in self.limits.items():
            if math.isnan(value) or value < 0 or (value == 0 and limit != "usd"):
                raise RunError(f"A budget of {value!r} {limit} allows nothing. Give more of it.")

    @classmethod
    def of(cls, project: Project, given: Budget | None = None) -> Self:
        """Return the limits of `given`, and of the project's settings those that it leaves open."""
        own, given = project.settings.budget, given or cls()
        return cls(
            usd=own.usd if given.usd is None else given.usd,
            tokens=own.tokens if given.tokens is None else given.tokens,
            calls=own.calls if given.calls is None else given.calls,
            seconds=own.seconds if given.seconds is None else given.seconds,
        )

    @property
    def limits(self) -> dict[Limit, float]:
        """The limits that there are."""
        named: dict[Limit, float | None] = {
            "usd": self.usd,
            "tokens": self.tokens,
            "calls": self.calls,
            "seconds": self.seconds,
        }
        return {limit: value for limit, value in named.items() if value is not None}

    def __bool__(self) -> bool:
        return bool(self.limits)

    @property
    def options(self) -> str:
        """The limits as options of the command line, with a space before each."""
        return "".join(f" --budget-{limit} {value:.12g}" for limit, value in self.limits.items())


def spelled(limit: Limit, amount: float) -> str:
    """Return an amount as a person reads it: `$1.20`, `3,000 tokens`, `2.5 min`."""
    if limit == "usd":
        return dollars(amount) or "$0"
    if limit == "seconds":
        return spell_seconds(amount)
    return f"{amount:,.0f} {limit}"
