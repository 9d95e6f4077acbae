"""Carrying out an evaluation in a terminal, and showing what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from linenotes.cli._console import Live, agents_print_to_stderr, console, print_json, table
from linenotes.cli._interrupts import stop_on_interrupt
from linenotes.cli._ledgers import one_line, printable
from linenotes.cli._main import FAIL, USAGE
from linenotes.evals import (
    Conduct,
    Evaluation,
    ImportedRun,
    NotPublished,
    RunComparison,
    RunPlan,
    RunResult,
    RunStore,
    StoppedRun,
    compare_all,
    evaluation_document,
    fails,
    report,
)
from linenotes.project import Project

if TYPE_CHECKING:
    from rich.console import Console

    from linenotes.evals.statistics import Target


def carry_out(
    project: Project,
    work: Callable[[Evaluation], list[RunResult]],
    conduct: Conduct,
    *,
    target: Target,
    show: Callable[[Sequence[RunResult]], int],
) -> int:
    """Run `work` with progress on stderr, show what came of it, and return the exit code.

    Ctrl-C stops it, and keeps what had finished. What could not be published is shown as well.

    Raises:
        NotPublished: the store lacks some of what was shown.
    """
    try:
        with stop_on_interrupt() as stop, Live() as live, agents_print_to_stderr():
            results = work(Evaluation(project, conduct, target=target, progress=live, stop=stop))
    except NotPublished as error:
        show(error.results)
        raise
    return show(results)


def goes_on(stopped: StoppedRun, wanted: bool | None) -> bool:
    """Say whether to continue an evaluation that was stopped: as told, or as a person answers.

    Where nobody can be asked, it is not continued, and a line says how it would be.
    """
    if wanted is not None:
        return wanted
    found = (
        f"The same evaluation was stopped with {stopped.kept} of {stopped.wanted} samples: "
        f"run {stopped.run_id[:12]}."
    )
    if sys.stdin.isatty() and sys.stderr.isatty():
        return click.confirm(f"{found} Continue it?", default=True, err=True)
    click.echo(
        f"{found} `linenotes eval --resume {stopped.run_id[:12]}` continues it, and so does "
        "--continue. A new one is started.",
        err=True,
    )
    return False


def show_run(result: RunResult, *, as_json: bool) -> int:
    """Print one result; return the exit code."""
    if as_json:
        print_json(result.document())
    else:
        _print([result], [])
    return 0 if result.scored else USAGE


def show(results: Sequence[RunResult], *, target: Target, margin: float, as_json: bool) -> int:
    """Print results, with comparisons where there are several versions; return the exit code."""
    records = [result.record for result in results]
    comparisons = compare_all(records, target=target, margin=margin)
    if as_json:
        print_json(evaluation_document(results, comparisons))
    else:
        _print(results, comparisons)
    if not all(result.scored for result in results) or any(map(_lacks_agents, results)):
        return USAGE
    return FAIL if any(result.lacks_use for result in results) else 0


def _lacks_agents(result: RunResult) -> bool:
    """Tell whether agents that were to be called for real did not call at all."""
    return result.recordings is not None and bool(result.recordings.absent)


def _print(results: Sequence[RunResult], comparisons: Sequence[RunComparison]) -> None:
    out = console()
    print_results(out, results, comparisons)
    out.print()
    for line in _ways_on(results):
        out.print(line, style="dim")


def print_results(
    out: Console, results: Sequence[RunResult], comparisons: Sequence[RunComparison] = ()
) -> None:
    """Print what was measured: its title, a row for each version, and what stands under them."""
    out.print(one_line(report.title(results)))
    out.print()
    out.print(table(report.rows(results)))
    out.print()
    for line in report.metric_lines(results):
        out.print(printable(line))
    for line in report.closing_lines(results, comparisons):
        out.print(one_line(line))
    for line in report.unstable_lines(results):
        out.print(printable(line))


def print_import(imported: ImportedRun, noun: str, *ways_on: str) -> None:
    """Print what was imported, how many of what that were, and what to do with it."""
    out, record = console(), imported.result.record
    print_results(out, [imported.result])
    count = len(record.outcomes)
    again = " before, so nothing was added" if imported.again else ""
    out.print(f"{count:,} {noun}{'' if count == 1 else 's'} imported{again}.")
    out.print()
    out.print("   ".join([f"run {record.plan.run_id[:12]}", *ways_on]), style="dim")


def _ways_on(results: Sequence[RunResult]) -> list[str]:
    """Return by which ids the runs are known, and what to do with them."""
    plans = [result.record.plan for result in results]
    ids = [plan.run_id[:12] for plan in plans]
    failed = [f"linenotes failures {_name(plans[-1])}"] if fails(results[-1].record) else []
    if len(ids) == 1:
        return ["   ".join([f"run {ids[0]}", *failed, "linenotes ui"])]
    named = [f"run {run_id}  {one_line(p.version)}" for run_id, p in zip(ids, plans, strict=True)]
    compared = f"linenotes compare {ids[0]} {ids[-1]}"
    return [*named, "   ".join([compared, *failed, "linenotes ui"])]


def _name(plan: RunPlan) -> str:
    """Return how a run is called: `latest` where it is that, else its id."""
    latest = RunStore.of(Project.find()).find("latest")
    return "latest" if latest.run_id == plan.run_id else plan.run_id[:12]
