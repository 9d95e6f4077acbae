"""`linenotes trace`: the group of the verbs about stored conversations."""

from __future__ import annotations

import click

from linenotes.cli._verbs import Verbs

_VERBS = {
    "show": "Print who said what to whom in a stored trace.",
    "list": "List traces, newest first: by agent, tool, handoff, error or case.",
    "import": "Make a run of conversations that were held elsewhere.",
    "export": "Send stored traces to an OpenTelemetry collector.",
    "doctor": "Close the traces whose process was killed.",
}


@click.group(cls=Verbs, verbs=_VERBS)
def command() -> None:
    """Read stored conversations."""
