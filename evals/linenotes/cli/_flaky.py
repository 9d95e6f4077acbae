"""`linenotes flaky`: which cases pass now and then, and which of them are in quarantine."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import Quarantine
    from linenotes.project import Project

_EPILOG = """\b
Examples:
  linenotes flaky
  linenotes flaky support_desk --metric intent_correct --json
  linenotes flaky --quarantine case-07 --owner ana --expires 2027-01-31 --reason "tool is slow"
  linenotes flaky --check

\b
Exit codes: 0 done, 1 --check and a quarantine has expired, 2 usage.
"""


@click.command(epilog=_EPILOG)
@click.argument("name", metavar="[RUN|AGENT]", default="latest")
@click.option("--metric", help="Passed or failed. Default: the run's primary metric.")
@click.option("--all", "everything", is_flag=True, help="Show all cases of a large suite.")
@click.option("--quarantine", "case", metavar="CASE", help="Keep a case from gating for a while.")
@click.option("--owner", help="With --quarantine: who sees to it.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="With --quarantine: the last day.",
)
@click.option("--reason", help="With --quarantine: why.")
@click.option("--check", is_flag=True, help="Only check quarantine.yaml: no entry has expired.")
@json_option
def command(
    name: str,
    metric: str | None,
    everything: bool,
    case: str | None,
    owner: str | None,
    expires: datetime | None,
    reason: str | None,
    check: bool,
    as_json: bool,
) -> int:
    """Measure which cases are flaky, over all stored samples of one version.

    RUN is a run's id, a unique prefix of it, latest, or latest~1; AGENT stands for its newest
    run. Earlier runs of the same version on the same cases count as well.

    Quarantined cases stand in quarantine.yaml in the project: they are run and shown, and do not
    gate. Once one has expired, gates on its dataset fail.
    """
    from linenotes.evals import quarantined
    from linenotes.project import Project

    project = Project.find()
    today = datetime.now().astimezone().date()
    if check:
        return _show_quarantine(quarantined(project, None, today), as_json=as_json)
    if case is None:
        if owner or expires or reason:
            raise click.UsageError("--owner, --expires and --reason need --quarantine CASE.")
        return _show(project, name, metric, today, everything=everything, as_json=as_json)
    if not (owner and expires and reason):
        raise click.UsageError("--quarantine needs --owner, --expires and --reason.")
    found = _quarantine(project, name, (case, owner, reason), expires.date(), today)
    _show_quarantine(found, as_json=as_json)
    return 0


def _show(
    project: Project,
    name: str,
    metric: str | None,
    today: date,
    *,
    everything: bool,
    as_json: bool,
) -> int:
    from linenotes.cli._console import console, print_json, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import (
        RunStore,
        flaky_document,
        flaky_report,
        flaky_text,
        newest_plan,
        quarantined,
        version_history,
    )

    store = RunStore.of(project)
    plan, _ = newest_plan(store, name)
    found = quarantined(project, plan.dataset.name, today)
    report = flaky_report(version_history(store, plan, metric), found)
    if as_json:
        print_json(flaky_document(report))
        return 0
    out = console()
    out.print(one_line(flaky_text.heading(report)))
    out.print()
    rows = flaky_text.grid(report, everything=everything)
    out.print(table([[one_line(cell) for cell in row] for row in rows], words=(0, 1, 3)))
    out.print()
    for line in flaky_text.lines(report, everything=everything):
        out.print(one_line(line))
    return 0


def _quarantine(
    project: Project, name: str, texts: tuple[str, str, str], expires: date, today: date
) -> Quarantine:
    from linenotes.evals import QuarantinedCase, RunStore, newest_plan, quarantine
    from linenotes.project import RunError

    case, owner, reason = texts
    plan, _ = newest_plan(RunStore.of(project), name)
    if all(one.id != case for one in plan.cases):
        raise RunError(
            f"Run {plan.run_id[:12]} on {plan.dataset.name!r} has no case {case!r}. "
            "Name a case of it, or a run that has the case: linenotes flaky RUN --quarantine CASE."
        )
    entry = QuarantinedCase(
        case=case, dataset=plan.dataset.name, owner=owner, expires=expires, reason=reason
    )
    return quarantine(project, entry, today)


def _show_quarantine(found: Quarantine, *, as_json: bool) -> int:
    from linenotes.cli._console import console, print_json
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import flaky_text, quarantine_document

    if as_json:
        print_json(quarantine_document(found))
    else:
        out = console()
        lines = flaky_text.quarantine_lines(found)
        for line in lines or ["Nothing is in quarantine."]:
            out.print(one_line(line))
    return 1 if found.problems else 0
