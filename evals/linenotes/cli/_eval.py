"""`linenotes eval`: evaluate one or several versions of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import (
    choices,
    json_option,
    margin_option,
    target_option,
    version_options,
)
from linenotes.cli._recording_options import listed, recording_options

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target
    from linenotes.tracing import RecordMode

_EPILOG = """\b
Examples:
  linenotes eval support_desk --samples 3 --limit 20
  linenotes eval app.py:graph --dataset cases.jsonl --prompt worker=1,2 --samples 5
  linenotes eval app.py:graph --dataset cases.jsonl --scorer scorers.py:is_polite
  linenotes eval app.py:graph --dataset cases.jsonl --record auto
  linenotes eval app.py:graph --dataset cases.jsonl --replay --strict
  linenotes eval --resume latest
"""


@click.command(epilog=_EPILOG)
@click.argument("agent", required=False)
@click.option("--dataset", metavar="NAME|FILE", help="Golden cases. Default: the agent's own.")
@click.option("--split", help="Only the cases of this split.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many cases, spread evenly.")
@click.option("--samples", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("-j", "--concurrency", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@version_options
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="NAME|FILE:FUNCTION",
    help="Repeatable; the first is the primary metric. Default: the agent's own.",
)
@recording_options
@target_option
@margin_option
@click.option("--resume", metavar="RUN", help="Continue a run that was stopped.")
@json_option
def command(
    agent: str | None,
    dataset: str | None,
    split: str | None,
    limit: int | None,
    samples: int,
    concurrency: int,
    seed: int,
    prompts: tuple[str, ...],
    models: tuple[str, ...],
    temperature: float | None,
    scorers: tuple[str, ...],
    record: RecordMode | None,
    replay: bool,
    live: str | None,
    strict: bool,
    target: Target,
    margin: float,
    resume: str | None,
    as_json: bool,
) -> int:
    """Evaluate AGENT on a dataset, several samples a case.

    AGENT is a name from pyproject.toml or langgraph.json, or module:attr, or path.py:attr. With
    several prompts or models the versions run interleaved and end in one comparison. Everything
    is journalled as it happens and ends as one MLflow run a version.
    """
    from linenotes.agents import load_agent
    from linenotes.cli._evaluations import carry_out, show
    from linenotes.evals import (
        EVERY,
        Choice,
        Conduct,
        arms,
        asked_of_recordings,
        choose_cases,
        find_scorers,
        keys_for_replay,
    )
    from linenotes.project import Project

    if (agent is None) == (resume is None):
        raise click.UsageError("Name an AGENT, or --resume a RUN.")
    project = Project.find()
    policy = asked_of_recordings(record=record, replay=replay, live=listed(live), strict=strict)
    conduct = Conduct(concurrency=concurrency, recordings=policy)
    click.get_current_context().with_resource(keys_for_replay(project, policy))
    if resume is not None:
        results = carry_out(project, lambda e: e.resume(resume), conduct, target=target)
        return show(results, target=target, margin=margin, as_json=as_json)
    assert agent is not None
    found = load_agent(agent, project)
    choice = Choice(
        prompts=choices(prompts, everything=EVERY),
        models=choices(models, everything=EVERY),
        temperature=temperature,
    )
    planned = arms(found, choice, samples=samples)
    wanted = find_scorers(scorers or found.settings.scorers, project)
    cases = choose_cases(found, dataset, split=split, limit=limit)
    results = carry_out(
        project,
        lambda e: e.run(planned, cases, wanted, seed=seed),
        conduct,
        target=target,
    )
    return show(results, target=target, margin=margin, as_json=as_json)
