"""`linenotes recordings`: the group of the verbs about recorded calls."""

from __future__ import annotations

import click

from linenotes.cli._verbs import Verbs

_VERBS = {
    "list": "Show what is recorded, for each agent and dataset.",
    "show": "Show the recorded calls of a case.",
    "prune": "Take out what no case and no run uses any more.",
    "verify": "Check the files: readable, free of secrets, of the present models.",
    "merge": "Put files of one agent and dataset into one.",
}


@click.group(cls=Verbs, verbs=_VERBS)
def command() -> None:
    """Look after recorded model and tool calls: `linenotes eval --record auto` makes them."""
