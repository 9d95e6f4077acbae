"""The runs of a project: one folder each under its state folder, newest last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import (
    FILE_NAME,
    RunRecord,
    has_finished,
    read_journal,
    read_plan,
)
from linenotes.project import Project, RunError

_LATEST = re.compile(r"latest(?:~(\d+))?")


@dataclass(frozen=True)
class RunStore:
    """Finds the runs that a project's state folder holds."""

    folder: Path

    @classmethod
    def of(cls, project: Project) -> RunStore:
        """Return the runs of `project`."""
        return cls(project.runs)

    def plans(self) -> list[RunPlan]:
        """Return the plans of all runs, oldest first. Folders without a plan are left out.

        They are as the runs were started: what was changed later stands in their records.
        """
        found = (read_plan(path) for path in self.folder.glob(f"*/{FILE_NAME}"))
        plans = (plan for plan in found if plan is not None)
        return sorted(plans, key=lambda plan: (plan.sequence, plan.created))

    def next_sequence(self) -> int:
        """Return the sequence number of a run that starts now."""
        return max((plan.sequence for plan in self.plans()), default=0) + 1

    def path(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.folder / run_id

    def open(self, plan: RunPlan) -> Journal:
        """Open the journal of a run, to continue it.

        Raises:
            RunError: it cannot be written, or another process writes it.
        """
        return Journal(self.path(plan.run_id) / FILE_NAME)

    def find(self, name: str) -> RunPlan:
        """Return the run that `name` means: an id, a unique prefix, `latest` or `latest~N`.

        `latest` is the newest run of which a sample has finished: others have nothing to show.

        Raises:
            RunError: there is none, or more than one.
        """
        back = _counted_back(name)
        if back is None:
            return self._named(name)
        plans = self.plans()
        measured = (plan for plan in reversed(plans) if self._is_measured(plan))
        found = next(islice(measured, back, None), None)
        if found is None:
            raise RunError(f"There is no run {name!r}. {self._listing(plans)}")
        return found

    def find_begun(self, name: str) -> RunPlan:
        """Return the run that `name` means; here `latest` also is one of which nothing finished.

        Raises:
            RunError: there is none, or more than one.
        """
        back = _counted_back(name)
        if back is None:
            return self._named(name)
        plans = self.plans()
        if back >= len(plans):
            raise RunError(f"There is no run {name!r}. {self._listing(plans)}")
        return plans[-1 - back]

    def _named(self, name: str) -> RunPlan:
        plans = self.plans()
        matching = [plan for plan in plans if plan.run_id.startswith(name)] if name else []
        if len(matching) == 1:
            return matching[0]
        if matching:
            ids = ", ".join(plan.run_id[:12] for plan in matching[:4])
            raise RunError(f"Run {name!r} could be {ids}. Give more of the id.")
        raise RunError(f"There is no run {name!r} in {self.folder}. {self._listing(plans)}")

    def _is_measured(self, plan: RunPlan) -> bool:
        return has_finished(self.path(plan.run_id) / FILE_NAME)

    def _listing(self, plans: Sequence[RunPlan]) -> str:
        if not plans:
            return "There are no runs yet: `linenotes eval AGENT` makes one."
        newest = [
            f"{plan.run_id[:12]} ({plan.agent} {plan.version}"
            f"{'' if self._is_measured(plan) else ', no sample finished'})"
            for plan in plans[-3:]
        ]
        return f"The newest of {len(plans)} are {', '.join(newest)}."

    def read(self, name: str) -> RunRecord:
        """Return all that the run's journal holds.

        Raises:
            RunError: there is no such run, or its journal cannot be read.
        """
        return read_journal(self.path(self.find(name).run_id) / FILE_NAME)


def _counted_back(name: str) -> int | None:
    """Return how many runs before the latest one `name` means; None of an id."""
    latest = _LATEST.fullmatch(name)
    return int(latest[1] or 0) if latest else None
