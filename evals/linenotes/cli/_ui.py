"""`linenotes ui`: the results in MLflow."""

from __future__ import annotations

from contextlib import suppress

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Example:
  linenotes ui --port 5001
"""


@click.command(epilog=_EPILOG)
@click.option("--port", type=click.IntRange(0, 65535), help="Default: a free one.")
@json_option
def command(port: int | None, as_json: bool) -> int:
    """Start the MLflow server on this machine's loopback address and print where to look.

    It serves the project's store until Ctrl-C.
    """
    from linenotes.cli._console import Live, print_json
    from linenotes.project import Project
    from linenotes.tracing import experiment_url, open_store, start_ui

    project = Project.find()
    artifacts = project.state / "artifacts"
    with Live() as live:
        live.stage("Starting MLflow")
        with open_store(project) as store:
            experiment_id = store.experiment_id
        server = start_ui(
            project.tracking_uri, artifacts=artifacts, log=project.state / "ui.log", port=port
        )
    with server:
        url = experiment_url(server.url, experiment_id)
        if as_json:
            print_json({"schema_version": 1, "url": url, "experiment_id": experiment_id})
        else:
            click.echo(f"{project.experiment}: {url}\nCtrl-C stops it.")
        with suppress(KeyboardInterrupt):  # the way to end it
            server.wait()
    return 0
