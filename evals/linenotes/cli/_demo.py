"""`linenotes demo`: the whole story on the shipped support desk."""

from __future__ import annotations

import click

from linenotes.cli._options import json_option

_EPILOG = """\b
Example:
  linenotes demo
"""

_QUESTION = "someone stole my credit card, what do i do"


@click.command(epilog=_EPILOG)
@click.option("--limit", type=click.IntRange(min=2), default=11, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=2, show_default=True)
@json_option
@click.pass_context
def command(context: click.Context, limit: int, samples: int, as_json: bool) -> int:
    """Run the shipped support desk once, then evaluate two versions of its prompts.

    A real language model of 135 million parameters runs on this machine; no key, no network. The
    last screen says which version is better, by how much, and how sure that is.
    """
    from linenotes.cli import _eval, _run

    if not as_json:
        click.secho("1. One customer, five agents, one model", bold=True)
        context.invoke(_run.command, agent="support_desk", text=_QUESTION)
        click.secho(
            f"\n2. Two versions of the prompts, {limit} golden cases, {samples} samples each",
            bold=True,
        )
    code = context.invoke(
        _eval.command,
        agent="support_desk",
        limit=limit,
        samples=samples,
        prompts=("1,2",),
        concurrency=2,
        as_json=as_json,
    )
    if not as_json:
        click.echo("MLflow has the runs, the conversations, the prompts and the dataset: make ui")
    return int(code)
