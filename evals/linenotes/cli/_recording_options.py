"""The options that say how the calls of an evaluation meet recordings."""

from __future__ import annotations

import click

from linenotes.cli._options import together

recording_options = together(
    click.option(
        "--record",
        type=click.Choice(["none", "auto", "all"]),
        help="auto: replay what is recorded, record the rest. all: record everything anew. "
        "Default: the project's setting, or none.",
    ),
    click.option("--replay", is_flag=True, help="Call nothing: what is not recorded is an error."),
    click.option(
        "--live",
        metavar="AGENT[,AGENT…]",
        help="Call these agents for real and replay the others.",
    ),
    click.option("--strict", is_flag=True, help="Fail when recordings of the samples go unused."),
)
"""Add `--record`, `--replay`, `--live` and `--strict`."""


def listed(live: str | None) -> tuple[str, ...]:
    """Read `triage,reviewer`."""
    names = tuple(name.strip() for name in (live or "").split(",")) if live is not None else ()
    if not all(names):
        raise click.UsageError(f"--live takes AGENT[,AGENT…], not {live!r}.")
    return names
