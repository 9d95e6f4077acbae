"""What is left of a budget while calls are in flight.

Before a call is sent, what it may cost is reserved: what calls of that agent to that model have
cost on average, and at least its input. A call whose reservation does not fit in what is left is
refused, and so are all that come later. When a call ends, its real usage takes the place of what
was reserved. So a budget is never overspent by more than the calls in flight at the last admission
cost beyond what was reserved for them: at most one call a slot.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from uuid import UUID

from linenotes.evals.engine._budget import Budget, Limit
from linenotes.evals.journal._spending import Spending
from linenotes.tracing import CallAhead

_MILLION = 1_000_000
_ROUNDING = 1 + 1e-9
"""What a sum of cents may be off by, as floating-point numbers have it."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    """What a call in flight may cost."""

    kind: Hashable
    amount: Spending


class Purse:
    """Holds a budget for all samples of a run. Safe to use from several threads."""

    def __init__(
        self,
        budget: Budget,
        spent: Spending = Spending(),  # noqa: B008  it is immutable
        *,
        seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what earlier sessions of the run have spent, and how many seconds they took."""
        self.budget = budget
        self._clock = clock
        self._began = clock() - seconds
        self._lock = threading.Lock()
        self._spent = spent
        self._reserved: dict[UUID, _Reserved] = {}
        self._seen: dict[Hashable, Spending] = defaultdict(Spending)
        self._exhausted: Limit | None = None

    @property
    def spent(self) -> Spending:
        """What all calls that ended have used up."""
        with self._lock:
            return self._spent

    @property
    def seconds(self) -> float:
        """How long agents have run."""
        return self._clock() - self._began

    @property
    def exhausted(self) -> Limit | None:
        """The limit that was met; None as long as more may be started."""
        if self._exhausted is None and self._is_out_of_time():
            self._exhausted = "seconds"
        return self._exhausted

    def reserve(self, call: CallAhead) -> bool:
        """Reserve what a call may cost; False when it must not be made."""
        if self.exhausted is not None:
            return False
        kind = (call.agent, call.model)
        with self._lock:
            amount = self._expected(kind, call)
            self._exhausted = self._exhausted or self._limit_met_by(amount)
            if self._exhausted is None:
                self._reserved[call.id] = _Reserved(kind, amount)
            return self._exhausted is None

    def settle(self, call_id: UUID, used: Spending) -> Spending:
        """Replace what was reserved for a call by what it used, and return that.

        Where nobody counted its tokens, it is what was reserved.
        """
        with self._lock:
            reserved = self._reserved.pop(call_id)
            if used.tokens:
                self._seen[reserved.kind] += used
            else:
                used = replace(reserved.amount, unpriced=used.unpriced)
            self._spent += used
            return used

    def free(self, call_id: UUID) -> None:
        """Give back what was reserved for a call that came to nothing."""
        with self._lock:
            self._reserved.pop(call_id)

    def _expected(self, kind: Hashable, call: CallAhead) -> Spending:
        seen = self._seen[kind]
        calls = max(seen.calls, 1)
        price = call.price.input if call.price else 0.0
        return Spending(
            calls=1,
            tokens=max(call.input_tokens, round(seen.tokens / calls)),
            usd=max(call.input_tokens * price / _MILLION, seen.usd / calls),
        )

    def _limit_met_by(self, amount: Spending) -> Limit | None:
        """Return the first limit that `amount` would go beyond."""
        promised = (reserved.amount for reserved in self._reserved.values())
        after = self._spent + Spending.total(promised) + amount
        amounts: dict[Limit, float] = {
            "usd": after.usd,
            "tokens": after.tokens,
            "calls": after.calls,
        }
        limits = self.budget.limits
        held = (n for n in amounts if n in limits)
        return next((n for n in held if amounts[n] > limits[n] * _ROUNDING), None)

    def _is_out_of_time(self) -> bool:
        limit = self.budget.seconds
        return limit is not None and self.seconds >= limit
