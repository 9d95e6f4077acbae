from __future__ import annotations

import asyncio

from linenotes.evals import Stop


async def test_who_waits_hears_of_a_stop_before_the_time_is_over() -> None:
    stop = Stop()
    waiting = asyncio.create_task(stop.asked_within(3600))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    stop.asked = True
    assert await asyncio.wait_for(waiting, 60)


async def test_the_time_passes_where_nobody_asks() -> None:
    assert not await Stop().asked_within(0.01)


async def test_what_was_asked_before_is_not_waited_for() -> None:
    assert await asyncio.wait_for(Stop(asked=True).asked_within(3600), 60)
