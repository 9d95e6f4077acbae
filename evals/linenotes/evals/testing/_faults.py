"""What can go wrong with an endpoint, and when it does.

A `Fault` spoils one answer. `Faults` decide which: by the order of requests, or at random by a
seed, in which case the fate of a request does not depend on what else is under way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from linenotes.evals.testing._exchange import Request

FaultKind = Literal["status", "reset", "cut", "truncated", "login page", "slow", "stall"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an answer goes wrong."""

    kind: FaultKind
    http_status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    """What the message of an error says."""
    seconds: float = 0.0

    @classmethod
    def status(
        cls,
        status: int,
        *,
        retry_after: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        text: str = "That is what the test wants.",
    ) -> Self:
        """Return an answer with an error status.

        Args:
            status: such as 429 or 503.
            retry_after: the header of that name: seconds, or a date as HTTP writes it.
            headers: more headers, such as `x-ratelimit-reset-requests`.
            text: what the message of the error says.
        """
        asked = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls("status", status, tuple({**asked, **(headers or {})}.items()), text)

    @classmethod
    def reset(cls) -> Self:
        """Return a connection that is reset before the answer."""
        return cls("reset")

    @classmethod
    def cut(cls) -> Self:
        """Return a connection that is reset in the middle of the answer."""
        return cls("cut")

    @classmethod
    def truncated(cls) -> Self:
        """Return an answer that is whole for HTTP and lacks its second half."""
        return cls("truncated")

    @classmethod
    def login_page(cls) -> Self:
        """Return a page in HTML with the status 200, as proxies answer."""
        return cls("login page")

    @classmethod
    def slow(cls, seconds: float) -> Self:
        """Return an answer whose body takes so many seconds, a few bytes at a time."""
        return cls("slow", seconds=seconds)

    @classmethod
    def stall(cls) -> Self:
        """Return no answer until the client hangs up."""
        return cls("stall")

    @property
    def has_reply(self) -> bool:
        """Whether the model replied, and only the way back went wrong."""
        return self.kind in {"cut", "truncated", "slow"}


_USUAL = (
    Fault.status(429),
    Fault.status(500),
    Fault.reset(),
    Fault.cut(),
    Fault.truncated(),
    Fault.login_page(),
)

Faults = Callable[[Request, int], Fault | None]
"""From a request, and how often the same was sent before, to what goes wrong; None is nothing."""


def faults_in_order(*faults: Fault | None) -> Faults:
    """Return faults for the first requests, in the order in which they come."""
    left = iter(faults)
    return lambda _request, _times: next(left, None)


def random_faults(*faults: Fault, share: float, seed: int = 0) -> Faults:
    """Return faults for a share of all attempts; the same seed gives each request the same fate.

    Without `faults` they are refusals, errors of the server, resets, and unreadable answers.
    """
    chosen = faults or _USUAL

    def fate(request: Request, times: int) -> Fault | None:
        dice = random.Random(f"{seed} {request.digest} {times}")  # noqa: S311  no secret
        return dice.choice(chosen) if dice.random() < share else None

    return fate
