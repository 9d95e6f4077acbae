"""The program of a local worker: jobs come on stdin, answers go to stdout, one JSON line each.

Agents see neither: what they print goes to stderr, and their stdin is empty. A worker whose driver
is gone ends at once, whatever its agents do; a thread that only reads stdin sees to that.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Thread
from typing import BinaryIO

from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._garbage import settled_objects_spared
from linenotes.evals.workers._bench import Bench
from linenotes.evals.workers._messages import READY, Order, defect_line, raised_line
from linenotes.project import LinenotesError, keep_offline

TO_ALL = 0
"""The number of an answer that ends all jobs of the worker."""


def main() -> None:
    """Execute what stdin says, until it ends."""
    commands, answers = _claim_pipes()
    keep_offline()
    line = _Line(answers)
    try:
        order = Order.model_validate_json(commands.readline())
        bench = Bench.of(order)
        line.send(TO_ALL, READY)
        with settled_objects_spared():
            complete(_serve(bench, commands, line), threads=order.conduct.threads)
    except LinenotesError as error:
        line.send(TO_ALL, raised_line(error))
    except Exception:  # noqa: BLE001  the driver raises it again
        line.send(TO_ALL, defect_line(traceback.format_exc()))


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for ourselves, away from agents and from all that they start."""
    commands, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def leave_to_the_parent() -> None:
        os.close(commands)
        os.close(answers)

    os.register_at_fork(after_in_child=leave_to_the_parent)
    return os.fdopen(commands, "rb"), os.fdopen(answers, "wb")


@dataclass(frozen=True)
class _Line:
    """Sends answers, in a thread of its own: a driver that is slow to read delays no agent."""

    answers: BinaryIO
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))

    def send(self, number: int, answer: bytes) -> None:
        """Send the answer to the job of that number."""
        try:
            self.answers.write(b'{"job":%d,"answer":%b}\n' % (number, answer))
            self.answers.flush()
        except BrokenPipeError:
            os._exit(1)

    async def send_aside(self, number: int, answer: bytes) -> None:
        """Send an answer without keeping the event loop from its work."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.thread, self.send, number, answer)


async def _serve(bench: Bench, commands: BinaryIO, line: _Line) -> None:
    loop = asyncio.get_running_loop()
    jobs: asyncio.Queue[bytes] = asyncio.Queue()
    in_flight: set[int] = set()

    async def one(number: int, job: bytes) -> None:
        await line.send_aside(number, await bench.work(job))
        in_flight.discard(number)

    def read() -> None:
        for job in commands:
            loop.call_soon_threadsafe(jobs.put_nowait, job)
        if in_flight:
            os._exit(1)  # nobody is there to take what is being done
        loop.call_soon_threadsafe(jobs.put_nowait, b"")

    Thread(target=read, daemon=True).start()
    async with asyncio.TaskGroup() as tasks:
        number = TO_ALL
        while job := await jobs.get():
            number += 1
            in_flight.add(number)
            tasks.create_task(one(number, job))
