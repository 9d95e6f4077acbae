"""When a request is sent again, and when that is enough.

An endpoint that is busy (429, 529, and 503 with `Retry-After`) is asked again for as long as it
serves anybody. What went wrong otherwise (408, 409, 5xx, a lost connection, an answer that cannot
be read) is tried again as often as the model's settings say. A quota that is used up, and whatever
else the endpoint answers, is final.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Literal, Self

import httpx2

from linenotes.agents._sampling import current_sample
from linenotes.agents.endpoints._answers import UnreadableAnswerError, WatchedStream, is_stream
from linenotes.agents.endpoints._rate_headers import exhausted_for, retry_after
from linenotes.agents.endpoints._windows import Slot, Window, WindowClosedError, window_of

_BUSY = {429, 529}
_FAILED = {408, 409}
_UNAVAILABLE = 503
_SERVER_ERROR = 500
_ERROR = 400
_QUOTA = (b"insufficient_quota", b"billing_hard_limit_reached", b"exceeded your current quota")
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_MOST_REFUSALS = 30
"""A single request that is refused so often is too large for its limit."""
_TURNS = itertools.count()

Verdict = Literal["served", "busy", "failed"]


@dataclass(frozen=True)
class Manners:
    """How the calls of one model treat their endpoint."""

    model: str
    max_retries: int
    """How often a request that failed is sent again."""
    patience: float
    """Seconds that the endpoint may serve nobody before calls are given up."""
    max_in_flight: int | None = None
    """A cap on the requests under way; None leaves it to what the endpoint bears."""


class EndpointClosedError(httpx2.PoolTimeout):
    """The endpoint wants no requests for longer than a call would wait."""


class Call:
    """One request, with all its attempts."""

    def __init__(
        self,
        request: httpx2.Request,
        manners: Manners,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.turn = next(_TURNS)
        self.since = self._tried = time.monotonic()
        self.window = _window(request, manners)
        self._request = request
        self._manners = manners
        self._jitter = jitter
        self._failures = 0
        self._refusals = 0
        self._in_vain = 0
        """How often it was refused since the endpoint served anybody."""
        self._refusal: httpx2.Response | None = None

    def attempt(self, slot: Slot) -> Attempt:
        """Return the block in which the request is sent, once."""
        self._tried = time.monotonic()
        return Attempt(self, slot)

    @property
    def waited(self) -> float:
        """Seconds until its latest attempt began."""
        return self._tried - self.since

    def give_up(self, error: WindowClosedError) -> httpx2.Response:
        """Return what the endpoint last answered, for there is no use in asking again.

        Raises:
            EndpointClosedError: it was not asked even once.
        """
        if self._refusal is not None:
            return self._refusal
        raise EndpointClosedError(
            f"The endpoint took no request: {error}.", request=self._request
        ) from None

    def after(self, slot: Slot, response: httpx2.Response) -> float | None:
        """Return the seconds until the next attempt; None takes the answer as it is."""
        asked = retry_after(response.headers) if response.is_error else None
        verdict = _verdict(response, asked)
        pause = max(asked or 0.0, exhausted_for(response.headers))
        if verdict == "busy":
            self._refusal = response
            self.window.refused(slot, pause=pause)
            return self._when_busy(asked)
        self.window.served(slot, pause=pause)
        if verdict == "served":
            return None
        return self._when_failed(asked, is_final=response.headers.get("x-should-retry") == "false")

    def after_error(self, slot: Slot, error: httpx2.TransportError) -> float | None:
        """Return the seconds until the next attempt when no answer came; None gives up."""
        if isinstance(error, UnreadableAnswerError):
            self.window.served(slot)
        else:
            self.window.refused(slot)
        return self._when_failed(None, is_final=False)

    def _when_busy(self, asked: float | None) -> float | None:
        self._refusals += 1
        # An endpoint that serves others meanwhile is guarded by its window, not by long pauses.
        is_serving = self.window.idle(self._tried) < time.monotonic() - self._tried
        self._in_vain = 1 if is_serving else self._in_vain + 1
        # A pause that the endpoint asked for is the window's: everybody keeps it.
        pause = self._spread(_FIRST_PAUSE if asked is not None else self._backoff(self._in_vain))
        wait = self.window.idle(self.since) + max(pause, asked or 0.0)
        return None if self._refusals > _MOST_REFUSALS or wait > self._manners.patience else pause

    def _when_failed(self, asked: float | None, *, is_final: bool) -> float | None:
        self._failures += 1
        if is_final or self._failures > self._manners.max_retries:
            return None
        if (asked or 0.0) > self._manners.patience:
            return None
        return self._spread(self._backoff(self._failures))

    def _backoff(self, times: int) -> float:
        return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (times - 1))

    def _spread(self, seconds: float) -> float:
        """Return between half and all of it, so that calls that failed together come apart."""
        return seconds * (1 - 0.5 * self._jitter())


def _verdict(response: httpx2.Response, asked: float | None) -> Verdict:
    status = response.status_code
    if status < _ERROR:
        return "served"
    if status in _BUSY or (status == _UNAVAILABLE and asked is not None):
        return "served" if any(sign in response.read() for sign in _QUOTA) else "busy"
    return "failed" if status in _FAILED or status >= _SERVER_ERROR else "served"


def _window(request: httpx2.Request, manners: Manners) -> Window:
    url = request.url
    window = window_of(f"{url.scheme}://{url.netloc.decode()}", manners.model)
    if manners.max_in_flight is not None:
        window.cap(manners.max_in_flight)
    return window


class Attempt:
    """A block in which a request is sent; it keeps the answer, and an error that can be mended."""

    answer: httpx2.Response

    def __init__(self, call: Call, slot: Slot) -> None:
        self._call = call
        self._slot = slot
        self.pause: float | None = None
        """The seconds until the next attempt; None after the last one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        is_kept = False
        try:
            if isinstance(error, httpx2.TransportError):
                self.pause = self._call.after_error(self._slot, error)
            elif error is None:
                self.pause = self._call.after(self._slot, self.answer)
                is_kept = self.pause is None and is_stream(self.answer)
        finally:
            if not is_kept:
                self._call.window.free(self._slot)
        if is_kept:
            free = partial(self._call.window.free, self._slot)
            self.answer.stream = WatchedStream(self.answer, free)
        if self.pause is not None:
            return True
        if (scope := current_sample()) is not None:
            scope.wait_for_endpoint(self._call.waited)
        return False
