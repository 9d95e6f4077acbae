"""The time that a sample may take, and whose fault it is when that is not enough.

It is the infrastructure's when a model call that has no answer yet, together with the waits for
the limits of endpoints before it, took more than half of the time. Else the agent is to blame, such
as one that goes round in circles.

What is async is cancelled. A thread cannot be: it is left alone and its sample is given up, so
what it still does is not recorded, and the program does not wait for it at its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from linenotes.tracing import Trace

T = TypeVar("T")

_GRACE = 5.0
"""Seconds that a cancelled agent gets to clean up."""


class OutOfTimeError(Exception):
    """A sample took longer than it may."""

    def __init__(self, seconds: float, *, is_infrastructure: bool) -> None:
        self.is_infrastructure = is_infrastructure
        """Whether the endpoint let it wait."""
        doing = "waiting for its model" if is_infrastructure else "at work"
        super().__init__(
            f"The sample was still {doing} after {seconds:g} s. --sample-timeout gives it more."
        )


async def within(
    seconds: float | None, work: Coroutine[Any, Any, T], *, has_waited: Callable[[], float]
) -> T:
    """Return what `work` returns.

    Args:
        seconds: how long it may take; None is as long as it wants.
        work: what is to be done.
        has_waited: tells for how many seconds it has waited for endpoints.

    Raises:
        OutOfTimeError: it took longer.
    """
    if seconds is None:
        return await work
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=_GRACE)
        raise
    if task.done():
        return task.result()
    error = OutOfTimeError(seconds, is_infrastructure=has_waited() > seconds / 2)
    task.add_done_callback(_hear)
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)
    raise error


def waiting_for_model(trace: Trace) -> float:
    """Return for how many seconds the longest unanswered model call of `trace` has waited."""
    begun = [s.start_ns for s in trace.spans if s.type == "CHAT_MODEL" and s.end_ns is None]
    return (time.time_ns() - min(begun)) / 1e9 if begun else 0.0


def _hear(task: asyncio.Task[T]) -> None:
    """Take note of how an abandoned task ended, which asyncio would warn of."""
    with suppress(asyncio.CancelledError):
        task.exception()
