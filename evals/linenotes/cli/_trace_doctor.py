"""`linenotes trace doctor`: close what a killed process left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linenotes.tracing import LiveTrace

_EPILOG = """\b
Examples:
  linenotes trace doctor
  linenotes trace doctor --dry-run --json
"""


@click.command("doctor", epilog=_EPILOG)
@click.option("--dry-run", is_flag=True, help="List them and change nothing.")
@json_option
def command(dry_run: bool, as_json: bool) -> int:
    """Close the traces whose process was killed.

    What it had done is stored as a trace that failed, which says when it was last heard of and
    who was at work. Traces whose process lives are left alone.
    """
    from linenotes.cli._console import Live, print_json
    from linenotes.evals import doctor_document
    from linenotes.project import Project
    from linenotes.tracing import close_abandoned, live_traces

    project = Project.find()
    found = live_traces(project)
    alive = [live for live in found if live.alive]
    abandoned = [live for live in found if not live.alive]
    if abandoned and not dry_run:
        with Live() as progress:
            progress.stage("Storing abandoned traces", total=len(abandoned))
            abandoned = close_abandoned(project)
    if as_json:
        print_json(doctor_document(abandoned, alive, closed=not dry_run))
    else:
        _print(abandoned, alive, done="abandoned" if dry_run else "closed")
    return 0


def _print(abandoned: Sequence[LiveTrace], alive: Sequence[LiveTrace], *, done: str) -> None:
    from linenotes.cli._console import console, table

    if not abandoned and not alive:
        click.echo("No trace is open.")
        return
    header = ("trace", "state", "agent", "messages", "at work", "last heard of")
    rows = [*(_row(live, done) for live in abandoned), *(_row(live, "running") for live in alive)]
    console().print(table([header, *rows], words=(0, 1, 2, 4, 5)))


def _row(live: LiveTrace, done: str) -> tuple[str, ...]:
    from linenotes.cli._ledgers import one_line
    from linenotes.cli._unfinished import ago

    trace = live.trace
    return (
        trace.trace_id[:11],
        done,
        one_line(trace.name),
        str(len(trace.messages)),
        one_line(", ".join(trace.running)) or "–",
        ago(live),
    )
