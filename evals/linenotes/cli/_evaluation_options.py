"""Options of the verbs that execute samples: which cases, how many at a time, who judges."""

from __future__ import annotations

import click

from linenotes.cli._options import together

case_options = together(
    click.option("--dataset", metavar="NAME|FILE", help="Golden cases. Default: the agent's own."),
    click.option("--split", help="Only the cases of this split."),
    click.option(
        "--limit", type=click.IntRange(min=1), help="At most so many cases, spread evenly."
    ),
)
"""Add the options that choose cases."""

concurrency_option = click.option(
    "-j",
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Samples in flight, over all workers.",
)

seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Model calls derive theirs from it."
)

scorer_option = click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="NAME|FILE:FUNCTION",
    help="Repeatable; the first is primary. Default: the agent's own. See `linenotes scorers`.",
)
