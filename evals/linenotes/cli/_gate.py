"""`linenotes gate`: whether a version may replace the baseline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, cast

import click
from click.core import ParameterSource

from linenotes.cli._asked import choice_of, conduct_of, margins_of
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
    from linenotes.cli._budget_options import Limits
    from linenotes.evals import ExecutorName
    from linenotes.evals.statistics import Target
    from linenotes.tracing import RecordMode

_EPILOG = """\b
Examples:
  linenotes gate support_desk --save-baseline champion
  linenotes gate support_desk --prompt triage=2
  linenotes gate support_desk --prompt triage=2 --baseline @v1 --promote
  linenotes gate app.py:graph --dataset cases.jsonl --baseline latest --margin 0.03
  linenotes gate support_desk --guardrail polite=0.02 --budget-usd 2 --json

\b
The exit code is the verdict: 0 pass or unchanged, 1 fail, 2 cannot measure, 3 inconclusive.
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


@click.command(cls=Sectioned, sections=_SECTIONS, epilog=_EPILOG)
@click.argument("agent")
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
    help="The exit code of an inconclusive gate.",
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
    help="On a pass, save the candidate as this baseline; as the first one without a gate.",
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
    agent: str,
    baseline: str,
    margin: float,
    target: Target,
    superiority: bool,
    metric: str | None,
    guardrails: tuple[str, ...],
    inconclusive: str,
    fresh: bool,
    allow_changed_cases: bool,
    save_as: str | None,
    promote_to: str | None,
    dataset: str | None,
    split: str | None,
    limit: int | None,
    samples: int,
    concurrency: int,
    sample_timeout: float,
    sample_retries: int,
    workers: int,
    executor: ExecutorName,
    ray_address: str | None,
    seed: int,
    prompts: tuple[str, ...],
    models: tuple[str, ...],
    temperature: float | None,
    scorers: tuple[str, ...],
    record: RecordMode | None,
    replay: bool,
    live: str | None,
    strict: bool,
    limits: Limits,
    as_json: bool,
) -> int:
    """Say whether a version of AGENT may replace the baseline, by as few samples as it takes.

    The gate is looked at after 1, 2, 3, 4, 5, 6, 8 and 10 samples of each case, at levels that
    hold over all looks together, and stops as soon as it is decided. With a saved baseline or a
    run only the candidate is called. Where the version, the data and the scorers are those of the
    baseline nothing is called at all. A gate that was stopped goes on when it is run again.
    """
    from linenotes.agents import load_agent
    from linenotes.cli._gates import carry_out_gate, carry_out_saving
    from linenotes.evals import (
        Arm,
        Gate,
        GateOrder,
        check_baseline_place,
        choose_cases,
        find_base,
        find_baseline,
        find_scorers,
        quarantined,
        single_version,
    )
    from linenotes.project import Project

    project = Project.find()
    conduct = conduct_of(
        project,
        record=record,
        replay=replay,
        live=live,
        strict=strict,
        limits=limits,
        sample_timeout=sample_timeout,
        concurrency=concurrency,
        sample_retries=sample_retries,
        workers=workers,
        executor=executor,
        ray_address=ray_address,
    )
    found = load_agent(agent, project)
    choice = choice_of(prompts, models, temperature)
    candidate = single_version(found, choice)
    cases = choose_cases(found, dataset, split=split, limit=limit)
    own = found.settings.scorers
    judges = find_scorers(scorers or own, project, at_hand=own)
    gate = Gate(
        baseline=baseline,
        margin=margin,
        target=target,
        superiority=superiority,
        metric=metric,
        guardrails=margins_of(guardrails),
        inconclusive=cast("Literal[0, 1, 3]", int(inconclusive)),
    )
    named = {"agent": found.name, "dataset": cases.name}
    if save_as is not None:
        check_baseline_place(project, save_as, **named)
    if save_as and not _is_named("baseline") and find_baseline(project, baseline, **named) is None:
        return carry_out_saving(
            project,
            conduct,
            lambda e: e.run([Arm(candidate, samples)], cases, judges, seed=seed),
            save_as=save_as,
            target=target,
            as_json=as_json,
        )
    order = GateOrder(
        gate,
        find_base(project, baseline, candidate=candidate, dataset=cases),
        candidate,
        cases,
        judges,
        samples=samples,
        seed=seed,
        fresh=fresh,
        allow_changed_cases=allow_changed_cases,
        quarantine=quarantined(project, cases.name, datetime.now().astimezone().date()),
    )
    return carry_out_gate(
        project, conduct, order, save_as=save_as, promote_to=promote_to, as_json=as_json
    )


def _is_named(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
