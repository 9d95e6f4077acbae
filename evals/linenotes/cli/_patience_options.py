"""Options that say how long samples may take, and how often they are tried."""

from __future__ import annotations

import click

from linenotes.cli._options import together

patience_options = together(
    click.option(
        "--sample-timeout",
        type=click.FloatRange(min=0),
        default=3600,
        show_default=True,
        metavar="SECONDS",
        help="What one sample may take; 0 is as long as it wants.",
    ),
    click.option(
        "--sample-retries",
        type=click.IntRange(min=0),
        default=1,
        show_default=True,
        metavar="N",
        help="Execute a sample again that the infrastructure failed.",
    ),
)
"""Add the options for samples that take long or that the infrastructure fails."""
