"""A run on its way: what its journal lacks, and the version that fills it in."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals.engine._engine import Job
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._samples import SampleKey
from linenotes.project import Project, RunError


@dataclass(frozen=True)
class OngoingRun:
    """One run of an evaluation, with its journal open."""

    journal: Journal
    project: Project
    started_with: AgentVersion | None = None
    """None for a run that is continued: its plan says what it executes."""
    started_on: tuple[Case, ...] | None = None
    """The cases; None for a run that is continued."""

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

    def missing(self) -> list[Job]:
        """Return the samples that the journal lacks; what the infrastructure failed is missing.

        Raises:
            RunError: the run was imported and is not whole, so nobody here can fill it in.
        """
        if self.plan.imported is not None and self.journal.record.is_whole:
            return []
        done = {
            key
            for key, outcome in self.journal.record.outcomes.items()
            if outcome.error is None or outcome.error.kind != "infrastructure"
        }
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


@contextmanager
def timed(journals: Collection[Journal]) -> Iterator[None]:
    """Note in the journals how long the block took, however it ended."""
    began = time.monotonic()
    try:
        yield
    finally:
        # The reason for stopping may be the journal itself, and must not be hidden by this.
        with suppress(RunError):
            for journal in journals:
                journal.worked(seconds=time.monotonic() - began)
