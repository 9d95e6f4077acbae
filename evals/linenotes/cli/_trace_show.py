"""`linenotes trace show`: read a stored conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.tracing import Trace

_EPILOG = """\b
Examples:
  linenotes trace show tr-0a4f
  linenotes trace show tr-0a4f --json
"""


@click.command("show", epilog=_EPILOG)
@click.argument("trace_id")
@json_option
def command(trace_id: str, as_json: bool) -> int:
    """Print who said what to whom in a stored trace, by its id or a unique prefix of it."""
    from linenotes.cli._console import console, print_json
    from linenotes.cli._ledgers import line, one_line
    from linenotes.cli._unfinished import unfinished
    from linenotes.evals import trace_document
    from linenotes.project import Project
    from linenotes.tracing import find_live, read_trace

    project = Project.find()
    trace = read_trace(trace_id, project)
    if as_json:
        print_json(trace_document(trace))
        return 0
    out = console()
    out.print(_heading(trace))
    for message in trace.messages:
        out.print(line(message, width=out.width))
    if trace.error:
        out.print(f"failed: {one_line(trace.error)}")
    if trace.state == "IN_PROGRESS":
        out.print(one_line(unfinished(trace, find_live(project, trace.trace_id))))
    return 0


def _heading(trace: Trace) -> str:
    case = f"   case {trace.case}, sample {trace.sample}" if trace.case else ""
    seconds = f"   {(trace.end_ns - trace.start_ns) / 1e9:.2f} s" if trace.end_ns else ""
    return f"{trace.name}   {trace.state}{case}{seconds}   {trace.trace_id}"
