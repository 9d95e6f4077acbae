"""`linenotes plan`: how many cases and samples a wanted change needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, target_option

if TYPE_CHECKING:
    from linenotes.evals import SuiteSize
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes plan latest
  linenotes plan latest~1 latest --change 0.05 --change 0.02 --power 0.9
  linenotes plan 3f9a --case-cost 4 --sample-cost 0.01 --json
  linenotes plan latest --target dataset --change 0.03

\b
Two runs of the same cases, such as two prompt versions, show how a difference varies from case to
case. One run does not: how much two versions agree about which cases are hard is then assumed.
Of exactly these cases (--target dataset) it does not matter: the answer is samples a case.
"""


@click.command(epilog=_EPILOG)
@click.argument("base", metavar="RUN")
@click.argument("candidate", metavar="[RUN]", required=False)
@click.option("--metric", help="Default: the run's primary metric.")
@click.option(
    "--change",
    "changes",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    default=(0.05,),
    show_default=True,
    help="Repeatable: a change to be seen, in the metric's own unit; of a rate 0.05 is 5 points.",
)
@target_option
@click.option(
    "--power",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="How surely it is to be seen.",
)
@click.option(
    "--correlation",
    type=click.FloatRange(-1, 1),
    default=0.5,
    show_default=True,
    help="With one run: how two versions correlate over cases.",
)
@click.option(
    "--case-cost", type=click.FloatRange(min=0), help="US dollars of one more case, such as labels."
)
@click.option(
    "--sample-cost",
    type=click.FloatRange(min=0),
    help="US dollars of one sample. Default: as in the pilot.",
)
@json_option
def command(
    base: str,
    candidate: str | None,
    metric: str | None,
    changes: tuple[float, ...],
    target: Target,
    power: float,
    correlation: float,
    case_cost: float | None,
    sample_cost: float | None,
    as_json: bool,
) -> int:
    """Say how many cases and samples it takes to see a change, by what a pilot RUN shows.

    A run is named by its id, a unique prefix of it, latest, or latest~1.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import RunStore, Wish, size_suite, sizing_document
    from linenotes.project import Project

    runs = RunStore.of(Project.find())
    wish = Wish(changes, power, correlation, sample_cost, case_cost, target)
    pilot = runs.read(base), runs.read(candidate) if candidate else None
    found = size_suite(*pilot, metric=metric, wish=wish)
    if as_json:
        print_json(sizing_document(found))
    else:
        _print(found)
    return 0


def _print(found: SuiteSize) -> None:
    from linenotes.cli._console import console, table
    from linenotes.cli._ledgers import printable
    from linenotes.evals import sizing_report

    out = console()
    for line in sizing_report.head(found):
        out.print(printable(line))
    for rows in sizing_report.tables(found):
        out.print()
        out.print(table(rows))
    out.print()
    for line in sizing_report.closing_lines(found):
        out.print(printable(line))
