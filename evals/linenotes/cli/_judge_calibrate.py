"""`linenotes judge calibrate`: a judge held against people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import Calibration, Drawn

_EPILOG = """\b
Examples:
  linenotes judge calibrate labels.csv --run latest --metric polite
  linenotes judge calibrate labels.jsonl --run 3f9a --metric tone --json

\b
LABELS has the columns case, sample and label, and rater where several people judged. Label samples
of cases that were chosen at random, whatever the judge said of them; 100 are a good number.
"""


@click.command("calibrate", epilog=_EPILOG)
@click.argument("labels", type=click.Path(path_type=Path), metavar="LABELS.csv|.jsonl|.parquet")
@click.option("--run", "run", required=True, help="The run whose samples were labelled.")
@click.option("--metric", help="What the judge gives. Default: the run's primary metric.")
@click.option(
    "--drawn",
    type=click.Choice(["this run", "elsewhere"]),
    default="this run",
    show_default=True,
    help="Elsewhere: the labelled cases are no random choice of the run's.",
)
@click.option("--dry-run", is_flag=True, help="Only show it; keep nothing.")
@json_option
def command(
    labels: Path, run: str, metric: str | None, drawn: Drawn, dry_run: bool, as_json: bool
) -> int:
    """Say how a judge agrees with people, and what its mean is worth, by the LABELS of a file.

    It is kept in judges/ for the judge's model and prompt, and is made to be committed: what is
    decided by a judge without one says that it is uncalibrated.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import RunStore, calibrate, save_calibration
    from linenotes.project import Project

    project = Project.find()
    found = calibrate(labels, RunStore.of(project).read(run), metric=metric, drawn=drawn)
    path = None if dry_run else save_calibration(project, found)
    if as_json:
        print_json(found.dump())
    else:
        _print(found, None if path is None else path.relative_to(project.root))
    return 0


def _print(found: Calibration, path: Path | None) -> None:
    from linenotes.cli._console import console, table
    from linenotes.cli._ledgers import one_line, printable
    from linenotes.evals import calibration_report

    out = console()
    for line in calibration_report.lines(found):
        out.print(printable(line))
    if rows := calibration_report.confusion_rows(found):
        out.print()
        out.print(table(rows))
    out.print()
    for note in found.notes:
        out.print(one_line(note))
    if path is not None:
        out.print(f"Kept in {path}: commit it.")
