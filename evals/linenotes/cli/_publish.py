"""`linenotes publish`: write a run to MLflow from its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, target_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes publish latest
  MLFLOW_TRACKING_URI=http://127.0.0.1:5000 linenotes publish 3f9a
"""


@click.command(epilog=_EPILOG)
@click.argument("run", metavar="RUN")
@target_option
@json_option
def command(run: str, target: Target, as_json: bool) -> int:
    """Write to MLflow what it lacks of RUN, and count what it has.

    For a run whose store was down at its end, or whose traces were deleted. Neither the agent nor
    the scorers are needed, and what is there already is not written twice. RUN is a run's id, a
    unique prefix of it, or latest.
    """
    from linenotes.cli._console import Live, console, print_json
    from linenotes.evals import Evaluation
    from linenotes.project import Project

    project = Project.find()
    with Live() as live:
        result = Evaluation(project, target=target, progress=live).publish(run)
    if as_json:
        print_json(result.document())
    else:
        plan, traces = result.record.plan, result.traces
        out = console()
        out.print(
            f"{plan.agent} {plan.version}: {traces.stored} of {traces.expected} traces are stored"
        )
        out.print()
        out.print(f"run {plan.run_id[:12]}   linenotes ui", style="dim")
    return 0
