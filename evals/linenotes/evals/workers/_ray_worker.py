"""A worker that is an actor in a Ray cluster, as the driver sees it, and the actor itself.

The actor gets the same lines as a local worker's process and gives the same answers, all as bytes.
It executes samples in an event loop of its own, in a thread: what an agent does to its loop, such
as `sys.exit()`, then has the same consequence everywhere, and Ray's own loop goes on.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Self, cast

from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._garbage import settled_objects_spared
from linenotes.evals.workers._bench import Bench
from linenotes.evals.workers._messages import (
    READY,
    Order,
    defect_line,
    raised_line,
    refuse_raised,
)
from linenotes.evals.workers._pool import WorkerDied
from linenotes.project import LinenotesError, keep_offline

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle


class RayWorker:
    """Hands jobs to an actor and its answers back."""

    def __init__(self, actor: ActorHandle[Actor]) -> None:
        self._actor = actor
        self._fate: str | None = None

    @classmethod
    async def start(cls, order: bytes, *, cpus: int, jobs: int) -> Self:
        """Return a worker that has carried out the order and takes `jobs` jobs at a time.

        Raises:
            LinenotesError: what the worker met.
            WorkerDied: it died without a word.
        """
        import ray

        options = {"num_cpus": cpus, "max_concurrency": jobs + 1, "scheduling_strategy": "SPREAD"}
        actor = ray.remote(Actor).options(**options).remote()
        worker = cls(cast("ActorHandle[Actor]", actor))
        try:
            refuse_raised(await worker._answer(worker._actor.prepare.remote(order)))
        except WorkerDied:
            raise
        except BaseException:
            worker.kill()
            raise
        return worker

    @property
    def is_dead(self) -> bool:
        """Whether it takes no more jobs."""
        return self._fate is not None

    async def ask(self, job: bytes) -> bytes:
        """Have a job done and return the answer.

        Raises:
            WorkerDied: the actor or its node is gone.
        """
        return await self._answer(self._actor.work.remote(job))

    async def _answer(self, reference: ObjectRef[bytes]) -> bytes:
        from ray.exceptions import RayError, RayTaskError

        try:
            return await reference
        except RayTaskError:
            raise  # a mistake of ours
        except RayError as error:
            self._fate = f"was lost ({type(error).__name__})"
            raise WorkerDied(self._fate) from None

    async def end(self) -> None:
        """Let it end: it has nothing to do."""
        self.kill()

    def kill(self) -> None:
        """End it at once."""
        import ray

        ray.kill(self._actor)


class Actor:
    """What runs in the cluster."""

    def __init__(self) -> None:
        os.dup2(2, 1)  # Ray shows the driver's user both, each where it came from
        keep_offline()

    async def prepare(self, line: bytes) -> bytes:
        """Carry out an order, and return whether that went well."""
        return await asyncio.to_thread(self._prepare, line)

    def _prepare(self, line: bytes) -> bytes:
        try:
            order = Order.model_validate_json(line)
            self._bench = Bench.of(order)
            self._loop = _Loop(threads=order.conduct.threads)
        except LinenotesError as error:
            return raised_line(error)
        except Exception:  # noqa: BLE001  the driver raises it again
            return defect_line(traceback.format_exc())
        return READY

    async def work(self, line: bytes) -> bytes:
        """Execute the sample that `line` names, and return the answer."""
        return await self._loop.run(self._bench.work(line))


class _Loop:
    """An event loop in a thread, for as long as nothing in it ends it."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._last_words: bytes | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        async def stay() -> None:
            self._started.set_result(asyncio.get_running_loop())
            await asyncio.Event().wait()

        try:
            with settled_objects_spared():
                complete(stay(), threads=self._threads)
        except LinenotesError as error:
            self._last_words = raised_line(error)

    async def run(self, work: Coroutine[object, object, bytes]) -> bytes:
        """Return what `work` returns, or what ended the loop."""
        future = asyncio.run_coroutine_threadsafe(work, self._started.result())
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            await asyncio.to_thread(self._thread.join)
            if self._last_words is None:
                raise
            return self._last_words
