"""`linenotes trace list`: find conversations, stored or still going on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from linenotes.cli._ledgers import one_line
from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from rich.table import Table

    from linenotes.project import Project
    from linenotes.tracing import TraceHeader, TraceState

_EPILOG = """\b
Examples:
  linenotes trace list --error TimeoutError
  linenotes trace list --agent researcher --tool search_web --limit 5
  linenotes trace list --handoff triage:specialist --json
  linenotes trace list --run latest --state error
"""
_FILTERS = ("agent", "tool", "handoff", "error", "case", "run", "version", "thread", "state")
_RUN_ID = re.compile("[0-9a-f]{32}")
_ID = 11
"""Letters of an id that tell it apart."""
_WIDEST = 16
"""Most columns for a name."""
_GAP = 2
_MARKS = {"OK": "✓", "ERROR": "✗", "IN_PROGRESS": "…"}
_STYLES = {"✗": "red", "…": "yellow", "running": "yellow", "abandoned": "red"}
_LEAST = ("cost", "tokens", "took")
"""Columns that make room for the request where it would get too little."""
_ROOM_FOR_REQUEST = 20
_NUMBERS = frozenset({"took", "tokens", "cost"})
_LAST = "request"
"""The column that takes what room is left."""


@click.command("list", epilog=_EPILOG)
@click.option("--agent", metavar="NAME", help="In which this agent took part.")
@click.option("--tool", metavar="NAME", help="In which this tool was called.")
@click.option("--handoff", metavar="FROM:TO", help="In which FROM handed over to TO.")
@click.option("--error", metavar="TYPE", help="That failed with this exception.")
@click.option("--case", metavar="ID", help="Of this case.")
@click.option("--run", metavar="RUN", help="Of this run: its id, a prefix, or latest.")
@click.option("--version", metavar="NAME", help="Of this version of an agent.")
@click.option("--thread", metavar="ID", help="Of this LangGraph thread.")
@click.option(
    "--state",
    type=click.Choice(["OK", "ERROR", "IN_PROGRESS"], case_sensitive=False),
    help="That ended so, or have not ended.",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@json_option
def command(
    agent: str | None,
    tool: str | None,
    handoff: str | None,
    error: str | None,
    case: str | None,
    run: str | None,
    version: str | None,
    thread: str | None,
    state: TraceState | None,
    limit: int,
    as_json: bool,
) -> int:
    """List traces, newest first. Filters add up: a trace meets all of them.

    A trace ended well (✓), failed (✗) or has not ended (…); of today it shows the time. One that
    is not stored is running, or was abandoned by its process.
    """
    from linenotes.cli._console import TALK, console, print_json
    from linenotes.evals import trace_list_document
    from linenotes.project import Project
    from linenotes.tracing import list_traces

    project = Project.find()
    found = list_traces(
        project,
        agent=agent,
        tool=tool,
        handoff=_pair(handoff),
        error=error,
        case=case,
        run=None if run is None else _run_id(project, run),
        version=version,
        thread=thread,
        state=state,
        limit=limit,
    )
    if as_json:
        print_json(trace_list_document(found))
        return 0
    out = console(widest=TALK)
    if found:
        out.print(_table(found, width=out.width))
        out.print(f"\nRead one: linenotes trace show {found[0].trace_id[:_ID]}", style="dim")
    else:
        click.echo(_nothing(project, click.get_current_context().params))
    return 0


def _run_id(project: Project, name: str) -> str:
    """Return the id of the run that `name` means; a whole id may be that of a run of others."""
    from linenotes.evals import RunStore, id_in_store
    from linenotes.project import RunError
    from linenotes.tracing import open_store

    try:
        plan = RunStore.of(project).find(name)
    except RunError:
        if _RUN_ID.fullmatch(name):
            return name
        raise
    if plan.model_id is not None:
        return plan.run_id
    with open_store(project) as store:
        return id_in_store(plan, store)


def _nothing(project: Project, asked: Mapping[str, object]) -> str:
    """Say why nothing is listed: there is nothing, or the filters choose nothing."""
    from linenotes.tracing import count_traces

    count = count_traces(project)
    if not count:
        return 'No trace yet. Record one: linenotes run app.py:graph "Hello"'
    given = [f"--{name} {asked[name]}" for name in _FILTERS if asked[name] is not None]
    traces = "The one trace is" if count == 1 else f"None of {count:,} traces is"
    return f"{traces}{' not' if count == 1 else ''} like that: {one_line(' '.join(given))}"


def _pair(handoff: str | None) -> tuple[str, str] | None:
    if handoff is None:
        return None
    sender, colon, receiver = handoff.partition(":")
    if not (sender and colon and receiver):
        raise click.UsageError(f"--handoff takes FROM:TO, like triage:specialist, not {handoff!r}.")
    return sender, receiver


def _table(found: Sequence[TraceHeader], *, width: int) -> Table:
    """Return one line a trace, without the columns in which none of them has anything."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    rows = [_cells(trace) for trace in found]
    widths = _widths(rows, width)
    for name, room in widths.items():
        right = name in _NUMBERS
        table.add_column(Text(name), justify="right" if right else "left", no_wrap=True, width=room)
    for row in rows:
        table.add_row(*(Text(one_line(row[n])) for n in widths), style=_STYLES.get(row[""]))
    return table


def _widths(rows: Sequence[dict[str, str]], width: int) -> dict[str, int]:
    """Return the columns to show; the request gets the room that the others leave."""
    from rich.cells import cell_len

    found = {}
    for name in rows[0]:
        widest = max(cell_len(one_line(row[name])) for row in rows)
        if widest and name != _LAST:
            found[name] = min(_WIDEST, max(widest, len(name)))
    for name in _LEAST:
        if _left(found, width) < _ROOM_FOR_REQUEST:
            found.pop(name, None)
    return {**found, _LAST: max(_GAP, _left(found, width))}


def _left(columns: Mapping[str, int], width: int) -> int:
    return width - sum(columns.values()) - _GAP * len(columns)


def _cells(trace: TraceHeader) -> dict[str, str]:
    from linenotes.tracing import dollars, spell_seconds

    sample = "" if trace.sample is None else f"#{trace.sample}"
    now = datetime.now().astimezone()
    began = datetime.fromtimestamp(trace.start_ns / 1e9).astimezone()
    return {
        "trace": trace.trace_id[:_ID],
        "when": f"{began:%H:%M}" if began.date() == now.date() else f"{began:%m-%d}",
        "agent": trace.name,
        "case": f"{trace.case}{sample}" if trace.case else "",
        "": trace.recording or _MARKS.get(trace.state, ""),
        "took": spell_seconds(trace.duration),
        "tokens": f"{trace.tokens:,}" if trace.tokens else "",
        "cost": dollars(trace.cost),
        "request": trace.request,
    }
