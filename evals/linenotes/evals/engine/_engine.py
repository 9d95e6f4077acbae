"""The engine: executes samples concurrently and hands each finished one on.

It interleaves the versions case by case and sample by sample, so that whatever drifts during
the run hits them alike. One event loop runs everything; a sample runs in its own context, which
carries its seed, its version and its recorder.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.agents import AgentVersion, SampleScope, sample_scope
from linenotes.datasets import Case
from linenotes.evals.engine._failures import attribute
from linenotes.evals.journal._samples import Failure, Sample
from linenotes.project import ModelError, Redactor
from linenotes.tracing import (
    Library,
    Message,
    json_value,
    record,
    sample_recordings,
    trace_id_for,
)

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from pydantic import JsonValue


@dataclass(frozen=True)
class Job:
    """One sample to execute."""

    run_id: str
    version: AgentVersion
    case: Case
    index: int
    seed: int
    recordings: Library | None = None
    """Where its model and tool calls are recorded and replayed."""

    @property
    def shown_case(self) -> Case:
        """The case as it is stored and scored: redacted."""
        return self.case.redacted(Redactor.current())


@dataclass
class Stop:
    """Asks an engine to finish what is in flight and start nothing more."""

    asked: bool = field(default=False)


def interleave(arms: Sequence[Sequence[Job]]) -> Iterator[Job]:
    """Yield the jobs of all arms in turn, in the order (sample, case, arm)."""
    longest = max((len(arm) for arm in arms), default=0)
    for position in range(longest):
        for arm in arms:
            if position < len(arm):
                yield arm[position]


async def execute(
    jobs: Iterable[Job],
    *,
    concurrency: int,
    on_start: Callable[[Job], None],
    on_finish: Callable[[Job, Sample], Awaitable[None]],
    stop: Stop,
) -> None:
    """Execute `jobs`, at most `concurrency` at a time; `on_finish` is a part of the job.

    Raises:
        LinenotesError: the user's own mistake, or an endpoint that is gone; what had finished
            has been handed to `on_finish`.
    """
    queue = iter(jobs)
    breaker = _Breaker(patience=max(5, concurrency))

    async def worker() -> None:
        for job in queue:
            if stop.asked:
                return
            on_start(job)
            sample = await run_sample(job, durable=True)
            await on_finish(job, sample)
            breaker.note(job, sample)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(worker())
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def run_sample(
    job: Job, *, on_message: Callable[[Message], None] | None = None, durable: bool = False
) -> Sample:
    """Execute one case once. A failure of the agent or its infrastructure is on the sample.

    `on_message` hears each message as it happens. With `durable` it also stands in the project's
    folder as it happens, until whoever keeps the sample calls `discard_live`.

    Raises:
        RecordingError: a call has no recording, and calls are only to be replayed.
        LinenotesError: the user's own mistake, which every sample would meet.
    """
    trace_id = trace_id_for(job.run_id, job.case.id, job.index)
    scope = SampleScope(case=job.case.id, sample=job.index, seed=job.seed)
    agent, shown = job.version.agent.name, job.shown_case
    output: JsonValue = None
    failure: Failure | None = None
    with (
        ExitStack() as stack,
        job.version.in_force(),
        sample_scope(scope),
        record(
            agent=agent,
            case=shown.id,
            sample=job.index,
            trace_id=trace_id,
            on_message=on_message,
            project=job.version.agent.project,
            durable=durable,
        ) as ledger,
    ):
        taped = job.recordings and stack.enter_context(
            sample_recordings(job.recordings, shown.id, job.index)
        )
        try:
            output = await _invoke(job, thread=trace_id)
        except asyncio.CancelledError as error:
            if _is_asked_to_cancel():
                raise
            failure = attribute(error)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  the system under test fails as data
            failure = attribute(error)
        if taped and failure is not None:
            taped.was_cut_short = failure.kind == "infrastructure"
    replayed: frozenset[str] = frozenset()
    if taped:
        taped.raise_refusal()
        replayed = frozenset(taped.replayed)
    # What scorers see is what the journal keeps, or scoring again would give other scores.
    output, trace, failure = ledger.redacted((output, ledger.trace, failure))
    return Sample(shown, job.index, output, trace, failure, replayed)


async def _invoke(job: Job, *, thread: str) -> JsonValue:
    # A graph with a checkpointer needs a thread, and samples must not share one.
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    inputs = copy.deepcopy(job.case.inputs)
    return json_value(await job.version.graph.ainvoke(inputs, config))


def _is_asked_to_cancel() -> bool:
    """Tell a run that ends from an agent that cancels something of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@dataclass
class _Breaker:
    """Ends a run whose endpoint is gone instead of failing every sample of it."""

    patience: int
    """How many infrastructure errors in a row end the run."""
    _in_a_row: int = 0

    def note(self, job: Job, sample: Sample) -> None:
        broken = sample.error is not None and sample.error.kind == "infrastructure"
        self._in_a_row = self._in_a_row + 1 if broken else 0
        if self._in_a_row >= self.patience:
            reason = str(sample.error).rstrip(".")
            raise ModelError(
                f"The model's endpoint failed {self._in_a_row} samples in a row: {reason}. "
                "Check that it is up, and continue with "
                f"`linenotes eval --resume {job.run_id[:12]}`."
            )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one exception of a group; they are all of the same mistake."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
