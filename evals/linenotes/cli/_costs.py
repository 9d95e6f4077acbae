"""`linenotes costs`: what a run cost, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import By

_EPILOG = """\b
Examples:
  linenotes costs
  linenotes costs latest --by case
  linenotes costs 3f9a --by version --json
"""


@click.command(epilog=_EPILOG)
@click.argument("run", metavar="[RUN]", default="latest")
@click.option(
    "--by",
    type=click.Choice(["agent", "model", "case", "version"]),
    default="agent",
    show_default=True,
    help="What to tell apart; by version, all runs that were started together with RUN.",
)
@json_option
def command(run: str, by: By, as_json: bool) -> int:
    """Show what RUN cost, the dearest first, with cached and reasoning tokens.

    RUN is a run's id, a unique prefix of it, latest, or latest~1. What has no known price is
    unpriced, never 0: `linenotes prices` says which models that are.
    """
    from linenotes.cli._console import console, print_json, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import RunStore, cost_lines, cost_rows, costs_document, saved
    from linenotes.project import Project

    runs = RunStore.of(Project.find())
    plan = runs.find(run)
    plans = [other for other in runs.plans() if other.group == plan.group]
    records = [runs.read(one.run_id) for one in (plans if by == "version" else [plan])]
    lines = cost_lines(records, by)
    if as_json:
        print_json(costs_document(lines, by, [record.plan.run_id for record in records]))
        return 0
    out = console()
    title = f"{plan.agent} {plan.version} on {plan.dataset.name}, run {plan.run_id[:12]}"
    out.print(one_line(title))
    out.print()
    if lines:
        out.print(table(list(cost_rows(lines, by))))
    else:
        out.print("It called no model.")
    replayed = [record for record in records if any(o.replayed for o in record.outcomes.values())]
    if replayed:
        out.print()
    for record in replayed:
        out.print(one_line(f"{record.plan.version}: {saved(record)}"))
    return 0
