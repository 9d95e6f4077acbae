from __future__ import annotations

import asyncio
import sys
import threading

from linenotes.evals.engine._event_loop import complete


def _compute(until: threading.Event) -> None:
    while not until.is_set():
        sum(range(1000))


def test_turns_stay_as_they_are_while_the_loop_has_its_own() -> None:
    async def seen() -> float:
        await asyncio.sleep(0.3)
        return sys.getswitchinterval()

    assert complete(seen()) == sys.getswitchinterval()


def test_threads_that_compute_get_shorter_turns_until_the_work_is_done() -> None:
    before, done = sys.getswitchinterval(), threading.Event()

    async def starved() -> bool:
        busy = [asyncio.to_thread(_compute, done) for _ in range(40)]
        working = asyncio.gather(*busy)
        try:
            for _ in range(600):  # a bound, not a measure: the first looks see it
                await asyncio.sleep(0.05)
                if sys.getswitchinterval() < before:
                    return True
            return False
        finally:
            done.set()
            await working

    assert complete(starved(), threads=40)
    assert sys.getswitchinterval() == before
