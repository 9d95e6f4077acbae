"""The engine: executes samples concurrently and hands each finished one on.

It interleaves the versions case by case and sample by sample, so that whatever drifts during
the run hits them alike. One event loop runs everything; a sample runs in its own context, which
carries its seed, its version and its recorder.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from linenotes.agents import AgentVersion, SampleScope, sample_scope
from linenotes.datasets import Case
from linenotes.evals.engine._breaker import Breaker
from linenotes.evals.engine._failures import attribute
from linenotes.evals.engine._metered_sample import Unfinished, run_within
from linenotes.evals.engine._purse import Purse
from linenotes.evals.engine._stop import Stop
from linenotes.evals.engine._time_limit import waiting_for_model, within
from linenotes.evals.journal._samples import Failure, Outcome, Sample
from linenotes.evals.journal._spending import Spending
from linenotes.project import LinenotesError, Redactor
from linenotes.tracing import (
    Library,
    Message,
    Prices,
    discard_live,
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


Run = Callable[[Job], Awaitable[Sample | Unfinished]]
"""What executes a job, wherever that is."""
OnCutOff = Callable[[Job, Unfinished], None]
"""Hears what was spent on a sample that came to nothing."""


def interleave(arms: Sequence[Sequence[Job]]) -> Iterator[Job]:
    """Yield the jobs of all arms in turn, in the order (sample, case, arm)."""
    longest = max((len(arm) for arm in arms), default=0)
    for position in range(longest):
        for arm in arms:
            if position < len(arm):
                yield arm[position]


async def run_here(
    job: Job,
    *,
    purse: Purse | None = None,
    time_limit: float | None = None,
    on_given_up: OnCutOff | None = None,
) -> Sample | Unfinished:
    """Execute `job` in this process; what is said stands in the project's folder as it happens.

    What it has spent goes to `on_given_up` when it is cancelled, or ended by what is raised.

    Raises:
        LinenotesError: as `run_sample`; such a sample counts for nothing, and leaves nothing.
    """
    project = job.version.agent.project
    run = partial(run_sample, job, durable=True, time_limit=time_limit)

    def give_up(spent: Spending) -> None:
        if on_given_up is not None:
            on_given_up(job, Unfinished(spent))

    try:
        if purse is None or not purse.budget:
            return await run(on_given_up=give_up)
        return await run_within(purse, Prices(project), run, on_given_up=give_up)
    except LinenotesError:
        discard_live(project, trace_id_for(job.run_id, job.case.id, job.index))
        raise


async def execute(
    jobs: Iterable[Job],
    *,
    run: Run = run_here,
    concurrency: int,
    on_start: Callable[[Job], None],
    on_finish: Callable[[Job, Sample], Awaitable[None]],
    on_cut_off: OnCutOff | None = None,
    stop: Stop,
    purse: Purse | None = None,
    retries: int = 0,
) -> None:
    """Execute `jobs` by `run`, at most `concurrency` at a time; `on_finish` is a part of the job.

    A sample that the infrastructure failed is executed again, at most `retries` times; what that
    try has spent goes to `on_cut_off`. So does a sample that needs more than `purse` holds, and
    then no other is started.

    Raises:
        LinenotesError: the user's own mistake, or an endpoint that is gone; what had finished
            has been handed to `on_finish`.
    """
    queue = iter(jobs)
    breaker = Breaker(patience=max(5, concurrency), retries=retries, stop=stop)

    async def worker() -> None:
        for job in queue:
            if stop.asked or (purse is not None and purse.exhausted):
                return
            on_start(job)
            lost = partial(_lost, job, on_cut_off)
            sample = await breaker.persist(job, partial(run, job), lost=lost)
            if isinstance(sample, Unfinished):
                if on_cut_off is not None:
                    on_cut_off(job, sample)
                return
            await on_finish(job, sample)
            breaker.note(job, sample)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(worker())
    except BaseExceptionGroup as group:
        raise first_of(group) from None


async def run_sample(
    job: Job,
    *,
    on_message: Callable[[Message], None] | None = None,
    on_given_up: Callable[[Spending], None] | None = None,
    durable: bool = False,
    time_limit: float | None = None,
) -> Sample:
    """Execute one case once. A failure of the agent or its infrastructure is on the sample.

    `on_message` hears each message as it happens. With `durable` it also stands in the project's
    folder as it happens, until whoever keeps the sample calls `discard_live`. After `time_limit`
    seconds it fails. `on_given_up` hears what was spent when it is cancelled or something is
    raised.

    Raises:
        RecordingError: a call has no recording, and calls are only to be replayed.
        LinenotesError: the user's own mistake, which every sample would meet.
    """
    trace_id = trace_id_for(job.run_id, job.case.id, job.index)
    scope = SampleScope(case=job.case.id, sample=job.index, seed=job.seed)
    agent, shown = job.version.agent.name, job.shown_case
    output: JsonValue = None
    failure: Failure | None = None

    def so_far() -> Sample:
        replayed = frozenset(taped.replayed if taped else ())
        return Sample(shown, job.index, None, ledger.trace, None, replayed)

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
        stack.enter_context(_accounted(so_far, on_given_up))
        try:
            output = await within(
                time_limit,
                _invoke(job, thread=trace_id),
                has_waited=lambda: waiting_for_model(ledger.trace) + scope.waited,
            )
        except asyncio.CancelledError as error:
            if _is_asked_to_cancel():
                raise
            failure = attribute(error)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  the system under test fails as data
            failure = attribute(error)
        if taped:
            taped.raise_refusal()
    # What scorers see is what the journal keeps, or scoring again would give other scores.
    output, failure = ledger.redacted((output, failure))
    return replace(so_far(), output=output, error=failure)


@contextmanager
def _accounted(
    so_far: Callable[[], Sample], on_given_up: Callable[[Spending], None] | None
) -> Iterator[None]:
    """Tell what a sample has spent, when the block does not come to its end."""
    try:
        yield
    except BaseException:
        if on_given_up is not None:
            on_given_up(Spending.of(Outcome.of(so_far())))
        raise


async def _invoke(job: Job, *, thread: str) -> JsonValue:
    # A graph with a checkpointer needs a thread, and samples must not share one.
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    inputs = copy.deepcopy(job.case.inputs)
    return json_value(await job.version.graph.ainvoke(inputs, config))


def _is_asked_to_cancel() -> bool:
    """Tell a run that ends from an agent that cancels something of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _lost(job: Job, on_cut_off: OnCutOff | None, sample: Sample) -> None:
    """Tell what a try has spent that is executed again."""
    if on_cut_off is not None:
        on_cut_off(job, Unfinished(Spending.of(Outcome.of(sample))))


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one exception of a group; they are all of the same mistake."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
