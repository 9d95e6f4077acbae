"""`linenotes models`: the embedded model."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Example:
  linenotes models install
"""


@click.group()
def command() -> None:
    """Install the embedded model."""


@command.command(epilog=_EPILOG)
@json_option
def install(as_json: bool) -> int:
    """Download the weights of the embedded model, about 93 MB, and check them by their hash.

    Nothing is compiled, and nothing is done when they are there already.
    """
    from linenotes.agents import install_weights
    from linenotes.cli._console import Live, print_json

    with Live() as live:
        live.stage("Fetching the weights of smollm2-135m")
        path = install_weights()
    if as_json:
        print_json({"schema_version": 1, "model": "local:smollm2-135m", "path": str(path)})
    else:
        click.echo(f"local:smollm2-135m is ready: {path}")
    return 0
