"""`linenotes score`: judge the samples of a run again, without calling its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, target_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes score latest
  linenotes score latest --scorer matches_expectations --scorer scorers.py:is_polite
  linenotes score 3f9a --scorer scorers.py:is_polite --add
"""


@click.command(epilog=_EPILOG)
@click.argument("run", metavar="RUN")
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="NAME|FILE:FUNCTION",
    help="Repeatable; the first is the primary metric. Default: those that the run has.",
)
@click.option("--add", is_flag=True, help="Keep the run's other metrics and their scores.")
@click.option("-j", "--concurrency", type=click.IntRange(min=1), default=8, show_default=True)
@target_option
@json_option
def command(
    run: str,
    scorers: tuple[str, ...],
    add: bool,
    concurrency: int,
    target: Target,
    as_json: bool,
) -> int:
    """Score the samples of RUN again, from its journal; its agent is not called.

    The scorers that are named replace those that the run has; what they said stays in the journal.
    What a file said of an imported run stays in the result, too. RUN is a run's id, a unique
    prefix of it, or latest.
    """
    from linenotes.cli._evaluations import carry_out, show_run
    from linenotes.evals import Conduct, RunStore, find_scorers
    from linenotes.project import Project

    if add and not scorers:
        raise click.UsageError("--add needs a --scorer to add.")
    project = Project.find()
    beside = RunStore.of(project).read(run).plan.standing(add=add) if scorers else ()
    wanted = find_scorers(scorers, project, beside=beside) if scorers else []
    return carry_out(
        project,
        lambda evaluation: [evaluation.score(run, wanted, add=add)],
        Conduct(concurrency=concurrency),
        target=target,
        show=lambda results: show_run(results[0], as_json=as_json),
    )
