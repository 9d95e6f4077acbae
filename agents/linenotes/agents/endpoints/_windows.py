"""How many requests an endpoint gets at a time: as many as it bears.

A window has no limit until the endpoint refuses a request. Each refusal halves it, once for all
requests that were under way together; each answer widens it a little, by one for as many answers
as it is wide. Just under the width that was last refused it grows more slowly, the more so the
more often that was the same, since it is most likely the endpoint's limit. It never grows beyond
what is asked of it.

Who waits is let in by age: a request that was refused goes before younger ones. Threads and event
loops wait for the same window, and an endpoint that asks for a pause gets it from all of them.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

_CUT = 0.5
_CAUTION = 8
_MOST_CAUTION = 64


class WindowClosedError(Exception):
    """The endpoint takes no request for longer than the caller would wait."""


@dataclass(eq=False, slots=True)
class Slot:
    """The right to have one request under way."""

    epoch: int
    """How often the window had been cut when the request was sent."""
    is_free: bool = False


@dataclass(order=True, slots=True)
class _Waiter:
    turn: int
    wake: Callable[[], None] = field(compare=False)
    slot: Slot | None = field(default=None, compare=False)
    is_gone: bool = field(default=False, compare=False)


class Window:
    """The requests to one endpoint that are under way, and those that wait."""

    def __init__(self) -> None:
        self._most = math.inf
        self._width = math.inf
        self._refused_at = math.inf
        self._caution = _CAUTION
        self._epoch = 0
        self._in_flight = 0
        self._paused_until = 0.0
        self._last_served = 0.0
        self._waiting: list[_Waiter] = []
        self._lock = threading.Lock()

    @property
    def width(self) -> float:
        """How many requests may be under way; infinite while nothing was refused."""
        return min(self._most, max(1, self._width if self._width == math.inf else int(self._width)))

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many requests wait, those included that stopped waiting a moment ago."""
        return len(self._waiting)

    def cap(self, most: int) -> None:
        """Let no more than `most` requests be under way; the lowest cap holds."""
        self._most = min(self._most, most)

    def take(self, turn: int, *, since: float, patience: float) -> Slot:
        """Wait in this thread for a slot; the lower `turn` goes first.

        Raises:
            WindowClosedError: nobody was served for `patience` seconds, counted from `since` at
                the earliest, or nobody will be.
        """
        ready = threading.Event()
        waiter = self._queue(turn, ready.set)
        try:
            while waiter.slot is None:
                ready.wait(self._next_look(since, patience))
                self._admit()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.slot

    async def take_async(self, turn: int, *, since: float, patience: float) -> Slot:
        """Wait in this event loop for a slot, as `take` does in a thread.

        Raises:
            WindowClosedError: as of `take`.
        """
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        waiter = self._queue(turn, lambda: _wake(loop, ready))
        try:
            while waiter.slot is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._next_look(since, patience)):
                        await ready.wait()
                self._admit()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.slot

    def idle(self, since: float) -> float:
        """Return for how many seconds the endpoint has served nobody, counted from `since`."""
        return time.monotonic() - max(since, self._last_served)

    def free(self, slot: Slot) -> None:
        """Give a slot back; a second time does nothing."""
        with self._lock:
            if not slot.is_free:
                slot.is_free = True
                self._in_flight -= 1
                self._admit_locked()

    def served(self, slot: Slot, *, pause: float = 0.0) -> None:
        """Note that the endpoint answered, and how long it wants to be left alone."""
        with self._lock:
            self._last_served = time.monotonic()
            self._pause(pause)
            if slot.epoch == self._epoch and self._is_full():
                self._width += self._step()
                self._admit_locked()

    def refused(self, slot: Slot, *, pause: float = 0.0) -> None:
        """Note that the endpoint had too much to do, or was not there."""
        with self._lock:
            self._pause(pause)
            if slot.epoch == self._epoch:
                self._cut()

    def _cut(self) -> None:
        is_known = self._in_flight == self._refused_at
        self._caution = min(_MOST_CAUTION, 2 * self._caution) if is_known else _CAUTION
        self._epoch += 1
        self._refused_at = self._in_flight
        self._width = max(1.0, self._in_flight * _CUT)

    def _is_full(self) -> bool:
        return self._width < math.inf and (bool(self._waiting) or self._in_flight >= self.width)

    def _step(self) -> float:
        is_near = self._width < self._refused_at <= self._width + 1
        return 1 / (self._width * (self._caution if is_near else 1))

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def _queue(self, turn: int, wake: Callable[[], None]) -> _Waiter:
        waiter = _Waiter(turn, wake)
        with self._lock:
            heapq.heappush(self._waiting, waiter)
            self._admit_locked()
        return waiter

    def _next_look(self, since: float, patience: float) -> float:
        """Return the seconds after which waiting may have come to its end, one way or the other."""
        with self._lock:
            now, paused = time.monotonic(), self._paused_until
            given_up = max(since, self._last_served) + patience
        if now >= given_up or paused > given_up:
            raise WindowClosedError(_why(paused - now, patience))
        return (paused if paused > now else given_up) - now

    def _admit(self) -> None:
        with self._lock:
            self._admit_locked()

    def _admit_locked(self) -> None:
        if not self._waiting or time.monotonic() < self._paused_until:
            return
        while self._waiting and self._in_flight < self.width:
            waiter = heapq.heappop(self._waiting)
            if not waiter.is_gone:
                self._in_flight += 1
                waiter.slot = Slot(self._epoch)
                waiter.wake()

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            waiter.is_gone = True
        if waiter.slot is not None:
            self.free(waiter.slot)


def _why(pause: float, patience: float) -> str:
    if pause > 0:
        return f"it asked for a pause of {pause:.0f} s more, longer than a patience of {patience:g}"
    return f"it has served nobody for {patience:g} s"


def _wake(loop: asyncio.AbstractEventLoop, ready: asyncio.Event) -> None:
    with suppress(RuntimeError):  # its loop has ended, and nobody waits any more
        loop.call_soon_threadsafe(ready.set)


_WINDOWS: dict[tuple[str, str], Window] = {}


def window_of(origin: str, model: str) -> Window:
    """Return the window of a model at an endpoint, one for the whole process."""
    window = _WINDOWS.get((origin, model))
    return window or _WINDOWS.setdefault((origin, model), Window())
