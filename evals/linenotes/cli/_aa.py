"""`linenotes aa`: what the gate does when nothing has changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import gate_target_option, json_option, margin_option

if TYPE_CHECKING:
    from linenotes.evals import RunSelfCheck, VersionHistory
    from linenotes.evals.statistics import Target
    from linenotes.project import Project

_EPILOG = """\b
Examples:
  linenotes aa latest
  linenotes aa support_desk --target population
  linenotes aa 3f9a --metric intent_correct --margin 0.03 --json

\b
Exit codes: 0 as designed, 1 too many alarms, 2 nothing can be split, 3 too few samples to say.
"""


@click.command(epilog=_EPILOG)
@click.argument("name", metavar="[RUN|AGENT]", default="latest")
@click.option("--metric", help="Default: the run's primary metric.")
@margin_option
@gate_target_option
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    metavar="K",
    help="Samples a case in either half. Default: half of what there is.",
)
@json_option
def command(
    name: str,
    metric: str | None,
    margin: float,
    target: Target,
    samples: int | None,
    as_json: bool,
) -> int:
    """Split samples of one version at random, and see how often the gate cries wolf.

    RUN is a run's id, a unique prefix of it, latest, or latest~1. AGENT stands for its newest run
    and all earlier ones of the same version. Both halves get their samples in turn, as with a
    baseline that runs with the candidate; guardrails are no part of it. Exactly these cases take
    4 samples each, cases like these 2.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import check_gate, quarantined, self_check_document
    from linenotes.project import Project

    project = Project.find()
    history = _history(project, name, metric)
    dataset = history.latest.plan.dataset.name
    held = quarantined(project, dataset, datetime.now().astimezone().date())
    check = check_gate(history, target=target, margin=margin, samples=samples, quarantine=held)
    if as_json:
        print_json(self_check_document(check))
    else:
        _print(check)
    return check.exit_code


def _history(project: Project, name: str, metric: str | None) -> VersionHistory:
    from linenotes.evals import RunStore, newest_plan, one_run, version_history

    store = RunStore.of(project)
    plan, is_agent = newest_plan(store, name)
    if is_agent:
        return version_history(store, plan, metric)
    return one_run(store.read(plan.run_id), metric)


def _print(check: RunSelfCheck) -> None:
    from linenotes.cli._console import console, table
    from linenotes.cli._ledgers import printable
    from linenotes.evals import self_check_report

    out = console()
    for line in self_check_report.head(check):
        out.print(printable(line))
    if rows := self_check_report.rows(check):
        out.print()
        out.print(table(rows))
        out.print()
    for line in self_check_report.closing_lines(check):
        out.print(printable(line))
