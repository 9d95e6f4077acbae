"""The options that say where samples are executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def worker_options(function: F) -> F:
    """Add the options that share the work out to several processes or machines."""
    options = [
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
    ]
    for option in reversed(options):
        function = option(function)
    return function
