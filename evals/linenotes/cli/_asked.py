"""What the options of several verbs ask for, as `linenotes.evals` takes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from linenotes.cli._options import choices
from linenotes.cli._recording_options import listed

if TYPE_CHECKING:
    from linenotes.cli._budget_options import Limits
    from linenotes.evals import Choice, Conduct, ExecutorName
    from linenotes.project import Project
    from linenotes.tracing import RecordMode


class _Places(TypedDict):
    """Options that `Conduct` takes as they are."""

    concurrency: int
    sample_retries: int
    workers: int
    executor: ExecutorName
    ray_address: str | None


def choice_of(prompts: Sequence[str], models: Sequence[str], temperature: float | None) -> Choice:
    """Return the prompts and models that `--prompt` and `--model` choose."""
    from linenotes.evals import EVERY, Choice

    return Choice(
        prompts=choices(prompts, everything=EVERY),
        models=choices(models, everything=EVERY),
        temperature=temperature,
    )


def conduct_of(
    project: Project,
    *,
    record: RecordMode | None,
    replay: bool,
    live: str | None,
    strict: bool,
    limits: Limits,
    sample_timeout: float,
    **places: Unpack[_Places],
) -> Conduct:
    """Return how samples are to be executed; a replay has its keys until the command ends."""
    from linenotes.evals import Budget, Conduct, asked_of_recordings, keys_for_replay

    policy = asked_of_recordings(record=record, replay=replay, live=listed(live), strict=strict)
    click.get_current_context().with_resource(keys_for_replay(project, policy))
    return Conduct(
        recordings=policy,
        budget=Budget.of(project, Budget(**limits)),
        sample_timeout=sample_timeout or None,
        **places,
    )


def margins_of(guardrails: Sequence[str]) -> dict[str, float]:
    """Read `--guardrail polite=0.02`."""
    found = {}
    for text in guardrails:
        metric, _, margin = text.rpartition("=")
        try:
            found[metric] = float(margin)
        except ValueError:
            found[metric] = math.nan
        if not metric or not 0 <= found[metric] < math.inf:
            raise click.UsageError(f"{text!r} is not METRIC=MARGIN, such as polite=0.02.")
    return found
