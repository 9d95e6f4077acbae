"""A session of work on runs: it executes what they lack, and keeps and scores what finishes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from linenotes.evals._ongoing import OngoingRun
from linenotes.evals._scoring import Scoring
from linenotes.evals._used_up import spent_by, used_up
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._engine import Job, execute, interleave
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._garbage import settled_objects_spared
from linenotes.evals.engine._metered_sample import Unfinished
from linenotes.evals.engine._progress import Progress
from linenotes.evals.engine._purse import Purse
from linenotes.evals.engine._recorded_runs import RecordedRuns
from linenotes.evals.engine._stop import Stop
from linenotes.evals.engine._stopwatch import Stopwatch
from linenotes.evals.engine._time_limit import OutOfTimeError
from linenotes.evals.journal._samples import Sample
from linenotes.evals.workers._executors import executor
from linenotes.project import Project, RunError
from linenotes.tracing import discard_live, trace_id_for


@dataclass(frozen=True)
class Session:
    """Works once on runs that belong together; a run that is continued has several sessions."""

    runs: Sequence[OngoingRun]
    project: Project
    conduct: Conduct
    recorded: RecordedRuns
    scoring: Scoring
    progress: Progress
    stop: Stop

    def execute(self, jobs: Sequence[Sequence[Job]]) -> None:
        """Execute the jobs of each run, all runs interleaved.

        Raises:
            BudgetUsedUp: the budget did not do for all of them.
            LinenotesError: what every sample would meet; what had finished is kept.
        """
        if not any(jobs):
            return
        with self.recorded:
            recorded = [
                self.recorded.jobs(run.plan, own) for run, own in zip(self.runs, jobs, strict=True)
            ]
            complete(self._execute(recorded), threads=self.conduct.threads)
        if self._purse.exhausted and any(run.missing() for run in self.runs):
            raise used_up(self.runs, self._purse, self._purse.exhausted)

    async def _execute(self, jobs: Sequence[Sequence[Job]]) -> None:
        plans, purse = [run.plan for run in self.runs], self._purse
        async with executor(
            self.conduct, self.project, plans, purse, self.progress, self._given_up
        ) as run:
            self.progress.stage("Running", total=sum(map(len, jobs)))
            self.progress.spent(purse.spent, purse.budget)
            with self._stopwatch, settled_objects_spared():
                await execute(
                    interleave(jobs),
                    run=run,
                    concurrency=self.conduct.concurrency,
                    on_start=self._started,
                    on_finish=self._finished,
                    on_cut_off=self._cut_off,
                    stop=self.stop,
                    purse=purse,
                    retries=self.conduct.sample_retries,
                )

    def _started(self, job: Job) -> None:
        self._by_id[job.run_id].journal.started(job.shown_case.id, job.index)

    async def _finished(self, job: Job, sample: Sample) -> None:
        run = self._by_id[job.run_id]
        run.journal.finished(sample)
        discard_live(self.project, sample.trace.trace_id)
        if job.recordings and _came_to_its_end(sample) and not self.conduct.is_sharded:
            job.recordings.note_executed(sample.case.id, sample.index)
        await self.scoring.of(sample, run)
        self._stopwatch.lap()
        self.progress.spent(spent_by(self.runs), self._purse.budget)
        self.progress.advance(sample)

    def _cut_off(self, job: Job, sample: Unfinished) -> None:
        self._by_id[job.run_id].journal.cut_off(job.shown_case.id, job.index, sample.spent)
        discard_live(self.project, trace_id_for(job.run_id, job.case.id, job.index))

    def _given_up(self, job: Job, sample: Unfinished) -> None:
        # The reason for giving up may be the journal itself, and must not be hidden by this.
        with suppress(RunError):
            self._by_id[job.run_id].journal.cut_off(job.shown_case.id, job.index, sample.spent)

    @cached_property
    def _by_id(self) -> dict[str, OngoingRun]:
        return {run.plan.run_id: run for run in self.runs}

    @cached_property
    def _stopwatch(self) -> Stopwatch:
        return Stopwatch([run.journal for run in self.runs])

    @cached_property
    def _purse(self) -> Purse:
        """What is left of the budget after earlier sessions; versions run side by side."""
        seconds = max(run.journal.record.wall_seconds for run in self.runs)
        return Purse(self.conduct.budget, spent_by(self.runs), seconds=seconds)


def _came_to_its_end(sample: Sample) -> bool:
    """Tell whether a sample asked for all that it would ask for."""
    error = sample.error
    return error is None or (error.kind == "agent" and error.type != OutOfTimeError.__name__)
