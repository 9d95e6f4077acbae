"""`linenotes judge`: the group of the verbs about models that judge."""

from __future__ import annotations

import click

from linenotes.cli._verbs import Verbs

_VERBS = {
    "calibrate": "Hold a judge against what people say.",
    "repeat": "Judge samples again, and say how much of the noise is the judge's.",
}


@click.group(cls=Verbs, verbs=_VERBS)
def command() -> None:
    """Say how far judges can be trusted."""
