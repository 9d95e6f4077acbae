"""An evaluation: versions of agents against a dataset, several samples each case.

Plan, execute, score, publish, estimate. Each step works from the journal, so an evaluation that
stopped anywhere is continued by doing the same again: what the journal holds is not redone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.agents import AgentVersion, PromptRegistry
from linenotes.datasets import Dataset
from linenotes.evals._engine import Job, Stop, execute, interleave
from linenotes.evals._journal import FILE_NAME, Journal, RunRecord, read_journal
from linenotes.evals._plans import RunPlan
from linenotes.evals._progress import Progress, Silent
from linenotes.evals._publisher import Publisher
from linenotes.evals._report import run_note
from linenotes.evals._results import RunResult, estimate_all
from linenotes.evals._runs import RunStore
from linenotes.evals._samples import Sample
from linenotes.evals._scorers import Scorer, find_scorers, score_sample
from linenotes.project import Project, RunError
from linenotes.tracing import open_store

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

DEFAULT_CONCURRENCY = 8


class Interrupted(RunError):  # noqa: N818  it is no error of anybody's
    """The evaluation was asked to stop. What had finished is kept and can be continued."""


@dataclass(frozen=True)
class Arm:
    """One version in an evaluation, and how many samples of each case it gets."""

    version: AgentVersion
    samples: int
    baseline: bool = False
    """True for the thing to beat, which every evaluation of the agent also runs."""


@dataclass(frozen=True)
class _Planned:
    """A run on its way: its plan, the version that it executes, and its journal."""

    plan: RunPlan
    version: AgentVersion
    journal: Path

    def record(self) -> RunRecord:
        return read_journal(self.journal)

    def missing(self) -> list[Job]:
        """Return the samples that the journal lacks; what the infrastructure failed is missing."""
        done = {
            key
            for key, sample in self.record().samples.items()
            if sample.error is None or sample.error.kind != "infrastructure"
        }
        return [
            Job(self.plan.run_id, self.version, case, index, self.plan.seed)
            for index in range(self.plan.samples)
            for case in self.plan.cases
            if (case.id, index) not in done
        ]


class Evaluation:
    """Carries out evaluations in one project's store."""

    def __init__(
        self,
        project: Project,
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        target: Target = "population",
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._project = project
        self._concurrency = concurrency
        self._target: Target = target
        self._progress = progress or Silent()
        self._stop = stop or Stop()
        self._runs = RunStore.of(project)

    def run(
        self,
        arms: Sequence[Arm],
        dataset: Dataset,
        scorers: Sequence[Scorer],
        *,
        seed: int = 0,
    ) -> list[RunResult]:
        """Evaluate all arms, interleaved, and return one result for each.

        Raises:
            Interrupted: `stop` was asked for.
            LinenotesError: something that the caller can mend; what had finished is kept.
        """
        for arm in arms:
            _ = arm.version.graph  # an agent that does not build is told before anything is made
        with self._store() as publisher:
            group = secrets.token_hex(8)
            runs = [self._plan(publisher, arm, dataset, scorers, seed, group) for arm in arms]
            publisher.log_dataset([run.plan.run_id for run in runs], dataset)
            return self._carry_out(publisher, runs, scorers)

    def resume(self, name: str) -> list[RunResult]:
        """Continue the run `name`, and the runs that were started together with it.

        Raises:
            Interrupted: `stop` was asked for.
            RunError: there is no such run, or its agent has changed since.
        """
        group = self._runs.find(name).group
        plans = [plan for plan in self._runs.plans() if plan.group == group]
        runs = [
            _Planned(plan, plan.agent_version(self._project), self._journal_path(plan.run_id))
            for plan in plans
        ]
        scorers = find_scorers(plans[0].scorers, self._project)
        with self._store() as publisher:
            return self._carry_out(publisher, runs, scorers)

    @contextmanager
    def _store(self) -> Iterator[Publisher]:
        self._progress.stage("Opening the store")
        creating = partial(self._progress.stage, "Creating the store, once")
        with open_store(self._project, on_create=creating) as store:
            yield Publisher(store)

    def _journal_path(self, run_id: str) -> Path:
        return self._runs.path(run_id) / FILE_NAME

    def _plan(
        self,
        publisher: Publisher,
        arm: Arm,
        dataset: Dataset,
        scorers: Sequence[Scorer],
        seed: int,
        group: str,
    ) -> _Planned:
        registry = PromptRegistry(self._project.tracking_uri)
        numbers = {name: registry.register(p) for name, p in arm.version.prompts.items()}
        model_id = publisher.log_version(arm.version)
        plan = RunPlan.of(
            arm.version,
            dataset,
            run_id=publisher.start_run(
                arm.version, group=group, numbers=numbers, model_id=model_id
            ),
            group=group,
            model_id=model_id,
            prompt_numbers=numbers,
            samples=arm.samples,
            baseline=arm.baseline,
            seed=seed,
            scorers={scorer.name: scorer.spec for scorer in scorers},
        )
        Journal.create(self._runs.path(plan.run_id), plan).close()
        return _Planned(plan, arm.version, self._journal_path(plan.run_id))

    def _carry_out(
        self, publisher: Publisher, runs: Sequence[_Planned], scorers: Sequence[Scorer]
    ) -> list[RunResult]:
        with ExitStack() as stack:
            journals = {run.plan.run_id: stack.enter_context(Journal(run.journal)) for run in runs}
            try:
                self._execute(runs, journals)
            except BaseException:
                for run in runs:
                    publisher.mark_stopped(run.plan.run_id)
                raise
            for run in runs:
                self._score(run, journals[run.plan.run_id], scorers)
        return self._publish(publisher, runs)

    def _execute(self, runs: Sequence[_Planned], journals: Mapping[str, Journal]) -> None:
        missing = [run.missing() for run in runs]
        if not any(missing):
            return
        self._progress.stage("Running", total=sum(map(len, missing)))

        def on_start(job: Job) -> None:
            journals[job.run_id].started(job.case.id, job.index)

        def on_finish(job: Job, sample: Sample) -> None:
            journals[job.run_id].finished(sample)
            self._progress.advance(sample)

        async def all_of_them() -> None:
            # Graphs that are not async run in threads, as many as are asked for.
            executor = ThreadPoolExecutor(max_workers=max(32, 2 * self._concurrency))
            asyncio.get_running_loop().set_default_executor(executor)
            await execute(
                interleave(missing),
                concurrency=self._concurrency,
                on_start=on_start,
                on_finish=on_finish,
                stop=self._stop,
            )

        began = time.monotonic()
        try:
            asyncio.run(all_of_them())
        finally:
            for journal in journals.values():
                journal.worked(seconds=time.monotonic() - began)
        if self._stop.asked:
            raise Interrupted(_how_to_continue(runs))

    def _score(self, run: _Planned, journal: Journal, scorers: Sequence[Scorer]) -> None:
        record = run.record()
        unscored = [s for key, s in record.samples.items() if key not in record.scores]
        self._progress.stage(f"Scoring {run.plan.version}", total=len(unscored))

        async def score(sample: Sample, gate: asyncio.Semaphore) -> None:
            async with gate:
                journal.scored(sample, await score_sample(sample, scorers))
                self._progress.advance()

        async def all_of_them() -> None:
            gate = asyncio.Semaphore(self._concurrency)
            await asyncio.gather(*(score(sample, gate) for sample in unscored))

        asyncio.run(all_of_them())

    def _publish(self, publisher: Publisher, runs: Sequence[_Planned]) -> list[RunResult]:
        records = [run.record() for run in runs]
        self._progress.stage(
            "Publishing to MLflow", total=sum(len(record.samples) for record in records)
        )
        results = []
        for record in records:
            estimates = estimate_all(record, self._target)
            note = run_note(record, estimates)
            stored = publisher.publish(record, estimates, note=note, progress=self._progress)
            results.append(RunResult(record, estimates, stored))
        return results


def _how_to_continue(runs: Sequence[_Planned]) -> str:
    kept = sum(len(run.record().samples) for run in runs)
    wanted = sum(len(run.plan.cases) * run.plan.samples for run in runs)
    return (
        f"Stopped: {kept} of {wanted} samples are kept. "
        f"Continue with `linenotes eval --resume {runs[0].plan.run_id[:12]}`."
    )
