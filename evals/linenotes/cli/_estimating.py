"""`eval --dry-run` and `eval --pilot`: what an evaluation will take, before it is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import together

if TYPE_CHECKING:
    from linenotes.datasets import Dataset
    from linenotes.evals import Arm, Conduct, Forecast, RecordedAhead, RunRecord, RunResult
    from linenotes.project import Project


estimate_options = together(
    click.option(
        "--dry-run",
        is_flag=True,
        help="Only tell from earlier runs what it would take; nothing is called.",
    ),
    click.option(
        "--pilot",
        type=click.IntRange(min=1),
        metavar="N",
        help="Only run N cases, spread evenly, once each, and tell from them what all would take.",
    ),
)
"""Adds the options that tell what an evaluation will take."""


def told_from_earlier_runs(
    project: Project, arms: Sequence[Arm], cases: Dataset, conduct: Conduct
) -> Forecast:
    """Return what the evaluation would take."""
    from linenotes.evals import RunStore, earlier_runs, recorded_ahead
    from linenotes.tracing import RecordingPolicy

    policy = conduct.recordings or RecordingPolicy.of(project)
    recorded = recorded_ahead(project, arms, cases, policy)
    found = earlier_runs(arms, cases, RunStore.of(project))
    return _forecast(arms, cases, found, conduct, recorded)


def show_pilot(
    arms: Sequence[Arm],
    cases: Dataset,
    conduct: Conduct,
    results: Sequence[RunResult],
    *,
    as_json: bool,
) -> int:
    """Print what an evaluation would take by what its pilot took; return the exit code."""
    sources = [result.record for result in results]
    return show_forecast(_forecast(arms, cases, sources, conduct), as_json=as_json)


def _forecast(
    arms: Sequence[Arm],
    cases: Dataset,
    sources: Sequence[RunRecord | None],
    conduct: Conduct,
    recorded: tuple[RecordedAhead, ...] = (),
) -> Forecast:
    from linenotes.evals import forecast

    return forecast(
        arms,
        cases,
        sources,
        concurrency=conduct.concurrency,
        budget=conduct.budget,
        recorded=recorded,
    )


def show_forecast(found: Forecast, *, as_json: bool) -> int:
    """Print what an evaluation would take; return the exit code."""
    from linenotes.cli._console import console, print_json, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import estimate_document, forecast_report

    if as_json:
        print_json(estimate_document(found))
        return 0
    out = console()
    out.print(one_line(forecast_report.title(found)))
    out.print()
    if rows := forecast_report.rows(found):
        out.print(table(rows))
        out.print()
    for line in forecast_report.closing_lines(found):
        out.print(one_line(line))
    return 0
