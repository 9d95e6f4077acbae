"""`linenotes gate RUN`: a run that is there already, whoever has measured it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from linenotes.agents import load_agent
from linenotes.cli._gates import Asked, finish, is_first, save_result, todays_quarantine
from linenotes.evals import (
    RunOrder,
    RunStore,
    check_baseline_place,
    conclude,
    decide_run,
    find_stored_base,
    read_runs,
    stopped_by_a_gate,
    stored_result,
)
from linenotes.project import AgentError, Project, RunError

if TYPE_CHECKING:
    from linenotes.evals import RunPlan, RunRecord


def find_run(project: Project, name: str) -> RunRecord | None:
    """Return the run that is meant; None where `name` is an agent, which goes first.

    Raises:
        AgentError: it is neither.
    """
    try:
        load_agent(name, project)
    except AgentError as error:
        if ":" in name:
            raise
        try:
            return read_runs(RunStore.of(project), [name])[0]
        except RunError as no_run:
            raise AgentError(f"{error} As a run: {no_run}") from None
    return None


def gate_run(project: Project, record: RunRecord, asked: Asked, *, refused: Sequence[str]) -> int:
    """Gate a run by all of its samples, or save it as the first baseline; return the exit code.

    Args:
        project: where baselines and other runs are.
        record: the run.
        asked: what must hold, and what follows.
        refused: options that say nothing of a run, since nothing is executed.

    Raises:
        LinenotesError: something that the user can mend.
    """
    plan, save_as = record.plan, asked.save_as
    _refuse(plan, refused, promotes=asked.promote_to is not None)
    named = {"agent": plan.agent, "dataset": plan.dataset.name}
    if save_as is not None:
        check_baseline_place(project, save_as, **named)
    if save_as is not None and is_first(project, asked, **named):
        if told := stopped_by_a_gate(RunStore.of(project), record):
            click.echo(told, err=True)
        result = stored_result(record, asked.gate.target)
        return save_result(project, result, save_as, asked, executed=False)
    order = RunOrder(
        asked.gate,
        find_stored_base(project, asked.gate.baseline, **named),
        record,
        allow_changed_cases=asked.allow_changed_cases,
        quarantine=todays_quarantine(project, plan.dataset.name),
    )
    decided = decide_run(order, project)
    found = conclude(project, decided, save_as=save_as, promote_to=asked.promote_to)
    return finish(found, asked)


def _refuse(plan: RunPlan, options: Sequence[str], *, promotes: bool) -> None:
    context = click.get_current_context()
    given = [
        f"--{parameter.opts[-1].lstrip('-')}"
        for parameter in context.command.params
        if (own := str(parameter.name)) in options
        and context.get_parameter_source(own) is ParameterSource.COMMANDLINE
    ]
    run = f"Run {plan.run_id[:12]}"
    if given:
        raise click.UsageError(
            f"{run} is there already, so nothing is executed. Leave out {', '.join(given)}, or "
            "gate an agent."
        )
    if promotes and plan.imported is not None:
        raise click.UsageError(
            f"{run} was imported, so there is no version here that an alias could mean. Leave out "
            "--promote."
        )
