"""Carrying out an evaluation in a terminal, and showing what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from linenotes.cli._console import Live, agents_print_to_stderr, console, print_json, table
from linenotes.cli._interrupts import stop_on_interrupt
from linenotes.cli._ledgers import one_line, printable
from linenotes.cli._main import FAIL, USAGE
from linenotes.evals import (
    Conduct,
    Evaluation,
    RunComparison,
    RunResult,
    compare_all,
    evaluation_document,
    report,
)
from linenotes.project import Project

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


def carry_out(
    project: Project,
    work: Callable[[Evaluation], list[RunResult]],
    conduct: Conduct,
    *,
    target: Target,
) -> list[RunResult]:
    """Run `work` with progress on stderr; Ctrl-C stops it, and keeps what had finished."""
    with stop_on_interrupt() as stop, Live() as live, agents_print_to_stderr():
        return work(Evaluation(project, conduct, target=target, progress=live, stop=stop))


def show(results: Sequence[RunResult], *, target: Target, margin: float, as_json: bool) -> int:
    """Print results, with comparisons where there are several versions; return the exit code."""
    records = [result.record for result in results]
    comparisons = compare_all(records, target=target, margin=margin)
    if as_json:
        print_json(evaluation_document(results, comparisons))
    else:
        _print(results, comparisons)
    if not all(result.scored for result in results):
        return USAGE
    return FAIL if any(_lacks_use(result) for result in results) else 0


def _lacks_use(result: RunResult) -> bool:
    """Tell whether recordings went unused in a run that was to be strict about that."""
    use = result.recordings
    return use is not None and use.policy.strict and bool(use.unused)


def _print(results: Sequence[RunResult], comparisons: Sequence[RunComparison]) -> None:
    out = console()
    out.print(one_line(report.title(results)))
    out.print()
    out.print(table(report.rows(results)))
    out.print()
    for line in report.pass_hat_lines(results):
        out.print(printable(line))
    for line in report.closing_lines(results, comparisons):
        out.print(one_line(line))
    out.print()
    compare = "   linenotes compare latest~1 latest" if len(results) > 1 else ""
    newest = results[-1].record.plan.run_id[:12]
    out.print(f"run {newest}{compare}   linenotes ui", style="dim")
