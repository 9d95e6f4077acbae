"""`linenotes init`: the first golden tests of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import CiService

_EPILOG = """\b
Examples:
  linenotes init app.py:graph
  linenotes init app.py:graph --ci github
"""


@click.command(epilog=_EPILOG)
@click.argument("agent")
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab"]),
    help="Also write a workflow that runs the tests from recordings, and live on a label.",
)
@json_option
def command(agent: str, ci: CiService | None, as_json: bool) -> int:
    """Write two cases and a golden test for AGENT, to be edited.

    What is there already is never written over.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import starter_files, write_starter
    from linenotes.project import Project

    project = Project.find()
    files = starter_files(agent, project, ci=ci)
    write_starter(project, files)
    if as_json:
        print_json({"schema_version": 1, "written": [file.path for file in files]})
        return 0
    for file in files:
        click.echo(f"wrote {file.path}")
    click.echo(
        f"Say in {files[0].path} what users ask and what the answer has to hold. Then:\n"
        "  pytest evals --linenotes-record=auto       # executes them, and records every call\n"
        "  pytest evals --update-baseline             # keeps what it found as `champion`\n"
        "  pytest evals --linenotes-replay            # in CI: no key, no cost"
    )
    return 0
