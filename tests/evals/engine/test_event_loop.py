from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from linenotes.evals.engine._event_loop import complete
from linenotes.project import AgentError

NUMBER: ContextVar[int] = ContextVar("NUMBER")


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_work_is_run_to_its_end() -> None:
    assert complete(double(2)) == 4


async def test_work_is_run_to_its_end_inside_a_running_loop() -> None:
    assert complete(double(2)) == 4


def test_the_loop_is_kept_since_open_connections_belong_to_it() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def beside() -> tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]:
        return complete(loop()), complete(loop())

    first, second = complete(loop()), complete(loop())
    assert first is second
    first_beside, second_beside = asyncio.run(beside())
    assert first_beside is second_beside is not first


def test_each_call_has_the_context_of_its_caller() -> None:
    async def seen() -> int:
        return NUMBER.get()

    for number in (1, 2):
        token = NUMBER.set(number)
        assert complete(seen()) == number
        NUMBER.reset(token)


def test_work_inside_of_work_beside_a_loop_comes_to_its_end() -> None:
    async def inner() -> int:
        return complete(double(3))

    async def outer() -> int:
        return complete(inner())

    assert asyncio.run(outer()) == 6


def test_tasks_that_were_left_behind_do_not_go_on_in_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("linenotes.evals.engine._event_loop._PATIENCE", 0.1)
    ended = []

    async def tick(*, obstinate: bool) -> None:
        for _ in range(1 + obstinate):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                ended.append(obstinate)

    async def leave_behind() -> None:
        kept.extend(asyncio.ensure_future(tick(obstinate=how)) for how in (False, True))
        await asyncio.sleep(0)

    kept: list[asyncio.Future[None]] = []
    complete(leave_behind())
    assert sorted(ended) == [False, True]
    assert [task.done() for task in kept] == [True, False]
    complete(double(1))
    assert kept[1].done()


def test_a_loop_that_was_interrupted_is_not_used_again() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        complete(interrupt())
    assert complete(double(4)) == 8


def test_as_many_threads_wait_at_a_time_as_are_asked_for() -> None:
    everyone = threading.Barrier(40)

    async def meet() -> None:
        await asyncio.gather(*(asyncio.to_thread(everyone.wait, 30) for _ in range(40)))

    complete(meet(), threads=40)


def test_no_more_threads_wait_at_a_time_than_are_asked_for() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def wait() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(asyncio.to_thread(wait) for _ in range(20)))

    complete(all_of_them(), threads=3)
    assert most <= 3


def test_whoever_interrupts_does_not_wait_for_threads() -> None:
    given_up, ended = threading.Event(), threading.Event()

    def interrupt() -> None:
        raise KeyboardInterrupt

    def stay(loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(interrupt)
        given_up.wait(60)
        ended.set()

    async def wait() -> None:
        await asyncio.to_thread(stay, asyncio.get_running_loop())

    with pytest.raises(KeyboardInterrupt):
        complete(wait())
    assert not ended.is_set(), "it was waited for"
    given_up.set()
    assert ended.wait(60)


def test_an_exit_of_the_program_is_told_as_the_agents() -> None:
    async def leave() -> None:
        sys.exit("bye")

    with pytest.raises(AgentError, match=r"sys\.exit\('bye'\)"):
        complete(leave())


def test_an_alarm_that_raises_in_a_waiting_loop_leaves_nothing_to_what_comes_next() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("wait")

    def raises(_signal: int, _frame: object) -> None:
        raise RuntimeError("Time is up.")

    before = signal.signal(signal.SIGALRM, raises)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(RuntimeError, match="Time is up"):
            complete(wait())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ended == ["wait"]

    async def after() -> str:
        await asyncio.sleep(0)
        return "ok"

    assert complete(after()) == "ok"
