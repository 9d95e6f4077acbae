"""Threads that nobody waits for; the program does for a moment, at its end.

What still runs in one of them when the work is done has been given up: an agent that never returns
must hang neither the run nor the process. The threads of the standard library's executor are
joined at the end of the program, whatever it was told. These get a moment to end there, since
Python tears down a thread that is in the middle of a library like pydantic, and the process with
it: such a program crashes after it has done all its work.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock, Thread
from typing import ParamSpec, TypeVar
from weakref import WeakSet

T = TypeVar("T")
P = ParamSpec("P")


_MOMENT = 2.0
"""Seconds that the program waits at its end for all threads together."""


class UnawaitedThreads(ThreadPoolExecutor):
    """An executor of daemon threads; event loops take none but a `ThreadPoolExecutor`."""

    def __init__(self, most: int) -> None:
        super().__init__(max_workers=1)  # that starts no thread: `submit` is ours
        self._most = most
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = Lock()
        self._started = 0
        self._is_shut = False
        self._free = 0
        """Threads that wait for a task, less the tasks that wait for a thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` in a thread.

        Raises:
            RuntimeError: it was shut down.
        """
        future: Future[T] = Future()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                self._set_free()
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  it is the future's
                self._set_free()
                future.set_exception(error)
            else:
                self._set_free()  # first, or whoever waits for the result finds no free thread
                future.set_result(result)

        with self._lock:
            if self._is_shut:
                raise RuntimeError("Cannot schedule new futures after shutdown.")
            self._free -= 1
            self._tasks.put(task)
            if self._free < 0 and self._started < self._most:
                self._start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002  the loop's wishes
        """Let the threads that have nothing to do end; what waits for its turn is done before."""
        with self._lock:
            self._is_shut = True
            for _ in range(self._started):
                self._tasks.put(None)
        super().shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        self._started += 1
        self._free += 1
        thread = Thread(target=self._work, name=f"sample-{self._started}", daemon=True)
        _running.add(thread)
        thread.start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            del task

    def _set_free(self) -> None:
        with self._lock:
            self._free += 1


_running: WeakSet[Thread] = WeakSet()


@atexit.register
def _wait_a_moment() -> None:
    until = time.monotonic() + _MOMENT
    for thread in tuple(_running):
        thread.join(max(0.0, until - time.monotonic()))
