"""A worker that is a process of this machine, as the driver sees it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Self

from linenotes.evals.workers._messages import refuse_raised
from linenotes.evals.workers._pool import WorkerDied
from linenotes.evals.workers._worker_process import TO_ALL

_PATIENCE = 5.0
"""Seconds that a worker gets to end by itself."""
_LONGEST = 1 << 30
"""Bytes of an answer."""
_BEGIN = (
    "import sys; sys.path[:] = sys.argv[1:]; sys.argv[1:] = []; "
    "from linenotes.evals.workers._worker_process import main; main()"
)
_ANSWER = re.compile(rb'\{"job":(\d+),"answer":')


class ProcessWorker:
    """Hands jobs to a process and its answers back, matched by their number."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._given = TO_ALL
        self._fate: str | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, order: bytes) -> Self:
        """Return a worker that has carried out the order and waits for jobs.

        Raises:
            LinenotesError: what the worker met.
            WorkerDied: it ended without a word.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _BEGIN, *sys.path,
            stdin=PIPE, stdout=PIPE, limit=_LONGEST,
            process_group=0,  # Ctrl-C is the driver's: it decides what is finished
        )  # fmt: skip
        worker = cls(process)
        try:
            await worker._get_ready(order)
        except BaseException:
            worker.kill()
            await process.wait()
            raise
        return worker

    async def _get_ready(self, order: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(order + b"\n")
            await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise WorkerDied(_fate(await self._process.wait()))
        refuse_raised(_answer(line)[1])
        self._reading = asyncio.create_task(self._read(self._process.stdout))

    @property
    def is_dead(self) -> bool:
        """Whether it takes no more jobs."""
        return self._fate is not None

    async def ask(self, job: bytes) -> bytes:
        """Have a job done and return the answer.

        Raises:
            WorkerDied: the process ended before.
        """
        if self._fate is not None:
            raise WorkerDied(self._fate)
        assert self._process.stdin is not None
        self._given += 1
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[self._given] = answer
        # A process that has just ended does not take it: then nothing is read any more either.
        self._process.stdin.write(job + b"\n")
        return await answer

    async def _read(self, answers: asyncio.StreamReader) -> None:
        while (line := await answers.readline()).endswith(b"\n"):
            number, answer = _answer(line)
            if number == TO_ALL:
                for each in self._waiting.values():
                    _give(each, answer)
            else:
                _give(self._waiting.pop(number), answer)
        self.kill()  # one that cannot answer is of no use
        self._fate = _fate(await self._process.wait())
        for each in self._waiting.values():
            if not each.done():
                each.set_exception(WorkerDied(self._fate))

    async def end(self) -> None:
        """Let it end, and end it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._gone()), _PATIENCE)
        self.kill()
        await self._gone()

    def kill(self) -> None:
        """End it at once, with all that its agents have started."""
        # Not by `Process.kill`, which may take the exit code away from whoever waits for it.
        if self._fate is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _gone(self) -> None:
        if self._reading is not None:
            await self._reading
        await self._process.wait()


def _answer(line: bytes) -> tuple[int, bytes]:
    """Return the number of an answer and the answer, which is JSON and not looked into here."""
    head = _ANSWER.match(line)
    assert head is not None
    return int(head[1]), line[head.end() : -2]


def _give(waiting: asyncio.Future[bytes], answer: bytes) -> None:
    if not waiting.done():
        waiting.set_result(answer)


def _fate(code: int) -> str:
    """Say how a process ended, by its exit code as Python gives it."""
    if code >= 0:
        return f"exited with code {code}"
    return f"was ended by {signal.Signals(-code).name}"
