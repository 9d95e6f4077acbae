"""`linenotes trace show`: read a stored conversation."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option
from linenotes.cli._pages import html_option

_EPILOG = """\b
Examples:
  linenotes trace show latest
  linenotes trace show tr-0a4f --full
  linenotes trace show --thread customer-7
  linenotes trace show tr-0a4f --depth 1 --actor researcher
  linenotes trace show tr-0a4f --html conversation.html
"""


@click.command("show", epilog=_EPILOG)
@click.argument("trace_id", default="latest", metavar="[ID]")
@click.option("--thread", metavar="ID", help="All traces of a LangGraph thread, as one story.")
@click.option("--full", is_flag=True, help="Whole texts, with tool arguments and payloads.")
@click.option("--tree", is_flag=True, help="The spans: agents, models and tools, and how long.")
@click.option("--mermaid", "as_mermaid", is_flag=True, help="A Mermaid sequence diagram.")
@html_option
@json_option
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take actors together below N levels: 1 makes team/search team.",
)
@click.option("--actor", metavar="NAME", help="Only messages to or from this actor.")
@click.option(
    "--all", "plumbing", is_flag=True, help="Plumbing too: hand-backs and receipts. [always: JSON]"
)
def command(
    trace_id: str,
    thread: str | None,
    full: bool,
    tree: bool,
    as_mermaid: bool,
    html: str | None,
    as_json: bool,
    depth: int | None,
    actor: str | None,
    plumbing: bool,
) -> int:
    """Print who said what to whom in a trace that is stored, or under way.

    ID is the trace's id, a unique start of it, or `latest`. --depth, --actor and --all choose
    what is shown, in whatever form.
    """
    from linenotes.cli._console import TALK, console, print_json
    from linenotes.cli._ledgers import one_line
    from linenotes.cli._pages import write_page
    from linenotes.cli._screenplays import full_screenplay, screenplay, span_lines, title
    from linenotes.cli._unfinished import state_of, unfinished
    from linenotes.evals import trace_document
    from linenotes.project import Project
    from linenotes.tracing import (
        FiledTrace,
        Focus,
        as_told,
        find_live,
        mermaid,
        read_filed_trace,
        read_thread,
        told_apart,
    )

    if sum((full, tree, as_mermaid, html is not None, as_json)) > 1:
        raise click.UsageError("Choose one of --full, --tree, --mermaid, --html and --json.")
    project = Project.find()
    filed = (
        FiledTrace(read_thread(thread, project)) if thread else read_filed_trace(trace_id, project)
    )
    trace, scores = filed.trace, filed.scores
    focus = Focus(depth=depth, actor=actor, plumbing=plumbing or as_json)
    if as_json:
        print_json(trace_document(trace, focus, scores=scores))
    elif html is not None:
        write_page(trace, html, focus, scores=scores)
    elif as_mermaid:
        click.echo(mermaid(as_told(trace, focus)), nl=False)
    else:
        out = console(widest=TALK)
        lines = full_screenplay if full else span_lines if tree else screenplay
        trace = told_apart(trace)
        live = find_live(project, trace.trace_id) if trace.state == "IN_PROGRESS" else None
        state, shown = state_of(trace, live), focus.apply(trace.ledger)
        for text in title(trace, shown, state=state, scores=scores, width=out.width):
            out.print(text)
        for text in lines(trace, focus, width=out.width):
            out.print(text, overflow="ellipsis", no_wrap=True)
        if trace.state == "IN_PROGRESS":
            out.print(one_line(unfinished(trace, live)))
    return 0
