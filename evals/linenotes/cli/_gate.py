"""`linenotes gate`: whether a version may replace the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack, cast

import click

from linenotes.cli._asked import margins_of
from linenotes.cli._budget_options import budget_options
from linenotes.cli._evaluation_options import (
    case_options,
    concurrency_option,
    scorer_option,
    seed_option,
)
from linenotes.cli._options import json_option, margin_option, version_options
from linenotes.cli._patience_options import patience_options
from linenotes.cli._recording_options import recording_options
from linenotes.cli._sections import Sectioned
from linenotes.cli._worker_options import worker_options

if TYPE_CHECKING:
    from linenotes.cli._gate_agents import Executing
    from linenotes.evals.statistics import Target

_EPILOG = """\b
Examples:
  linenotes gate support_desk --save-baseline champion
  linenotes gate support_desk --prompt triage=2
  linenotes gate support_desk --prompt triage=2 --baseline @v1 --promote
  linenotes gate app.py:graph --dataset cases.jsonl --baseline latest --margin 0.03
  linenotes gate support_desk --guardrail polite=0.02 --budget-usd 2 --json
  linenotes gate latest --baseline latest~1
  linenotes gate support_desk --baseline 3f9a --save-baseline champion

\b
The exit code is the verdict: 0 pass or unchanged, 1 fail, 2 cannot measure, 3 inconclusive.
With --superiority UNCHANGED is 3, too: what is identical is not better.
"""
_SECTIONS = {
    "What must hold": (
        *("baseline", "margin", "target", "superiority", "metric", "guardrails", "inconclusive"),
        *("fresh", "allow_changed_cases"),
    ),
    "What follows": ("save_as", "promote_to"),
    "What is evaluated": (
        *("dataset", "split", "limit", "samples", "seed"),
        *("prompts", "models", "temperature", "scorers"),
    ),
    "How it is carried out": (
        *("concurrency", "workers", "executor", "ray_address"),
        *("sample_timeout", "sample_retries"),
    ),
    "What it may cost": ("budget_usd", "budget_tokens", "budget_calls", "budget_seconds"),
    "Recordings": ("record", "replay", "live", "strict"),
}
_EXECUTING = (
    *("fresh", *_SECTIONS["What is evaluated"], *_SECTIONS["How it is carried out"]),
    *(*_SECTIONS["What it may cost"], *_SECTIONS["Recordings"]),
)
"""Options that say nothing of a run that is there already."""


@click.command(cls=Sectioned, sections=_SECTIONS, epilog=_EPILOG)
@click.argument("name", metavar="AGENT|RUN")
@click.option(
    "--baseline",
    metavar="NAME|RUN|[AGENT]@VERSION",
    default="champion",
    show_default=True,
    help="A saved baseline, a run, or a version that is run with the candidate.",
)
@margin_option
@click.option(
    "--target",
    type=click.Choice(["dataset", "population"]),
    default="dataset",
    show_default=True,
    help="What the verdict speaks of: exactly these cases, or cases like these.",
)
@click.option("--superiority", is_flag=True, help="Pass only what is shown to be better.")
@click.option("--metric", help="The one that decides. Default: the first.")
@click.option(
    "--guardrail",
    "guardrails",
    multiple=True,
    metavar="METRIC=MARGIN",
    help="Repeatable: a metric that must not drop by its margin either.",
)
@click.option(
    "--inconclusive",
    type=click.Choice(["0", "1", "3"]),
    default="3",
    show_default=True,
    help="The exit code where nothing is shown: inconclusive, or no better with --superiority.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Run although nothing differs, and go on with no gate that was stopped.",
)
@click.option("--allow-changed-cases", is_flag=True, help="Compare although cases have changed.")
@click.option(
    "--save-baseline",
    "save_as",
    metavar="NAME",
    help="On a pass, save the candidate as this baseline, with all --samples also where it passed "
    "early; where nothing has changed, the baseline's own run; as the first one without a gate.",
)
@click.option(
    "--promote",
    "promote_to",
    is_flag=False,
    flag_value="champion",
    metavar="[ALIAS]",
    help="On a pass, move this alias of the prompts and of the version. Default: champion.",
)
@case_options
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Of each case, at most.",
)
@concurrency_option
@patience_options
@worker_options
@seed_option
@version_options
@scorer_option
@recording_options
@budget_options
@json_option
def command(
    name: str,
    baseline: str,
    margin: float,
    target: Target,
    superiority: bool,
    metric: str | None,
    guardrails: tuple[str, ...],
    inconclusive: str,
    save_as: str | None,
    promote_to: str | None,
    allow_changed_cases: bool,
    as_json: bool,
    **executing: Unpack[Executing],
) -> int:
    """Say whether a version of AGENT may replace the baseline, by as few samples as it takes.

    The gate is looked at after 1, 2, 3, 4, 5, 6, 8 and 10 samples of each case, at levels that
    hold over all looks together, and stops as soon as it is decided. With a saved baseline or a
    run only the candidate is called. Where the version, the data and the scorers are those of the
    baseline nothing is called at all. A gate that was stopped goes on when it is run again. It
    fails before anything is called while an entry of quarantine.yaml has expired.

    RUN is a run that is there already, such as results of another tool (`linenotes import`), by its
    id, a prefix of it, latest or latest~1. All of its samples decide, once, and nothing is called.
    """
    from linenotes.cli._gate_agents import gate_agent
    from linenotes.cli._gate_runs import find_run, gate_run
    from linenotes.cli._gates import Asked
    from linenotes.evals import Gate
    from linenotes.project import Project

    asked = Asked(
        Gate(
            baseline=baseline,
            margin=margin,
            target=target,
            superiority=superiority,
            metric=metric,
            guardrails=margins_of(guardrails),
            inconclusive=cast("Literal[0, 1, 3]", int(inconclusive)),
        ),
        save_as=save_as,
        promote_to=promote_to,
        allow_changed_cases=allow_changed_cases,
        as_json=as_json,
    )
    project = Project.find()
    record = find_run(project, name)
    if record is None:
        return gate_agent(project, name, asked, **executing)
    return gate_run(project, record, asked, refused=_EXECUTING)
