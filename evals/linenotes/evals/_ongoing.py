"""A run on its way: what its journal lacks, and the version and scorers that fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals.engine._engine import Job
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import IMPORTED, RunPlan
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import Project


@dataclass(frozen=True)
class OngoingRun:
    """One run of an evaluation, with its journal open."""

    journal: Journal
    project: Project
    started_with: AgentVersion | None = None
    """None for a run that is continued: its plan says what it executes."""
    started_on: tuple[Case, ...] | None = None
    """The cases; None for a run that is continued."""
    judged_by: Sequence[Scorer] | None = None
    """The scorers; None for a run that is continued."""

    @property
    def plan(self) -> RunPlan:
        """What the run sets out to do."""
        return self.journal.plan

    @cached_property
    def version(self) -> AgentVersion:
        """The version that the run executes.

        Raises:
            RunError: the agent is no longer what the run was started with.
        """
        return self.started_with or self.plan.agent_version(self.project)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The cases as the agent gets them, in the order of the plan's redacted ones.

        Raises:
            RunError: they cannot be had again.
        """
        return self.started_on or self.plan.whole_cases(self.project)

    @cached_property
    def scorers(self) -> Sequence[Scorer]:
        """What judges the samples; what a file said of them, nobody says again.

        Raises:
            ScorerError: one of them is no longer there.
        """
        if self.judged_by is not None:
            return self.judged_by
        return self._found(self.plan.metrics)

    def readers_of(self, scorers: Sequence[Scorer]) -> Sequence[Scorer]:
        """Return the run's scorers that read what these say, and are none of them.

        Raises:
            ScorerError: one of them is no longer there.
        """
        new = {metric for scorer in scorers for metric in scorer.metrics}
        reads = self.plan.reads.items()
        return self._found([name for name, read in reads if name not in new and new & {*read}])

    def _found(self, metrics: Sequence[str]) -> Sequence[Scorer]:
        """Return the scorers that give these metrics of the run."""
        given = dict(zip(self.plan.metrics, self.plan.scorers, strict=True))
        specs = dict.fromkeys(given[name] for name in metrics)
        own = [spec for spec in specs if not spec.startswith(IMPORTED)]
        return find_scorers(own, self.project, beside=self.plan.metrics) if own else ()

    def missing(self, *, retry_errors: bool = False) -> list[Job]:
        """Return the samples that the journal lacks.

        Args:
            retry_errors: what the infrastructure failed is missing, too.

        Raises:
            RunError: the run was imported and is not whole, so nobody here can fill it in.
        """
        record = self.journal.record
        if self.plan.imported is not None and record.is_whole:
            return []
        done = record.outcomes.keys() - (record.lost if retry_errors else ())
        wanted = [
            (place, index)
            for index in range(self.plan.samples)
            for place, case in enumerate(self.plan.cases)
            if (case.id, index) not in done
        ]
        return [
            Job(self.plan.run_id, self.version, self.cases[place], index, self.plan.seed)
            for place, index in wanted
        ]

    def unscored(self) -> list[SampleKey]:
        """Return the finished samples that no scorer has seen."""
        record = self.journal.record
        return [key for key in record.outcomes if key not in record.scores]
