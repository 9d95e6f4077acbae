"""An evaluation: versions of agents against a dataset, several samples each case.

Plan, execute, score, publish, estimate. Each step works from the journal, so an evaluation that
stopped anywhere is continued by doing the same again: what the journal holds is not redone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from linenotes.agents import AgentVersion, VersionCard
from linenotes.datasets import Dataset
from linenotes.evals._repeats import repeats
from linenotes.evals._report import run_note
from linenotes.evals._results import RunResult, estimate_all
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._early_publishing import EarlyPublishing
from linenotes.evals.engine._engine import Job, Stop, execute, interleave
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._ongoing import OngoingRun, timed
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.engine._recorded_runs import RecordedRuns, keys_for_replay
from linenotes.evals.engine._scoring import Scoring
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Sample, SampleKey
from linenotes.evals.publishing._publisher import NOTHING_WRITTEN, Publisher, SampleRow
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import Project, RunError, StoreError
from linenotes.tracing import RecordingPolicy, discard_live, exporting, open_store

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


class Interrupted(RunError):  # noqa: N818  it is no error of anybody's
    """The evaluation was asked to stop. What had finished is kept and can be continued."""


@dataclass(frozen=True)
class Arm:
    """One version in an evaluation, and how many samples of each case it gets."""

    version: AgentVersion
    samples: int
    baseline: bool = False
    """True for the thing to beat, which every evaluation of the agent also runs."""


class Evaluation:
    """Carries out evaluations in one project's store."""

    def __init__(
        self,
        project: Project,
        conduct: Conduct = Conduct(),  # noqa: B008  it is immutable
        *,
        target: Target = "population",
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._project = project
        self._redactor = project.redactor
        self._conduct = conduct
        self._target: Target = target
        self._progress = progress or Silent()
        self._stop = stop or Stop()
        self._runs = RunStore.of(project)
        self._recorded = RecordedRuns(project, conduct.recordings)

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
        with keys_for_replay(self._project, self._conduct.recordings):
            return self._run(arms, dataset, scorers, seed=seed)

    def _run(
        self, arms: Sequence[Arm], dataset: Dataset, scorers: Sequence[Scorer], *, seed: int
    ) -> list[RunResult]:
        for arm in arms:
            if arm.samples < 1:
                raise RunError(f"Each case needs at least 1 sample, not {arm.samples}.")
            _ = arm.version.graph  # an agent that does not build is told before anything is made
        with self._redactor.in_force(), self._store() as publisher, ExitStack() as journals:
            group = secrets.token_hex(8)
            runs = []
            for arm in arms:
                run = self._begin(publisher, arm, dataset, scorers, seed=seed, group=group)
                journals.enter_context(run.journal)
                runs.append(run)
            return self._carry_out(publisher, runs, scorers)

    def resume(self, name: str) -> list[RunResult]:
        """Continue the run `name`, and the runs that were started together with it.

        What is whole is only published again: that needs neither the agent nor the scorers.

        Raises:
            Interrupted: `stop` was asked for.
            RunError: there is no such run, or its agent has changed since.
        """
        group = self._runs.find(name).group
        plans = [plan for plan in self._runs.plans() if plan.group == group]
        with self._redactor.in_force(), ExitStack() as journals:
            runs = [
                OngoingRun(journals.enter_context(self._runs.open(plan)), self._project)
                for plan in plans
            ]
            unfinished = [run for run in runs if run.missing() or run.unscored()]
            scorers = find_scorers(plans[0].scorers, self._project) if unfinished else []
            policy = self._conduct.recordings or plans[0].recordings
            with keys_for_replay(self._project, policy), self._store() as publisher:
                return self._carry_out(publisher, runs, scorers)

    def publish(self, name: str) -> RunResult:
        """Write to the store what it lacks of the run `name`, from its journal alone.

        Raises:
            RunError: there is no such run.
            StoreError: the store does not take it.
        """
        record = self._runs.read(name)
        with self._redactor.in_force(), self._store() as publisher:
            return self._publish(publisher, [record])[0]

    @contextmanager
    def _store(self) -> Iterator[Publisher]:
        self._progress.stage("Opening the store")
        creating = partial(self._progress.stage, "Creating the store, once")
        with open_store(self._project, on_create=creating) as store:
            yield Publisher(store)

    def _begin(
        self,
        publisher: Publisher,
        arm: Arm,
        dataset: Dataset,
        scorers: Sequence[Scorer],
        *,
        seed: int,
        group: str,
    ) -> OngoingRun:
        numbers = publisher.register_prompts(arm.version)
        card = VersionCard.of(arm.version)
        model_id = publisher.log_version(card)
        run_id = publisher.start_run(card, dataset, group=group, numbers=numbers, model_id=model_id)
        plan = RunPlan.of(
            arm.version,
            dataset,
            run_id=run_id,
            group=group,
            model_id=model_id,
            prompt_numbers=numbers,
            samples=arm.samples,
            baseline=arm.baseline,
            seed=seed,
            scorers={scorer.name: scorer.spec for scorer in scorers},
            recordings=self._conduct.recordings or RecordingPolicy.of(self._project),
        )
        journal = Journal.create(self._runs.path(run_id), plan)
        return OngoingRun(journal, self._project, arm.version, dataset.cases)

    def _carry_out(
        self, publisher: Publisher, runs: Sequence[OngoingRun], scorers: Sequence[Scorer]
    ) -> list[RunResult]:
        with exporting(self._project) as export:
            publishing = EarlyPublishing(publisher)
            with self._shown_as_stopped(publisher, runs), publishing:
                scoring = Scoring(scorers, export, publishing)
                self._execute(runs, scoring)
                self._stop_if_asked(runs)
                for run in runs:
                    self._score_rest(run, scoring)
                self._stop_if_asked(runs)
                self._progress.stage("Publishing to MLflow")
            results = self._publish(publisher, [run.journal.record for run in runs], publishing)
            return [
                replace(found, recordings=self._recorded.use(found.record.plan.run_id))
                for found in results
            ]

    @contextmanager
    def _shown_as_stopped(self, publisher: Publisher, runs: Sequence[OngoingRun]) -> Iterator[None]:
        """Show in MLflow that runs were stopped, when the block does not come to its end."""
        try:
            yield
        except BaseException as error:
            for run in runs:
                publisher.mark_stopped(run.plan.run_id)
            if isinstance(error, KeyboardInterrupt) and self._stop.asked:
                # Who asked to stop does not want to wait for what is in flight.
                raise Interrupted(_how_to_continue(runs)) from None
            raise

    def _stop_if_asked(self, runs: Sequence[OngoingRun]) -> None:
        if self._stop.asked:
            raise Interrupted(_how_to_continue(runs))

    def _execute(self, runs: Sequence[OngoingRun], scoring: Scoring) -> None:
        missing = [run.missing() for run in runs]
        if not any(missing):
            return
        by_id = {run.plan.run_id: run for run in runs}
        self._progress.stage("Running", total=sum(map(len, missing)))

        def on_start(job: Job) -> None:
            by_id[job.run_id].journal.started(job.shown_case.id, job.index)

        async def on_finish(job: Job, sample: Sample) -> None:
            run = by_id[job.run_id]
            run.journal.finished(sample)
            discard_live(self._project, sample.trace.trace_id)
            await scoring.of(sample, run)
            self._progress.advance(sample)

        with timed([run.journal for run in runs]), self._recorded:
            jobs = [self._recorded.jobs(run, own) for run, own in zip(runs, missing, strict=True)]
            work = execute(
                interleave(jobs),
                concurrency=self._conduct.concurrency,
                on_start=on_start,
                on_finish=on_finish,
                stop=self._stop,
            )
            # A graph that is not async waits in a thread, and so may its parallel nodes.
            complete(work, threads=max(32, 2 * self._conduct.concurrency))

    def _score_rest(self, run: OngoingRun, scoring: Scoring) -> None:
        """Score what had finished before an earlier process got to score it."""
        samples, keys = run.journal.record.samples, run.unscored()
        if not keys:
            return
        unscored = iter(keys)
        self._progress.stage(f"Scoring {run.plan.version}", total=len(keys))

        async def worker() -> None:
            for key in unscored:
                if self._stop.asked:
                    return
                await scoring.of(samples[key], run)
                self._progress.advance()

        async def all_of_them() -> None:
            await asyncio.gather(*(worker() for _ in range(self._conduct.concurrency)))

        complete(all_of_them(), threads=self._conduct.concurrency)

    def _publish(
        self,
        publisher: Publisher,
        records: Sequence[RunRecord],
        early: EarlyPublishing | None = None,
    ) -> list[RunResult]:
        written = [early.rows(record) if early else NOTHING_WRITTEN for record in records]
        total = sum(len(record.outcomes) for record in records)
        lacking = total - sum(map(len, written))
        self._progress.stage("Publishing to MLflow", total=lacking or None)
        try:
            return [
                publish_run(
                    publisher, record, written=rows, target=self._target, progress=self._progress
                )
                for record, rows in zip(records, written, strict=True)
            ]
        except StoreError as error:
            publish = " and ".join(f"`linenotes publish {r.plan.run_id[:12]}`" for r in records)
            raise StoreError(
                f"{error} All {total} samples are kept in the journal: {publish} stores them "
                "without running the agent again."
            ) from error


def publish_run(
    publisher: Publisher,
    record: RunRecord,
    *,
    written: Mapping[SampleKey, SampleRow] = NOTHING_WRITTEN,
    target: Target,
    progress: Progress,
) -> RunResult:
    """Write what the store lacks of a whole run to MLflow, and return what was measured.

    Raises:
        StoreError: the store does not take it.
    """
    estimates = estimate_all(record, target)
    repeated = repeats(record)
    note = run_note(record, estimates, repeated)
    stored = publisher.publish(
        record, estimates, repeated, note=note, written=written, progress=progress
    )
    return RunResult(record, estimates, stored, repeated)


def _how_to_continue(runs: Sequence[OngoingRun]) -> str:
    kept = sum(len(run.journal.record.outcomes) for run in runs)
    wanted = sum(len(run.plan.cases) * run.plan.samples for run in runs)
    return (
        f"Stopped: {kept} of {wanted} samples are kept. "
        f"Continue with `linenotes eval --resume {runs[0].plan.run_id[:12]}`."
    )
