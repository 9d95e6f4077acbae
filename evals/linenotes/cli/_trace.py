"""`linenotes trace`: the group of the verbs about stored conversations."""

from __future__ import annotations

import click

from linenotes.cli._verbs import Verbs

_VERBS = {
    "list": "List stored traces, newest first: by agent, tool, handoff, error or case.",
    "show": "Print who said what to whom in a stored trace.",
}


@click.group(cls=Verbs, verbs=_VERBS)
def command() -> None:
    """Read stored conversations."""
