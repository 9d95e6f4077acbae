"""How long a thread computes before another one gets its turn.

Nodes that are not async run in threads. When some dozen of them compute, Python's own 5 ms a turn
keep the event loop waiting for seconds, and with it the timeouts of all other samples. Shorter
turns for all would cost every run some per cent of its CPU, so they come when the loop starves.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SHORT_TURN = 0.0005
"""Seconds."""
_LOOK = 0.1
"""Seconds between two looks at the loop."""
_LATE = 0.05
"""Seconds that the loop may be late without any harm."""


@asynccontextmanager
async def turns_shortened_for_loop() -> AsyncIterator[None]:
    """Shorten the turns of threads, until the block ends, once they keep the loop from its work."""
    before = sys.getswitchinterval()
    watch = asyncio.create_task(_shorten_when_starved())
    try:
        yield
    finally:
        watch.cancel()
        sys.setswitchinterval(before)


async def _shorten_when_starved() -> None:
    while not await _is_starved():
        pass
    sys.setswitchinterval(min(_SHORT_TURN, sys.getswitchinterval()))


async def _is_starved() -> bool:
    """Tell whether a timer came late although the loop's thread had little to do meanwhile."""
    start, used = time.monotonic(), time.thread_time()
    await asyncio.sleep(_LOOK)
    late = time.monotonic() - start - _LOOK
    return late > _LATE and time.thread_time() - used < late / 2
