"""`linenotes recordings list`: what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.tracing import RecordingsSummary

_EPILOG = """\b
Example:
  linenotes recordings list
"""


@click.command("list", epilog=_EPILOG)
@json_option
def command(as_json: bool) -> int:
    """Show what is recorded, for each agent and dataset."""
    from linenotes.cli._console import console, print_json, table
    from linenotes.evals import recordings_list_document
    from linenotes.project import Project
    from linenotes.tracing import summarize_recordings

    found = summarize_recordings(Project.find())
    if as_json:
        print_json(recordings_list_document(found))
    elif not found:
        click.echo("Nothing is recorded yet. Record: linenotes eval AGENT --record auto")
    else:
        header = ("agent", "dataset", "cases", "samples", "calls", "size", "last", "models")
        console().print(table([header, *map(_row, found)], words=(0, 1, 6, 7)))
    return 0


def _row(found: RecordingsSummary) -> tuple[str, ...]:
    return (
        found.agent,
        found.dataset,
        f"{found.cases:,}",
        f"{found.samples:,}",
        f"{found.calls:,}",
        f"{found.bytes / 1024:,.0f} kB",
        found.last[:10],
        ", ".join(found.models) or "–",
    )
