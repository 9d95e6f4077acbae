"""The bridge from synchronous callers to the one asynchronous core."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from linenotes.project import AgentError

T = TypeVar("T")


def complete(work: Coroutine[Any, Any, T], *, threads: int = 32) -> T:
    """Run `work` to its end in an event loop of its own; also from inside one, as in a notebook.

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


class _Threads(ThreadPoolExecutor):
    """Threads that nobody waits for: what still runs in them at the end has been given up."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002  the loop's wishes
        super().shutdown(wait=False, cancel_futures=True)


async def _with_threads(work: Coroutine[Any, Any, T], threads: int) -> T:
    asyncio.get_running_loop().set_default_executor(_Threads(max_workers=threads))
    return await work


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(copy_context().run, asyncio.run, work).result()
