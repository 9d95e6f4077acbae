"""What gates of agents and of runs share: what is asked for, and how the end is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import click
from click.core import ParameterSource

from linenotes.cli._console import console, print_json
from linenotes.cli._evaluations import show_run
from linenotes.cli._ledgers import printable
from linenotes.evals import (
    Conclusion,
    Gate,
    Quarantine,
    RunResult,
    find_baseline,
    quarantined,
    save_baseline,
    saved_document,
)
from linenotes.project import Project


@dataclass(frozen=True)
class Asked:
    """What must hold, and what follows, of an agent or of a run."""

    gate: Gate
    save_as: str | None
    promote_to: str | None
    allow_changed_cases: bool
    as_json: bool


def is_first(project: Project, asked: Asked, *, agent: str, dataset: str) -> bool:
    """Say whether there is nothing to compare with yet, and nobody has named anything."""
    source = click.get_current_context().get_parameter_source("baseline")
    if source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return False
    return find_baseline(project, asked.gate.baseline, agent=agent, dataset=dataset) is None


def todays_quarantine(project: Project, dataset: str) -> Quarantine:
    """Return what is in quarantine of a dataset.

    Raises:
        ProjectError: the file is not valid.
    """
    return quarantined(project, dataset, datetime.now().astimezone().date())


def finish(found: Conclusion, asked: Asked) -> int:
    """Show what a gate said and what followed; return its exit code.

    Raises:
        LinenotesError: it passed, and what was to follow did not.
    """
    if asked.as_json:
        print_json(found.document())
    else:
        out = console()
        for line in found.lines():
            out.print(printable(line))
    if found.problem is not None:
        raise found.problem
    return found.result.decision.exit_code


def save_result(
    project: Project, result: RunResult, name: str, asked: Asked, *, executed: bool = True
) -> int:
    """Save what was measured, now or before, as the first baseline; return the exit code."""
    if not result.scored:
        return show_run(result, as_json=asked.as_json)
    if asked.as_json:
        path = save_baseline(project, result.record, name)
        target = asked.gate.target
        print_json(saved_document(result, path=path, target=target, executed=executed))
        return 0
    code = show_run(result, as_json=False)
    path = save_baseline(project, result.record, name)
    console().print(printable(f"Saved as a baseline, to be committed: {path}"), soft_wrap=True)
    return code
