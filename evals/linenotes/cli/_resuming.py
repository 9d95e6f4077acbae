"""Options of `eval` that go on with an evaluation that is there, and what they go with."""

from __future__ import annotations

import click
from click.core import ParameterSource

from linenotes.cli._options import together

_OF_HOW = {
    *("resume", "samples", "retry_errors", "target", "margin", "as_json"),
    *("concurrency", "sample_timeout", "sample_retries"),
    *("workers", "executor", "ray_address"),
    *("budget_usd", "budget_tokens", "budget_calls", "budget_seconds"),
}
"""Options that may stand beside --resume; the others say what is measured, which the run knows."""


resume_options = together(
    click.option(
        "--resume", metavar="RUN", help="Execute what a run lacks, and what --samples adds."
    ),
    click.option(
        "--retry-errors",
        is_flag=True,
        help="With --resume: execute again what the infrastructure failed.",
    ),
    click.option(
        "--continue/--new",
        "go_on",
        default=None,
        help="Where the same evaluation was stopped: continue it, or start anew. "
        "Default: ask in a terminal, else start anew.",
    ),
)
"""Add the options that continue a run."""


def check_resume_options() -> None:
    """Refuse options of the command that contradict one another.

    Raises:
        click.UsageError: some do.
    """
    context = click.get_current_context()
    given = context.params
    if (given["agent"] is None) == (given["resume"] is None):
        raise click.UsageError("Name an AGENT, or --resume a RUN.")
    if given["resume"] is None:
        if given["retry_errors"]:
            raise click.UsageError("--retry-errors goes with --resume RUN.")
        return
    for option in context.command.params:
        name = str(option.name)
        if _is_named(context, option) and name not in _OF_HOW:
            raise click.UsageError(
                f"{option.opts[0]} does not go with --resume: the run keeps what it was started "
                "with. Leave it out, or start a new run."
            )


def _is_named(context: click.Context, option: click.Parameter) -> bool:
    source = context.get_parameter_source(str(option.name))
    return source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
