"""`linenotes recordings merge`: put several files into one."""

from __future__ import annotations

from pathlib import Path

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Examples:
  linenotes recordings merge ours.jsonl.gz theirs.jsonl.gz -o recordings/cases/app.jsonl.gz
  linenotes recordings merge a.jsonl.gz b.jsonl.gz -o a.jsonl.gz --newest

\b
The exit code is 1 where files contradict one another and nothing was written.
"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN = 10


@click.command("merge", epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--newest", is_flag=True, help="Of contradicting recordings keep the last made.")
@json_option
def command(files: tuple[Path, ...], output: Path, newest: bool, as_json: bool) -> int:
    """Put FILES of one agent and dataset into one."""
    from linenotes.cli._console import print_json
    from linenotes.evals import recordings_merge_document
    from linenotes.tracing import merge_recordings

    found = merge_recordings(files, output, newest=newest)
    written = newest or not found.conflicts
    if as_json:
        print_json(recordings_merge_document(found, written=written))
        return 0 if written else 1
    for key in found.conflicts[:_SHOWN]:
        click.echo(f"conflict: {key.case} #{key.sample}, {key.agent}: {key.kind} {key.model}")
    if len(found.conflicts) > _SHOWN:
        click.echo(f"… {len(found.conflicts) - _SHOWN} more conflicts")
    if written:
        click.echo(f"{output}: {found.calls:,} calls.")
    else:
        click.echo("Nothing was written. --newest keeps the recordings that were made last.")
    return 0 if written else 1
