"""One sample under a budget: its calls are reserved before they are sent, or refused.

A refused call ends its sample as if it had never been asked for: that is no failure of the agent.
Whatever the agent makes of the refusal, such a sample is not finished and counts for nothing but
what it has spent.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.engine._purse import Purse
from linenotes.evals.journal._samples import Sample
from linenotes.evals.journal._spending import Spending
from linenotes.project import LinenotesError, ModelError
from linenotes.tracing import CallAhead, Prices, metered

if TYPE_CHECKING:
    from uuid import UUID

    from linenotes.tracing import Tokens


class CallRefused(BaseException):
    """A model call was not sent. Agents that catch every `Exception` must not go on from here."""


@dataclass(frozen=True)
class Unfinished:
    """A sample that came to nothing: the budget cut it off, or it was given up."""

    spent: Spending
    """By its calls that were sent."""


async def run_within(
    purse: Purse,
    prices: Prices,
    run: Callable[[], Awaitable[Sample]],
    *,
    on_given_up: Callable[[Spending], None],
) -> Sample | Unfinished:
    """Run a sample whose calls are paid from `purse`; what `run` raises gives it up.

    Raises:
        LinenotesError: what `run` raises, or a model without a price where dollars are limited.
    """
    tab = _Tab(purse)
    try:
        with metered(tab, prices):
            sample = await run()
        tab.raise_mistake()
    except BaseException:
        on_given_up(tab.close())
        raise
    spent = tab.close()
    return Unfinished(spent) if tab.is_refused else sample


class _Tab:
    """What one sample spends."""

    def __init__(self, purse: Purse) -> None:
        self.is_refused = False
        self.mistake: LinenotesError | None = None
        """What the user has to mend before any such call."""
        self._purse = purse
        self._lock = threading.Lock()
        self._open: dict[UUID, CallAhead] = {}
        self._spent = Spending()

    def ahead(self, call: CallAhead) -> None:
        """Reserve what a call may cost.

        Raises:
            CallRefused: the call must not be made.
        """
        if call.price is None and self._purse.budget.usd is not None:
            self.mistake = _unpriced(call.model)
            raise CallRefused(str(self.mistake))
        if not self._purse.reserve(call):
            self.is_refused = True
            raise CallRefused("The budget of the run is used up.")
        with self._lock:
            self._open[call.id] = call

    def ended(self, call_id: UUID, tokens: Tokens, cost: float | None) -> None:
        """Pay for a call that was answered."""
        with self._lock:
            call = self._open.pop(call_id, None)
        if call is not None:
            is_unpriced = cost is None and call.price is None
            self._pay(call_id, Spending(1, tokens.total, cost or 0.0, int(is_unpriced)))

    def failed(self, call_id: UUID, error: BaseException) -> None:
        """Take back what was reserved; a call that its caller gave up may be charged, and is paid.

        What is given up is a stream that is not read to its end, or a task that is cancelled.
        """
        with self._lock:
            call = self._open.pop(call_id, None)
        if call is None:
            return
        if isinstance(error, Exception):
            self._purse.free(call_id)
        else:
            self._pay(call_id, Spending(1))

    def raise_mistake(self) -> None:
        """Raise what the user has to mend, whatever the agent made of it."""
        if self.mistake is not None:
            raise self.mistake

    def close(self) -> Spending:
        """Pay for calls whose end nobody heard, and return what the sample has spent."""
        with self._lock:
            unheard, self._open = [*self._open], {}
        for call_id in unheard:
            self._pay(call_id, Spending(1))
        return self._spent

    def _pay(self, call_id: UUID, used: Spending) -> None:
        paid = self._purse.settle(call_id, used)
        with self._lock:
            self._spent += paid


def _unpriced(model: str) -> ModelError:
    return ModelError(
        f"Model {model!r} has no known price, so dollars cannot be limited. Give its price in "
        f'pyproject.toml, [tool.linenotes.prices."{model}"] with input and output in US dollars '
        "per million tokens, or use --budget-tokens."
    )
