"""Workers that execute samples, and what follows when one of them dies.

A job goes to the worker with the least to do, when its turn comes, so that none waits behind a
slow one. The driver alone knows what is done: a worker that dies costs only what it had in flight,
which others execute again; one that dies while it starts costs a new one. Who of them it was that
killed it nobody can tell, so a sample that saw two workers die is executed once more by a worker
that has nothing else; if that dies, too, it is a failure of the agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from linenotes.evals.engine._engine import Job, first_of
from linenotes.evals.journal._samples import Failure, Sample
from linenotes.evals.workers._messages import job_line, read_answer
from linenotes.project import AgentError
from linenotes.tracing import Trace, closed, find_live, record, trace_id_for

_IN_COMPANY = 2
"""How many workers may die with a sample before it is executed alone."""
_STARTS = 3
"""How many workers in a row may die before they are ready for jobs."""


class WorkerDied(Exception):  # noqa: N818  it is no error of the program's
    """A worker ended while it started or had jobs; says how, such as `was ended by SIGKILL`."""


class Worker(Protocol):
    """One process somewhere that executes samples, several at a time."""

    @property
    def is_dead(self) -> bool:
        """Whether it takes no more jobs."""

    async def ask(self, job: bytes) -> bytes:
        """Have a job done and return the answer.

        Raises:
            WorkerDied: it ended before.
        """

    async def end(self) -> None:
        """Let it end when it has nothing to do."""

    def kill(self) -> None:
        """End it at once."""


Hire = Callable[[], Awaitable[Worker]]
"""Starts a worker; raises `WorkerDied` of one that ended before it was ready for jobs."""


class Pool:
    """Executes jobs by `size` workers, which `hire` starts, and a spare one for suspects."""

    def __init__(self, hire: Hire, *, size: int, spare: Hire | None = None) -> None:
        self._desks = [_Desk(hire, self._note_death) for _ in range(size)]
        self._quiet_desk = _Desk(spare or hire, self._note_death)
        self._quiet = asyncio.Lock()
        self._patience = max(4, 2 * size)
        self._deaths = 0
        """How many workers have died since a sample finished."""
        self._last_death = ""

    async def run(self, job: Job) -> Sample:
        """Execute a job and return its sample.

        Raises:
            LinenotesError: the user's own mistake, which every sample would meet.
            AgentError: workers die and die, and nothing is finished in between.
        """
        line = job_line(job)
        for _ in range(_IN_COMPANY):
            desk = min(self._desks, key=lambda desk: desk.busy)
            try:
                return self._finished(await desk.ask(line), job)
            except WorkerDied as died:
                self._last_death = str(died)
        async with self._quiet:
            try:
                return self._finished(await self._quiet_desk.ask(line), job)
            except WorkerDied as died:
                self._last_death = str(died)
                return _lost(job, died)

    def _finished(self, answer: bytes, job: Job) -> Sample:
        sample = read_answer(answer, job)
        self._deaths = 0
        return sample

    def _note_death(self) -> None:
        self._deaths += 1
        if self._deaths > self._patience:
            raise AgentError(
                f"{self._deaths} worker processes died and no sample finished in between; the last "
                f"one {self._last_death}. `linenotes run AGENT --case ID` executes one sample in "
                "its own process, and shows why."
            )

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.TaskGroup() as hiring:
                for desk in self._desks:
                    hiring.create_task(desk.occupy())
        except BaseExceptionGroup as group:
            self._kill()
            raise first_of(group) from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._kill()
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def _kill(self) -> None:
        for worker in self._workers:
            worker.kill()

    @property
    def _workers(self) -> Sequence[Worker]:
        desks = [*self._desks, self._quiet_desk]
        return [desk.worker for desk in desks if desk.worker is not None]


class _Desk:
    """A place at which there always is a worker: when one dies, another takes it."""

    def __init__(self, hire: Hire, note_death: Callable[[], None]) -> None:
        self._hire, self._note_death = hire, note_death
        self._hiring = asyncio.Lock()
        self.worker: Worker | None = None
        self.busy = 0
        """How many jobs are here."""

    async def ask(self, job: bytes) -> bytes:
        self.busy += 1
        try:
            worker = await self.occupy()
            return await worker.ask(job)
        finally:
            self.busy -= 1

    async def occupy(self) -> Worker:
        """Return the worker; the first one, or another if it is dead."""
        async with self._hiring:
            if self.worker is not None and not self.worker.is_dead:
                return self.worker
            if self.worker is not None:
                self._note_death()
            self.worker = await self._hired()
            return self.worker

    async def _hired(self) -> Worker:
        for _ in range(_STARTS - 1):
            with suppress(WorkerDied):
                return await self._hire()
        try:
            return await self._hire()
        except WorkerDied as died:
            raise _died_early(died) from None


def _died_early(died: WorkerDied) -> AgentError:
    return AgentError(
        f"{_STARTS} worker processes in a row ended before they were ready, and the last one "
        f"{died}. What they said stands above; `linenotes run AGENT --case ID` executes one sample "
        "without a worker."
    )


def _lost(job: Job, died: WorkerDied) -> Sample:
    """Return the sample of a job that ends every process which executes it."""
    failure = Failure(
        "agent",
        "WorkerDied",
        f"The process that executed it {died}. Two before had died as well, and the last one had "
        "nothing else to do.",
    )
    trace = replace(_heard(job), state="ERROR", error=str(failure))
    return Sample(job.shown_case, job.index, None, trace, failure)


def _heard(job: Job) -> Trace:
    """Return what the dead worker's live log says, or an empty trace where there is none."""
    project = job.version.agent.project
    trace_id = trace_id_for(job.run_id, job.case.id, job.index)
    live = find_live(project, trace_id)
    if live is not None:
        return closed(live)
    with record(
        agent=job.version.agent.name,
        case=job.shown_case.id,
        sample=job.index,
        trace_id=trace_id,
        project=project,
    ) as ledger:
        pass
    return ledger.trace
