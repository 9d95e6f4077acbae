"""`linenotes prices`: what models cost, and who says so."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Example of a price in pyproject.toml, in US dollars per million tokens:
  [tool.linenotes.prices."my-model"]
  input = 2.0
  output = 8.0
  cached = 0.5        # input out of the provider's cache; default: as input
  written = 2.5       # input put into it; default: as input
  written-hour = 4.0  # input put there for an hour; default: as written
  reasoning = 8.0     # output that is thought; default: as output
"""


@click.command(epilog=_EPILOG)
@json_option
def command(as_json: bool) -> int:
    """Show the prices in force for the models of the project.

    The project's own come first, then those of the catalogue inside MLflow. A model that neither
    knows is unpriced: its calls are counted and are in no cost.
    """
    from linenotes.cli._console import console, print_json, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import price_list, price_rows, prices_document
    from linenotes.project import Project

    listed = price_list(Project.find())
    if as_json:
        print_json(prices_document(listed))
        return 0
    out = console()
    out.print("US dollars per million tokens")
    out.print()
    out.print(table(list(price_rows(listed)), words=(0, 1)))
    if lacking := [one.model for one in listed if one.price is None]:
        out.print()
        cure = f"Give {', '.join(lacking)} a price in pyproject.toml: linenotes prices --help"
        out.print(one_line(cure), style="dim")
    return 0
