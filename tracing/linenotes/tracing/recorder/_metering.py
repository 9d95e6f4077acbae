"""Metering: model calls are told of before they are sent, and may be stopped there.

A context variable carries the meter of the block, as it carries a recorder: LangChain asks for it
whenever it starts a model call in that context, in whatever thread or task. So it hears every
graph unchanged. Calls that do not go through LangChain, such as a provider's own client inside a
node, are not heard.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from linenotes.tracing._ledger import Tokens
    from linenotes.tracing._prices import Price, Prices


@dataclass(frozen=True, slots=True)
class CallAhead:
    """A model call that is about to be sent."""

    id: UUID
    agent: str
    """The nodes that it is made in, from the outermost graph down; empty outside of a graph."""
    model: str
    input_tokens: int
    """How many it asks with, counted roughly."""
    price: Price | None
    """None where nobody knows it."""


class Meter(Protocol):
    """Hears of model calls, from several threads at a time."""

    def ahead(self, call: CallAhead) -> None:
        """A call is about to be sent. What this raises stops it, and reaches who asked for it."""

    def ended(self, call_id: UUID, tokens: Tokens, cost: float | None) -> None:
        """A call was answered; no tokens where nobody counted them, no cost without a price."""

    def failed(self, call_id: UUID, error: BaseException) -> None:
        """A call ended without an answer."""


@contextmanager
def metered(meter: Meter, prices: Prices) -> Iterator[None]:
    """Let `meter` hear the model calls of all that runs inside the block."""
    from linenotes.tracing.recorder._call_listener import listening

    with listening(meter, prices):
        yield
