"""An evaluation: versions of agents against a dataset, several samples each case.

Plan, execute, score, publish, estimate. Each step works from the journal, so an evaluation that
stopped anywhere is continued by doing the same again: what the journal holds is not redone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals._continuing import rescoring, top_up, what_is_there, withdraw_edited
from linenotes.evals._ongoing import OngoingRun
from linenotes.evals._results import RunResult
from linenotes.evals._scoring import Scoring
from linenotes.evals._session import Session
from linenotes.evals._storing import Storing
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._engine import Job
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.engine._recorded_runs import RecordedRuns, keys_for_replay
from linenotes.evals.engine._stop import Stop
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.publishing._early_publishing import EarlyPublishing
from linenotes.evals.publishing._publisher import Publisher
from linenotes.evals.scorers._scorers import Scorer, as_planned
from linenotes.evals.workers._executors import refuse_unnamed, refuse_unshared
from linenotes.project import Project, RunError
from linenotes.tracing import RecordingPolicy, exporting

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


NextSweep = Callable[[Sequence[RunRecord]], int | None]
"""Asked before each sweep over the cases, with what each run has measured so far: how many samples
each case is to have by its end. None ends the evaluation."""


class Interrupted(RunError):  # noqa: N818  it is no error of anybody's
    """The evaluation was asked to stop. What had finished is kept and can be continued."""


@dataclass(frozen=True)
class Arm:
    """One version in an evaluation, and how many samples of each case it gets."""

    version: AgentVersion
    samples: int
    baseline: bool = False
    """True for the thing to beat, which every evaluation of the agent also runs."""
    dataset: Dataset | None = None
    """Cases of its own; None stands for those of the evaluation."""


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
        self._progress = progress or Silent()
        self._storing = Storing(project, target, self._progress)
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
        next_sweep: NextSweep | None = None,
    ) -> list[RunResult]:
        """Evaluate all arms, interleaved, and return one result for each.

        With `next_sweep` it may end before or after the arms have their samples.

        Raises:
            Interrupted: `stop` was asked for.
            NotPublished: the store could not be reached, now or in the end.
            LinenotesError: something that the caller can mend; what had finished is kept.
        """
        with keys_for_replay(self._project, self._conduct.recordings):
            return self._run(arms, dataset, scorers, seed=seed, next_sweep=next_sweep)

    def _run(
        self,
        arms: Sequence[Arm],
        dataset: Dataset,
        scorers: Sequence[Scorer],
        *,
        seed: int,
        next_sweep: NextSweep | None,
    ) -> list[RunResult]:
        for arm in arms:
            if arm.samples < 1:
                raise RunError(f"Each case needs at least 1 sample, not {arm.samples}.")
            _ = arm.version.graph  # an agent that does not build is told before anything is made
            if self._conduct.is_sharded:
                refuse_unnamed(arm.version)
        policy = self._conduct.recordings or RecordingPolicy.of(self._project)
        refuse_unshared(self._conduct, policy, [arm.version.agent.name for arm in arms])
        with (
            self._redactor.in_force(),
            self._storing.opened_if_up() as publisher,
            ExitStack() as journals,
        ):
            wanted = self._plans(arms, dataset, scorers, seed=seed)
            plans = self._storing.begin(publisher, wanted)
            runs = []
            for arm, plan in zip(arms, plans, strict=True):
                journal = Journal.create(self._runs.path(plan.run_id), plan)
                journals.enter_context(journal)
                cases = (arm.dataset or dataset).cases
                started = OngoingRun(journal, self._project, arm.version, cases, scorers)
                runs.append(started)
            return self._carry_out(publisher, runs, [run.missing() for run in runs], next_sweep)

    def resume(
        self,
        name: str,
        *,
        samples: int | None = None,
        growing: Collection[str] | None = None,
        retry_errors: bool = False,
        next_sweep: NextSweep | None = None,
    ) -> list[RunResult]:
        """Continue the run `name`, and the runs that were started together with it.

        What is whole is only published again: that needs neither the agent nor the scorers.

        Args:
            name: the run.
            samples: how many samples each case is to have from now on; a baseline keeps its one.
            growing: the ids of the runs that get them; None stands for all.
            retry_errors: execute again what the infrastructure failed.
            next_sweep: says after each sweep over the cases how many more samples there are to be.

        Raises:
            Interrupted: `stop` was asked for.
            NotPublished: the store lacks some of it.
            RunError: there is no such run, its agent has changed since, or it has more samples.
        """
        group = self._runs.find_begun(name).group
        plans = [plan for plan in self._runs.plans() if plan.group == group]
        policy = self._conduct.recordings or plans[0].recordings
        refuse_unshared(self._conduct, policy, [plan.agent for plan in plans])
        with self._redactor.in_force(), ExitStack() as journals:
            runs = [
                OngoingRun(journals.enter_context(self._runs.open(plan)), self._project)
                for plan in plans
            ]
            if samples is not None:
                top_up([r for r in runs if growing is None or r.plan.run_id in growing], samples)
            jobs = [run.missing(retry_errors=retry_errors) for run in runs]
            for run, missing in zip(runs, jobs, strict=True):
                for line in what_is_there(run.journal, missing):
                    self._progress.note(line)
                if missing or run.unscored() or next_sweep is not None:
                    # A scorer that is gone is told before anything is run.
                    for line in withdraw_edited(run):
                        self._progress.note(line)
            with (
                keys_for_replay(self._project, policy),
                self._storing.opened_if_up() as publisher,
            ):
                return self._carry_out(publisher, runs, jobs, next_sweep)

    def score(self, name: str, scorers: Sequence[Scorer] = (), *, add: bool = False) -> RunResult:
        """Score the finished samples of the run `name` again, without calling its agent.

        Args:
            name: the run.
            scorers: what its metrics are from now on; none stands for those that it has. What a
                file said of an imported run stays.
            add: keep the run's other metrics and their scores.

        Raises:
            Interrupted: `stop` was asked for.
            NotPublished: the store lacks some of it.
            RunError: there is no such run, or it has no scorers of its own.
        """
        with self._redactor.in_force(), self._runs.open(self._runs.find(name)) as journal:
            for line in what_is_there(journal, []):
                self._progress.note(line)
            own = OngoingRun(journal, self._project)
            wanted = scorers or own.scorers
            wanted = (*wanted, *own.readers_of(wanted)) if add else wanted
            journal.amended(rescoring(journal.plan, wanted, add=add))
            run = replace(own, judged_by=wanted)
            with self._storing.opened_if_up() as publisher:
                return self._carry_out(publisher, [run], [[]])[0]

    def publish(self, name: str) -> RunResult:
        """Write to the store what it lacks of the run `name`, from its journal alone.

        Raises:
            RunError: there is no such run.
            StoreError: the store does not take it.
        """
        record = self._runs.read(name)
        with self._redactor.in_force(), self._storing.opened() as publisher:
            return self._storing.publish(publisher, [record])[0]

    def _plans(
        self, arms: Sequence[Arm], dataset: Dataset, scorers: Sequence[Scorer], *, seed: int
    ) -> list[RunPlan]:
        group, sequence = secrets.token_hex(8), self._runs.next_sequence()
        return [
            RunPlan.of(
                arm.version,
                arm.dataset or dataset,
                group=group,
                sequence=sequence + place,
                samples=arm.samples,
                baseline=arm.baseline,
                seed=seed,
                recordings=self._conduct.recordings or RecordingPolicy.of(self._project),
                **as_planned(scorers),
            )
            for place, arm in enumerate(arms)
        ]

    def _carry_out(
        self,
        publisher: Publisher | None,
        runs: Sequence[OngoingRun],
        jobs: Sequence[Sequence[Job]],
        next_sweep: NextSweep | None = None,
    ) -> list[RunResult]:
        with exporting(self._project) as export:
            publishing = EarlyPublishing(publisher)
            with self._shown_as_stopped(publisher, runs), publishing:
                scoring = Scoring(export, publishing)
                if next_sweep is None:
                    self._sweep(runs, jobs, scoring)
                else:
                    self._sweeps(runs, scoring, next_sweep)
                if publisher is not None:
                    self._progress.stage("Publishing to MLflow")
            if publishing.failed:
                publisher = None  # whether a server is there again is found out soonest anew
            results = self._storing.publish(
                publisher, [run.journal.record for run in runs], publishing
            )
            if self._conduct.is_sharded:  # workers do not tell what they used
                return results
            return [
                replace(found, recordings=self._recorded.use(found.record.plan.run_id))
                for found in results
            ]

    def _sweep(
        self, runs: Sequence[OngoingRun], jobs: Sequence[Sequence[Job]], scoring: Scoring
    ) -> None:
        """Execute and score; afterwards nothing that has finished is without its scores."""
        self._session(runs, scoring).execute(jobs)
        self._stop_if_asked(runs)
        for run in runs:
            self._score_rest(run, scoring)
        self._stop_if_asked(runs)

    def _sweeps(self, runs: Sequence[OngoingRun], scoring: Scoring, next_sweep: NextSweep) -> None:
        with self._recorded:  # one use of the recordings, however many sweeps there are
            self._sweep(runs, [[] for _ in runs], scoring)
            while (samples := next_sweep([run.journal.record for run in runs])) is not None:
                top_up(runs, samples)
                self._sweep(runs, [run.missing() for run in runs], scoring)

    @contextmanager
    def _shown_as_stopped(
        self, publisher: Publisher | None, runs: Sequence[OngoingRun]
    ) -> Iterator[None]:
        """Show in MLflow that runs were stopped, when the block does not come to its end."""
        try:
            yield
        except BaseException as error:
            for run in runs:
                if publisher is not None:
                    publisher.mark_stopped(run.plan)
            if isinstance(error, KeyboardInterrupt) and self._stop.asked:
                # Who asked to stop does not want to wait for what is in flight.
                raise Interrupted(self._how_to_continue(runs)) from None
            raise

    def _stop_if_asked(self, runs: Sequence[OngoingRun]) -> None:
        if self._stop.asked:
            raise Interrupted(self._how_to_continue(runs))

    def _session(self, runs: Sequence[OngoingRun], scoring: Scoring) -> Session:
        return Session(
            runs,
            self._project,
            self._conduct,
            recorded=self._recorded,
            scoring=scoring,
            progress=self._progress,
            stop=self._stop,
        )

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

    def _how_to_continue(self, runs: Sequence[OngoingRun]) -> str:
        kept = sum(len(run.journal.record.outcomes) for run in runs)
        wanted = sum(len(run.plan.cases) * run.plan.samples for run in runs)
        return (
            f"Stopped: {kept} of {wanted} samples are kept. Continue with `linenotes eval "
            f"--resume {runs[0].plan.run_id[:12]}{self._conduct.budget.options}`."
        )
