"""`linenotes scorers`: what can judge a sample, and how it is named."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Examples:
  linenotes eval desk --scorer right_team --scorer 'handoffs("triage", "specialist")'
  linenotes eval desk --scorer 'route=handoffs("triage", "specialist", order="subset")'

\b
In pyproject.toml:
  [tool.linenotes.scorers]
  right_team = "scorers.py:right_team"
  route = 'handoffs("triage", "specialist", "reviewer")'
  net = 'value("8*right_team - 12*(not right_team) - 0.5", failed=-12, currency="EUR")'
"""


@click.command(epilog=_EPILOG)
@json_option
def command(as_json: bool) -> int:
    """List the scorers that can be named: those of the project, and the built-in ones.

    One of your own is a function of one sample, and is named path.py:function. Parameters stand
    behind a name in parentheses, and `NAME=` before it names the metric.
    """
    from linenotes.cli._console import console, print_json, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import list_scorers, scorers_document
    from linenotes.project import Project

    listed = list_scorers(Project.find())
    if as_json:
        print_json(scorers_document(listed))
        return 0
    out = console()
    told = [(one.name, f"{one_line(one.line)}\n{one_line(one.example)}") for one in listed]
    out.print(table([("scorer", "what it does, and an example"), *told], words=(0, 1)))
    return 0
