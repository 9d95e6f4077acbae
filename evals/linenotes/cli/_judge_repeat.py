"""`linenotes judge repeat`: a judge held against itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import Repeated

_EPILOG = """\b
Examples:
  linenotes judge repeat latest
  linenotes judge repeat 3f9a --metric polite --times 5 --json
"""


@click.command("repeat", epilog=_EPILOG)
@click.argument("run", metavar="RUN")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="Repeatable. Default: all metrics that a model is known to judge.",
)
@click.option("--times", type=click.IntRange(min=2), default=3, show_default=True)
@click.option("-j", "--concurrency", type=click.IntRange(min=1), default=8, show_default=True)
@json_option
def command(run: str, metrics: tuple[str, ...], times: int, concurrency: int, as_json: bool) -> int:
    """Judge the samples of RUN again, several times, and say whose noise is in the scores.

    No agent is called, and the run keeps its scores. The variance is split between cases, the
    agent (samples of one case) and the judge (judgements of one sample).
    """
    from linenotes.cli._console import Live, agents_print_to_stderr, print_json
    from linenotes.evals import RunStore, repeat_judging
    from linenotes.project import Project

    project = Project.find()
    record = RunStore.of(project).read(run)
    with Live() as live, agents_print_to_stderr():
        found = repeat_judging(
            record, project, metrics=metrics, times=times, concurrency=concurrency, progress=live
        )
    if as_json:
        print_json(found.dump())
    else:
        _print(found)
    return 0


def _print(found: Repeated) -> None:
    from linenotes.cli._console import console, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import repeat_report

    out = console()
    out.print(f"run {found.run[:12]}: shares of the variance of one score")
    out.print()
    out.print(table(repeat_report.rows(found)))
    out.print()
    for line in repeat_report.closing_lines(found):
        out.print(one_line(line))
