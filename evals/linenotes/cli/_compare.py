"""`linenotes compare`: two runs, paired by case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, margin_option, target_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes compare latest~1 latest
  linenotes compare 3f9a latest --metric intent_correct --margin 0.03 --json

\b
The exit code is the verdict: 0 pass, 1 fail, 2 cannot measure, 3 inconclusive.
"""
_EXIT = {"pass": 0, "fail": 1, "cannot measure": 2, "inconclusive": 3}


@click.command(epilog=_EPILOG)
@click.argument("base")
@click.argument("candidate")
@click.option("--metric", help="Default: the base's primary metric.")
@margin_option
@target_option
@click.option("--allow-changed-cases", is_flag=True, help="Compare although cases have changed.")
@json_option
def command(
    base: str,
    candidate: str,
    metric: str | None,
    margin: float,
    target: Target,
    allow_changed_cases: bool,
    as_json: bool,
) -> int:
    """Say whether run CANDIDATE is better or worse than run BASE.

    A run is named by its id, a unique prefix of it, latest, or latest~1.
    """
    from linenotes.cli._console import console, print_json
    from linenotes.cli._ledgers import printable
    from linenotes.evals import RunStore, compare_runs, comparison_report
    from linenotes.project import Project

    runs = RunStore.of(Project.find())
    found = compare_runs(
        runs.read(base),
        runs.read(candidate),
        metric=metric,
        target=target,
        margin=margin,
        allow_changed_cases=allow_changed_cases,
    )
    if as_json:
        print_json(found.document())
    else:
        out = console()
        for line in comparison_report.lines(found):
            # The columns of its head are aligned by spaces, so only control characters go.
            out.print(printable(line))
    return _EXIT[found.result.verdict]
