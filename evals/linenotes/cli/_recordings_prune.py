"""`linenotes recordings prune`: take out what is of no use any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.project import Project
    from linenotes.tracing import Pruned

_EPILOG = """\b
Examples:
  linenotes recordings prune --dry-run
  linenotes recordings prune --agent support_desk
  linenotes recordings prune --unused --dry-run
"""


@click.command("prune", epilog=_EPILOG)
@click.option("--agent", metavar="NAME", help="Only the recordings of this agent.")
@click.option(
    "--unused", is_flag=True, help="Also what the last run had no use for: mind other versions."
)
@click.option("--dry-run", is_flag=True, help="Say what would go and change nothing.")
@json_option
def command(agent: str | None, unused: bool, dry_run: bool, as_json: bool) -> int:
    """Take out recordings of cases that are gone.

    With --unused also those that the last run on this machine that recorded or replayed had no use
    for, such as those of versions that it did not execute. Of samples that it did not execute,
    everything stays.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import recordings_prune_document
    from linenotes.project import Project
    from linenotes.tracing import prune_recordings

    project = Project.find()
    found = prune_recordings(
        project,
        lambda name: _cases(name, project),
        agent=agent,
        unused=unused,
        dry_run=dry_run,
    )
    if as_json:
        print_json(recordings_prune_document(found, dry_run=dry_run))
    elif not found:
        click.echo("Nothing is recorded.")
    else:
        for one in found:
            click.echo(_line(one, dry_run=dry_run))
    return 0


def _cases(dataset: str, project: Project) -> set[str] | None:
    """Return the ids of a dataset's cases as recordings know them; None without such a dataset."""
    from linenotes.datasets import load_dataset
    from linenotes.project import DatasetError

    try:
        found = load_dataset(dataset, project)
    except DatasetError:
        return None
    return {case.redacted(project.redactor).id for case in found.cases}


def _line(found: Pruned, *, dry_run: bool) -> str:
    gone = f"{len(found.removed):,} of {len(found.removed) + found.kept:,} calls"
    unnamed = " (its dataset is not in [tool.linenotes.datasets], so its cases are kept)"
    unknown = "" if found.is_dataset_known else unnamed
    return f"{found.path}: {gone} {'would go' if dry_run else 'taken out'}{unknown}."
