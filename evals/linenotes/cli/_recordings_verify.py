"""`linenotes recordings verify`: check the files."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Example:
  linenotes recordings verify

\b
The exit code is 1 where a file is broken or holds what the settings redact.
"""


@click.command("verify", epilog=_EPILOG)
@json_option
def command(as_json: bool) -> int:
    """Check the files: readable, free of what the settings redact, of the present models."""
    from linenotes.cli._console import print_json
    from linenotes.evals import recordings_verify_document
    from linenotes.project import Project
    from linenotes.tracing import verify_recordings

    found = verify_recordings(Project.find())
    if as_json:
        print_json(recordings_verify_document(found))
    elif not found:
        click.echo("Nothing is recorded.")
    else:
        for one in found:
            state = "broken" if one.problems else "fine"
            click.echo(f"{one.path}: {one.calls:,} calls, {state}.")
            for problem in one.problems:
                click.echo(f"  {problem}")
            for model, calls in one.stale.items():
                click.echo(f"  stale: {calls:,} calls of {model}, which the last run did not ask.")
    return 1 if any(one.problems for one in found) else 0
