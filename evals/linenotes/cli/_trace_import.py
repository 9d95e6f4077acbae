"""`linenotes trace import`: conversations of other tools become traces, samples and a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option, target_option

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target
    from linenotes.tracing import FileFormat

_EPILOG = """\b
Examples:
  linenotes trace import gpt-4o-airline.json --agent airline
  linenotes trace import chats.jsonl --name gpt-5 --metric solved
  linenotes trace import otel-traces.jsonl --format otlp --json

\b
Chats have messages with role, content, tool_calls and tool results, as the OpenAI API does, and
beside them a task, a trial and a reward, as tau-bench writes them. OTLP files hold spans of the
OpenTelemetry GenAI conventions, as a collector's file exporter writes them.
"""


@click.command("import", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--agent",
    help="Who says the assistant messages without a name. Default: agent, or as spans name it.",
)
@click.option("--name", help="The version's name in tables. Default: the file's.")
@click.option("--metric", default="reward", show_default=True, help="The name of the reward.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["auto", "chat", "otlp"]),
    default="auto",
    show_default=True,
)
@target_option
@json_option
def command(
    file: Path,
    agent: str | None,
    name: str | None,
    metric: str,
    file_format: FileFormat,
    target: Target,
    as_json: bool,
) -> int:
    """Make a run of the conversations in FILE.

    Trials of one task are samples of one case, so the run can be read and compared like one that
    was evaluated here. Importing a file again adds nothing.
    """
    from linenotes.cli._console import Live, print_json
    from linenotes.cli._evaluations import print_import
    from linenotes.evals import ImportOrder, import_run
    from linenotes.project import Project

    order = ImportOrder(file, agent=agent, name=name, metric=metric, file_format=file_format)
    with Live() as live:
        imported = import_run(order, Project.find(), target=target, progress=live)
    if as_json:
        print_json(imported.result.import_document(again=imported.again))
    else:
        first = next(iter(imported.result.record.outcomes.values())).trace_id
        print_import(imported, "conversation", f"linenotes trace show {first[:15]}", "linenotes ui")
    return 0
