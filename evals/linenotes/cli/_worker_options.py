"""The options that say where samples are executed."""

from __future__ import annotations

import click

from linenotes.cli._options import together

worker_options = together(
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Processes that share the samples in flight.",
    ),
    click.option(
        "--executor",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Where the workers are: this machine, or a Ray cluster.",
    ),
    click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="The cluster to join, such as auto. Default: one on this machine.",
    ),
)
"""Add the options that share the work out to several processes or machines."""
