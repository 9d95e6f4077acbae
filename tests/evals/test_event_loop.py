from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from linenotes.evals._event_loop import complete
from linenotes.project import AgentError


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_work_is_run_to_its_end() -> None:
    assert complete(double(2)) == 4


async def test_work_is_run_to_its_end_inside_a_running_loop() -> None:
    assert complete(double(2)) == 4


def test_as_many_threads_wait_at_a_time_as_are_asked_for() -> None:
    everyone = threading.Barrier(40)

    async def meet() -> None:
        await asyncio.gather(*(asyncio.to_thread(everyone.wait, 30) for _ in range(40)))

    complete(meet(), threads=40)


def test_whoever_interrupts_does_not_wait_for_threads() -> None:
    given_up = threading.Event()

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def wait() -> None:
        asyncio.get_running_loop().call_later(0.05, interrupt)
        await asyncio.to_thread(given_up.wait, 60)

    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            complete(wait())
        assert time.monotonic() - began < 20
    finally:
        given_up.set()


def test_an_exit_of_the_program_is_told_as_the_agents() -> None:
    async def leave() -> None:
        sys.exit("bye")

    with pytest.raises(AgentError, match=r"sys\.exit\('bye'\)"):
        complete(leave())
