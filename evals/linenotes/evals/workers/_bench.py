"""The worker's side: what it was told to make, and the samples that it executes with it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals.engine._engine import Job, run_sample
from linenotes.evals.engine._recorded_runs import RecordedRuns
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.workers._messages import (
    Order,
    defect_line,
    finished_line,
    raised_line,
    read_job_line,
)
from linenotes.project import LinenotesError, Project
from linenotes.tracing import Library, recordings_in_use


@dataclass(frozen=True)
class _Run:
    """One run as a worker knows it."""

    version: AgentVersion
    cases: Mapping[str, Case]
    seed: int
    recordings: Library | None

    @classmethod
    def of(cls, plan: RunPlan, project: Project, recorded: RecordedRuns) -> Self:
        cases = {case.id: case for case in plan.whole_cases(project)}
        return cls(plan.agent_version(project), cases, plan.seed, recorded.library(plan))


@dataclass(frozen=True)
class Bench:
    """Executes the samples of some runs, in this process."""

    project: Project
    runs: Mapping[str, _Run]
    durable: bool
    time_limit: float | None
    """Seconds that a sample may take."""

    @classmethod
    def of(cls, order: Order) -> Self:
        """Return a bench with all that the order names made and ready.

        Raises:
            LinenotesError: an agent or its cases cannot be had here.
        """
        project = Project(order.root or Path.cwd(), order.settings)
        with project.redactor.in_force():
            recorded = RecordedRuns(project, order.conduct.recordings)
            plans = [_with_share(plan, order.conduct.workers) for plan in order.plans]
            runs = {plan.run_id: _Run.of(plan, project, recorded) for plan in plans}
        return cls(project, runs, order.durable, order.conduct.sample_timeout)

    async def work(self, line: bytes) -> bytes:
        """Execute the sample that `line` names, and return the answer."""
        try:
            with self.project.redactor.in_force(), recordings_in_use():
                sample = await run_sample(
                    self._job(line), durable=self.durable, time_limit=self.time_limit
                )
                return finished_line(sample)
        except LinenotesError as error:
            return raised_line(error)
        except Exception:  # noqa: BLE001  the driver raises it again
            return defect_line(traceback.format_exc())

    def _job(self, line: bytes) -> Job:
        wanted = read_job_line(line)
        run = self.runs[wanted.run_id]
        case = run.cases[wanted.case]
        return Job(wanted.run_id, run.version, case, wanted.index, run.seed, run.recordings)


def _with_share(plan: RunPlan, workers: int) -> RunPlan:
    """Return the plan with a worker's share of the requests that endpoints may get at a time."""
    models = {
        role: model.model_copy(update={"max_in_flight": max(1, model.max_in_flight // workers)})
        if model.max_in_flight
        else model
        for role, model in plan.models.items()
    }
    return plan.model_copy(update={"models": models})
