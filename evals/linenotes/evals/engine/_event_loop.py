"""The bridge from synchronous callers to the one asynchronous core.

The loop is kept from one call to the next. Clients of model providers are shared by whole processes
and keep connections open, which belong to the loop that opened them: in the next loop the first
request on such a connection would fail.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from linenotes.evals.engine._turns import turns_shortened_for_loop
from linenotes.evals.engine._unawaited_threads import UnawaitedThreads
from linenotes.project import AgentError

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds that tasks get to end which an agent started and left behind."""


def complete(work: Coroutine[Any, Any, T], *, threads: int = 32) -> T:
    """Run `work` to its end in the event loop; also from inside another one, as in a notebook.

    Args:
        work: what to run.
        threads: how many things that are not async it may do at a time.

    Raises:
        AgentError: the code under test called `sys.exit()`.
    """
    try:
        return _run(_with_threads(work, threads))
    except SystemExit as error:
        # Nothing in between can catch it: a task hands it straight to the loop.
        raise AgentError(
            f"The agent ended the program: sys.exit({error.code!r}). "
            "Let it raise an exception, which fails only its own sample."
        ) from error


async def _with_threads(work: Coroutine[Any, Any, T], threads: int) -> T:
    executor = UnawaitedThreads(threads)
    asyncio.get_running_loop().set_default_executor(executor)
    async with turns_shortened_for_loop():
        try:
            return await work
        finally:
            await _end_leftovers()
            executor.shutdown()


async def _end_leftovers() -> None:
    """Cancel the tasks that nobody waits for; one that will not end is left to itself."""
    leftovers = asyncio.all_tasks() - {asyncio.current_task()}
    for task in leftovers:
        task.cancel()
    if leftovers:
        await asyncio.wait(leftovers, timeout=_PATIENCE)


class _KeptLoop:
    """An event loop for one thread at a time, made when it is first needed."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the context of the caller."""
        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        try:
            return self._runner.run(work, context=copy_context())
        except BaseException as error:
            ends = isinstance(error, KeyboardInterrupt | SystemExit)
            if ends or asyncio.all_tasks(self._runner.get_loop()):
                self.close()  # its tasks were left in the middle, as by an alarm that raises
            raise

    def close(self) -> None:
        """End what still runs in it; the next call makes another."""
        runner, self._runner = self._runner, None
        if runner is not None:
            with suppress(RuntimeError):  # still running in a thread that the exit cut off
                _close(runner)

    def forget(self) -> None:
        """Let go of it in a forked process: it is the parent's."""
        self._runner = None


def _close(runner: asyncio.Runner) -> None:
    """Close the runner's loop; a task that will not end would be waited for without an end."""
    loop = runner.get_loop()
    if not loop.is_running():
        _cancel_all(loop)
        if asyncio.all_tasks(loop):
            loop.close()
            return
    runner.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks of a loop from outside, and let it run until they have ended."""
    left = asyncio.all_tasks(loop)

    def ended(task: asyncio.Task[Any]) -> None:
        left.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio warns of one that nobody asked for
        if not left:
            loop.stop()

    for task in tuple(left):
        task.add_done_callback(ended)
        task.cancel()
    until = loop.time() + _PATIENCE
    timer = loop.call_at(until, loop.stop)
    while left and loop.time() < until:
        with suppress(KeyboardInterrupt, SystemExit):  # again, of the task that it hit
            loop.run_forever()
    timer.cancel()


_OF_MAIN_THREAD, _BESIDE = _KeptLoop(), _KeptLoop()
_BESIDE_FREE = threading.Lock()


def _run(work: Coroutine[Any, Any, T]) -> T:
    if _is_inside_a_loop():
        return _run_beside(work)
    if threading.current_thread() is threading.main_thread():
        return _OF_MAIN_THREAD.run(work)
    return asyncio.run(work)


def _run_beside(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in another thread, in the kept loop unless that is busy."""
    is_kept = _BESIDE_FREE.acquire(blocking=False)
    try:
        run = _BESIDE.run if is_kept else asyncio.run
        with ThreadPoolExecutor(max_workers=1) as beside:
            return beside.submit(copy_context().run, run, work).result()
    finally:
        if is_kept:
            _BESIDE_FREE.release()


def _is_inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


for _kept in (_OF_MAIN_THREAD, _BESIDE):
    atexit.register(_kept.close)
    os.register_at_fork(after_in_child=_kept.forget)
