"""Flaky cases as text: a grid of cases by samples, then what it adds up to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linenotes.evals._strips import strip
from linenotes.evals._wording import counted, named

if TYPE_CHECKING:
    from linenotes.evals.history._flaky import FlakyCase, FlakyReport
    from linenotes.evals.history._quarantine import Quarantine
    from linenotes.evals.statistics import CaseClass

_CASE, _GRID = 30, 34
"""Columns."""
_ROWS = 40
"""From so many cases on, those that always pass are only counted."""
_KINDS: tuple[CaseClass, ...] = ("stable pass", "stable fail", "flaky", "unknown")


def heading(report: FlakyReport) -> str:
    """Return what the report is of."""
    history = report.history
    plan = history.latest.plan
    samples = sum(len(run.outcomes) for run in history.runs)
    return (
        f"{plan.agent} {plan.version} on {plan.dataset.name}, {history.metric}: "
        f"{counted(len(report.cases), 'case')}, {counted(samples, 'sample')} "
        f"of {counted(len(history.runs), 'run')}"
    )


def grid(report: FlakyReport, *, everything: bool = False) -> list[tuple[str, ...]]:
    """Return the header and a row a case: id, class, passed, and its samples."""
    short = len(report.cases) > _ROWS and not everything
    shown = [
        one
        for one in report.cases
        if not short or one.stability.kind != "stable pass" or one.changed or one.quarantined
    ]
    header = ("case", "class", "passed", "samples, oldest run first")
    return [header, *(_row(one, report.quarantine) for one in shown)]


def _row(one: FlakyCase, quarantine: Quarantine) -> tuple[str, ...]:
    found = one.stability
    new = ", changed" if one.changed else ""
    held = ", held" if one.case in quarantine.cases else ""
    marks = " ".join(strip(run) for run in one.samples if run)
    if len(marks) > _GRID:
        marks = "…" + marks[1 - _GRID :]
    case = one.case if len(one.case) <= _CASE else one.case[: _CASE - 1] + "…"
    return (case, found.kind + new + held, f"{found.passed}/{found.samples}", marks)


def lines(report: FlakyReport, *, everything: bool = False) -> list[str]:
    """Return what stands under the grid."""
    kinds = [f"{len(report.of(kind))} {kind}" for kind in _KINDS]
    hidden = len(report.cases) + 1 - len(grid(report, everything=everything))
    told = [f"{counted(len(report.cases), 'case')}: {', '.join(kinds)}."]
    if hidden:
        told.append(f"{hidden} of those that always pass are not shown: --all.")
    told += [_changed(one) for one in report.changed]
    told += _unknown(report)
    told += report.history.notes
    told += quarantine_lines(report.quarantine)
    flaky = [one.case for one in report.of("flaky") if one.quarantined is None]
    if flaky:
        told.append(
            f"To keep one out of the gate for a while: linenotes flaky --quarantine {flaky[0]} "
            "--owner NAME --expires YYYY-MM-DD --reason TEXT"
        )
    return told


def _changed(one: FlakyCase) -> str:
    found = one.changed
    assert found is not None
    return (
        f"Changed: {one.case} passed {found.passed} of {found.samples} now, and "
        f"{found.passed_before} of {found.samples_before} before (adjusted p={found.p:.2g})."
    )


def _unknown(report: FlakyReport) -> Iterator[str]:
    unknown = report.of("unknown")
    more = {one.case: one.stability.more_samples for one in unknown}
    soon = sorted((count, case) for case, count in more.items() if count is not None)
    never = [case for case, count in more.items() if count is None]
    if soon:
        most = soon[-1][0]
        range_ = f"{soon[0][0]} to {most}" if soon[0][0] < most else str(most)
        yield (
            f"Unknown: if their samples go on alike, {range_} more a case would settle "
            f"{named([case for _, case in soon])}."
        )
    if never:
        yield f"Unknown, and so near a border that samples will not settle it: {named(never)}."


def quarantine_lines(quarantine: Quarantine) -> list[str]:
    """Say which cases do not gate, until when and whose they are, and what has expired."""
    held = [
        f"In quarantine: {one.case} ({one.dataset}) until {one.expires}, {one.owner}: {one.reason}"
        for one in quarantine.active
    ]
    return [*held, *quarantine.problems]
