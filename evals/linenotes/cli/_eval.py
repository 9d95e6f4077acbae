"""`linenotes eval`: evaluate one or several versions of an agent."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from linenotes.cli._asked import choice_of, conduct_of
from linenotes.cli._budget_options import budget_options
from linenotes.cli._estimating import estimate_options
from linenotes.cli._evaluation_options import (
    case_options,
    concurrency_option,
    scorer_option,
    seed_option,
)
from linenotes.cli._options import (
    json_option,
    margin_option,
    target_option,
    version_options,
)
from linenotes.cli._patience_options import patience_options
from linenotes.cli._recording_options import recording_options
from linenotes.cli._resuming import check_resume_options, resume_options
from linenotes.cli._sections import Sectioned
from linenotes.cli._worker_options import worker_options

if TYPE_CHECKING:
    from linenotes.cli._budget_options import Limits
    from linenotes.evals import ExecutorName
    from linenotes.evals.statistics import Target
    from linenotes.tracing import RecordMode

_EPILOG = """\b
Examples:
  linenotes eval support_desk --samples 3 --limit 20
  linenotes eval app.py:graph --dataset cases.jsonl --prompt worker=1,2 --samples 5
  linenotes eval app.py:graph --dataset cases.jsonl --scorer scorers.py:is_polite
  linenotes eval app.py:graph --dataset cases.jsonl --workers 4 -j 100
  linenotes eval app.py:graph --dataset cases.jsonl --record auto
  linenotes eval app.py:graph --dataset cases.jsonl --replay --strict
  linenotes eval support_desk --samples 5 --dry-run
  linenotes eval support_desk --samples 5 --budget-usd 2
  linenotes eval --resume latest --samples 10
"""


_SECTIONS = {
    "What is evaluated": (
        *("dataset", "split", "limit", "samples", "seed"),
        *("prompts", "models", "temperature", "scorers"),
    ),
    "How it is carried out": (
        *("concurrency", "workers", "executor", "ray_address"),
        *("sample_timeout", "sample_retries"),
    ),
    "What it may cost": (
        *("budget_usd", "budget_tokens", "budget_calls", "budget_seconds"),
        *("dry_run", "pilot"),
    ),
    "Recordings": ("record", "replay", "live", "strict"),
    "Going on": ("resume", "retry_errors", "go_on"),
    "What the intervals say": ("target", "margin"),
}


@click.command(cls=Sectioned, sections=_SECTIONS, epilog=_EPILOG)
@click.argument("agent", required=False)
@case_options
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="Of each case. Default: 3; with --resume as many as the run has, more top it up.",
)
@concurrency_option
@patience_options
@worker_options
@seed_option
@version_options
@scorer_option
@recording_options
@budget_options
@estimate_options
@target_option
@margin_option
@resume_options
@json_option
def command(
    agent: str | None,
    dataset: str | None,
    split: str | None,
    limit: int | None,
    samples: int | None,
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
    dry_run: bool,
    pilot: int | None,
    target: Target,
    margin: float,
    resume: str | None,
    retry_errors: bool,
    go_on: bool | None,
    as_json: bool,
) -> int:
    """Evaluate AGENT on a dataset, several samples a case.

    AGENT is a name from pyproject.toml or langgraph.json, or module:attr, or path.py:attr. With
    several prompts or models the versions run interleaved and end in one comparison. Everything
    is journalled as it happens and ends as one MLflow run a version.

    A budget is checked before each model call of an agent that goes through LangChain, and calls
    in flight end; what a node asks of a provider's own client, and scorers of judges, is not seen.
    """
    from linenotes.agents import load_agent
    from linenotes.cli._estimating import show_forecast, show_pilot, told_from_earlier_runs
    from linenotes.cli._evaluations import carry_out, goes_on, show
    from linenotes.evals import (
        DEFAULT_SAMPLES,
        RunStore,
        arms,
        choose_cases,
        find_scorers,
        find_stopped,
    )
    from linenotes.project import Project
    from linenotes.tracing import RecordingPolicy

    check_resume_options()
    if dry_run and pilot:
        raise click.UsageError("Give one of --dry-run and --pilot.")
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
    carried_out = partial(
        carry_out,
        project,
        conduct=conduct,
        target=target,
        show=partial(show, target=target, margin=margin, as_json=as_json),
    )
    if resume is not None:
        return carried_out(lambda e: e.resume(resume, samples=samples, retry_errors=retry_errors))
    assert agent is not None
    found = load_agent(agent, project)
    choice = choice_of(prompts, models, temperature)
    planned = arms(found, choice, samples=samples or DEFAULT_SAMPLES)
    own = found.settings.scorers
    wanted = find_scorers(scorers or own, project, at_hand=own)
    cases = choose_cases(found, dataset, split=split, limit=limit)
    if dry_run:
        told = told_from_earlier_runs(project, planned, cases, conduct)
        return show_forecast(told, as_json=as_json)
    if pilot:
        once, some = [replace(arm, samples=1) for arm in planned], cases.select(limit=pilot)
        shown = partial(show_pilot, planned, cases, conduct, as_json=as_json)
        return carried_out(lambda e: e.run(once, some, wanted, seed=seed), show=shown)
    asked = conduct.recordings or RecordingPolicy.of(project)
    stopped = find_stopped(
        RunStore.of(project), planned, cases, wanted, recordings=asked, seed=seed
    )
    if stopped is not None and goes_on(stopped, go_on):
        return carried_out(lambda e: e.resume(stopped.run_id))
    if stopped is None and go_on:
        click.echo("No evaluation like this was stopped. A new one is started.", err=True)
    return carried_out(lambda e: e.run(planned, cases, wanted, seed=seed))
