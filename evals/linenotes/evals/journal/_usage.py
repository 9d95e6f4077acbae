"""What the model calls of a sample used, agent by agent and model by model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from linenotes.tracing import Ledger, Message


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of one agent to one model, with the tokens that have prices of their own."""

    agent: str
    model: str
    """The name that it was asked by; empty where nobody told."""
    calls: int
    input: int
    output: int
    cached: int
    """The part of `input` that the provider had in its cache."""
    reasoning: int
    """The part of `output` that was thought and not said."""
    cost: float | None
    """US dollars of the calls with a known price; None where none has one."""
    unpriced: int
    """How many calls have no known price."""

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        known = [cost for cost in (self.cost, other.cost) if cost is not None]
        return replace(
            self,
            calls=self.calls + other.calls,
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
            cost=sum(known) if known else None,
            unpriced=self.unpriced + other.unpriced,
        )


def usage_of(ledger: Ledger) -> tuple[Usage, ...]:
    """Return what each agent used of each model, in order of appearance."""
    return summed(_of(message) for message in ledger if message.sampled)


def summed(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """Add up what is of the same agent and the same model."""
    found: dict[tuple[str, str], Usage] = {}
    for usage in usages:
        key = (usage.agent, usage.model)
        found[key] = found[key] + usage if key in found else usage
    return tuple(found.values())


def _of(message: Message) -> Usage:
    tokens = message.tokens
    return Usage(
        agent=message.sender,
        model=message.model or "",
        calls=1,
        input=tokens.input,
        output=tokens.output,
        cached=tokens.cached,
        reasoning=tokens.reasoning,
        cost=message.cost,
        unpriced=int(message.cost is None),
    )
