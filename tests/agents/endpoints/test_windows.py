from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from linenotes.agents.endpoints._windows import Slot, Window, WindowClosedError, window_of

LONG = 60.0
"""Seconds of patience that no test uses up."""


def take(window: Window, turn: int = 0) -> Slot:
    return window.take(turn, since=time.monotonic(), patience=LONG)


def refused_at(in_flight: int) -> tuple[Window, list[Slot]]:
    window = Window()
    slots = [take(window) for _ in range(in_flight)]
    window.refused(slots[0])
    return window, slots


@contextmanager
def waiting(window: Window, *turns: int) -> Iterator[list[tuple[int, Slot]]]:
    """Let threads wait, and collect who got a slot in which order."""
    got: list[tuple[int, Slot]] = []
    threads = [Thread(target=lambda t=turn: got.append((t, take(window, t)))) for turn in turns]
    for thread in threads:
        thread.start()
    while window.waiting < len(turns):
        time.sleep(0.001)
    yield got
    for thread in threads:
        thread.join()


def test_an_endpoint_that_refuses_nothing_has_no_limit() -> None:
    window = Window()
    for _ in range(1000):
        window.served(take(window))
    assert (window.in_flight, window.width) == (1000, math.inf)


def test_refusals_of_one_burst_halve_the_window_once() -> None:
    window, slots = refused_at(50)
    for slot in slots:
        window.refused(slot)
        window.free(slot)
    assert (window.in_flight, window.width) == (0, 25)


def test_a_refusal_of_the_next_burst_halves_it_again_and_one_is_the_least() -> None:
    window, slots = refused_at(4)
    for slot in slots:
        window.free(slot)
    for width in (1, 1):
        later = [take(window) for _ in range(int(window.width))]
        window.refused(later[0])
        for slot in later:
            window.free(slot)
        assert window.width == width


def answer(window: Window, times: int) -> None:
    """Use the whole window again and again."""
    held = [take(window) for _ in range(int(window.width))]
    for _ in range(times):
        oldest = held.pop(0)
        window.served(oldest)
        window.free(oldest)
        while len(held) < window.width:
            held.append(take(window))
    for slot in held:
        window.free(slot)


def test_answers_widen_it_by_one_for_as_many_as_it_is_wide() -> None:
    window, slots = refused_at(40)
    for slot in slots:
        window.free(slot)
    answer(window, 21)
    assert window.width == 21


def test_just_under_the_width_that_was_refused_it_grows_more_slowly() -> None:
    window, slots = refused_at(4)
    for slot in slots:
        window.free(slot)
    answer(window, 20)  # as many would have made it 6 wide elsewhere
    assert window.width == 3
    answer(window, 60)
    assert window.width > 4  # the limit was not there, or is no more


def test_answers_to_requests_from_before_the_cut_do_not_widen_it() -> None:
    window, slots = refused_at(10)
    for slot in slots[1:]:
        window.served(slot)
        window.free(slot)
    assert window.width == 5


def test_it_does_not_grow_beyond_what_is_asked_of_it() -> None:
    window, slots = refused_at(40)
    for slot in slots:
        window.free(slot)
    for _ in range(200):
        slot = take(window)
        window.served(slot)
        window.free(slot)
    assert window.width == 20


def test_the_lowest_cap_holds() -> None:
    window = window_of("http://a-host:1", "m")
    window.cap(2)
    window.cap(7)
    assert window_of("http://a-host:1", "m").width == 2
    assert window_of("http://a-host:1", "another").width == math.inf


def test_the_oldest_request_goes_first() -> None:
    window = Window()
    window.cap(1)
    slot = take(window)
    with waiting(window, 7, 3, 5) as got:
        window.free(slot)
        for count in range(1, 4):
            while len(got) < count:
                time.sleep(0.001)
            window.free(got[-1][1])
    assert [turn for turn, _ in got] == [3, 5, 7]


def test_a_thread_and_an_event_loop_share_one_window() -> None:
    window = Window()
    window.cap(1)
    slot = take(window)

    async def wait() -> Slot:
        task = asyncio.create_task(window.take_async(1, since=time.monotonic(), patience=LONG))
        await asyncio.sleep(0)
        assert window.waiting == 1
        Thread(target=window.free, args=(slot,)).start()
        return await task

    window.free(asyncio.run(wait()))
    assert window.in_flight == 0


def test_who_stops_waiting_leaves_no_trace() -> None:
    window = Window()
    window.cap(1)

    async def cancel_one() -> None:
        slot = await window.take_async(0, since=0.0, patience=math.inf)
        waits = [
            asyncio.create_task(window.take_async(n, since=0.0, patience=math.inf)) for n in (1, 2)
        ]
        await asyncio.sleep(0)
        waits[0].cancel()
        await asyncio.sleep(0)
        window.free(slot)
        window.free(await waits[1])

    asyncio.run(cancel_one())
    assert window.in_flight == 0


def test_a_slot_that_comes_with_the_cancelling_is_given_back() -> None:
    window = Window()
    window.cap(1)

    async def cancel_as_it_comes() -> None:
        slot = await window.take_async(0, since=0.0, patience=math.inf)
        wait = asyncio.create_task(window.take_async(1, since=0.0, patience=math.inf))
        await asyncio.sleep(0)
        window.free(slot)
        wait.cancel()
        await asyncio.wait({wait})

    asyncio.run(cancel_as_it_comes())
    assert window.in_flight == 0


def test_a_pause_is_everybodys() -> None:
    window = Window()
    slot = take(window)
    window.refused(slot, pause=0.05)
    window.free(slot)
    until = time.monotonic() + 0.05
    window.free(take(window))
    assert time.monotonic() >= until - 0.01


def test_a_pause_longer_than_the_patience_closes_the_window() -> None:
    window, (slot,) = refused_at(1)
    window.refused(slot, pause=3600)
    with pytest.raises(WindowClosedError, match="a pause of 3600 s more, longer than a patience"):
        window.take(1, since=time.monotonic(), patience=5)


def test_nobody_waits_longer_than_the_patience_for_an_endpoint_that_serves_nobody() -> None:
    window = Window()
    window.cap(1)
    take(window)
    with pytest.raises(WindowClosedError, match=r"it has served nobody for 0\.01 s"):
        window.take(1, since=time.monotonic(), patience=0.01)


def test_patience_lasts_while_the_endpoint_serves_somebody() -> None:
    window = Window()
    window.cap(1)
    slot = take(window)
    window.served(slot)
    assert window.idle(since=0.0) < LONG
    assert window.idle(since=time.monotonic() + 1) < 0


def test_a_slot_is_given_back_once() -> None:
    window = Window()
    slot = take(window)
    window.free(slot)
    window.free(slot)
    assert window.in_flight == 0
