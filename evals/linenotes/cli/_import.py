"""`linenotes import`: a table of results that were measured elsewhere becomes a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, target_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes import old-prompt.csv
  linenotes import new-prompt.csv --metric solved --metric tone --agent airline
  linenotes compare latest~1 latest

\b
One row a sample. Columns: case, sample (0, 1, 2, … within its case), and one a metric with
numbers, true/false or yes/no. Optional: cluster, weight, tags (a JSON object) or tag.NAME, which
say something of the case; cost (US dollars), seconds and error, which do of the sample. An empty
cell was not scored, and a row without any score is a sample that was lost; neither counts as 0.
"""


@click.command("import", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.csv|.tsv|.jsonl|.parquet")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="COLUMN",
    help="Repeatable; the first is the primary metric. Default: all columns that are left.",
)
@click.option("--agent", default="agent", show_default=True, help="Whose results they are.")
@click.option("--name", help="The version's name in tables. Default: the file's.")
@click.option("--dataset", help="The name of the cases. Default: the file's.")
@target_option
@json_option
def command(
    file: Path,
    metrics: tuple[str, ...],
    agent: str,
    name: str | None,
    dataset: str | None,
    target: Target,
    as_json: bool,
) -> int:
    """Make a run of the results in FILE, so that they can be compared, gated and planned with.

    No agent is called and no store is needed: `linenotes publish` shows the run in MLflow.
    Importing a file again adds nothing.
    """
    from linenotes.cli._console import Live, print_json
    from linenotes.cli._evaluations import print_import
    from linenotes.evals import ResultsOrder, import_results
    from linenotes.project import Project

    order = ResultsOrder(file, metrics=metrics, agent=agent, name=name, dataset=dataset)
    with Live() as live:
        imported = import_results(order, Project.find(), target=target, progress=live)
    if as_json:
        print_json(imported.result.results_document(again=imported.again))
    else:
        print_import(imported, "result", "linenotes compare latest~1 latest", "linenotes publish")
    return 0
