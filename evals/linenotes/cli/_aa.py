"""`linenotes aa`: what the gate does when nothing has changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, margin_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

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
@click.option(
    "--target",
    type=click.Choice(["dataset", "population"]),
    default="dataset",
    show_default=True,
    help="What the gate speaks of: exactly these cases (4 samples each), or cases like these (2).",
)
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
    and all earlier ones of the same version.
    """
    from linenotes.cli._console import console, print_json
    from linenotes.cli._ledgers import printable
    from linenotes.evals import (
        RunStore,
        check_gate,
        newest_plan,
        one_run,
        quarantined,
        self_check_document,
        self_check_lines,
        version_history,
    )
    from linenotes.project import Project

    project = Project.find()
    store = RunStore.of(project)
    plan, is_agent = newest_plan(store, name)
    history = (
        version_history(store, plan, metric)
        if is_agent
        else one_run(store.read(plan.run_id), metric)
    )
    held = quarantined(project, plan.dataset.name, datetime.now().astimezone().date())
    check = check_gate(history, target=target, margin=margin, samples=samples, quarantine=held)
    if as_json:
        print_json(self_check_document(check))
    else:
        out = console()
        for line in self_check_lines(check):
            out.print(printable(line))
    return check.exit_code
