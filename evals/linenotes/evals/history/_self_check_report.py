"""What an A/A check says, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linenotes.evals._wording import SPEAKS_OF, counted, more_samples, named, sized
from linenotes.evals.history._run_self_check import RunSelfCheck

if TYPE_CHECKING:
    from linenotes.evals.statistics import Alarms, SelfCheck


def head(check: RunSelfCheck) -> list[str]:
    """Return what was checked and what was found, line by line."""
    found, history = check.result, check.history
    plan = history.latest.plan
    return [
        f"{plan.agent} {plan.version} on {plan.dataset.name}, {history.metric}: "
        f"{_cases(found)} of {counted(len(history.runs), 'run')}",
        f"speaks of  {SPEAKS_OF[found.target]}",
        "",
        _found(found) if found.gate is not None else _unmeasured(check),
    ]


def rows(check: RunSelfCheck) -> list[tuple[str, ...]]:
    """Return a header and a row for either way of deciding; empty where nothing was measured."""
    found, rate = check.result, check.history.is_rate
    if found.gate is None or found.at_once is None:
        return []
    header = ("", "false alarms", "95%", "pass", "inconclusive", "samples", "drop seen")
    return [
        header,
        ("the gate, look by look", *_cells(found.gate, rate=rate)),
        ("all samples at once", *_cells(found.at_once, rate=rate)),
    ]


def closing_lines(check: RunSelfCheck) -> list[str]:
    """Return what to know of the numbers."""
    found, history = check.result, check.history
    told = [] if found.gate is None else [*_on_numbers(found, rate=history.is_rate)]
    if found.left_out:
        cases = counted(len(found.left_out), "case")
        told.append(f"{cases} with too few samples to split, left out: {named(found.left_out)}.")
    if check.quarantined:
        cases = counted(len(check.quarantined), "case")
        told.append(f"{cases} in quarantine, left out: {named(check.quarantined)}.")
    return [*told, *history.notes]


def _cases(found: SelfCheck) -> str:
    clusters = "" if found.n_clusters is None else f" in {counted(found.n_clusters, 'cluster')}"
    return counted(found.n_cases, "case") + clusters


def _unmeasured(check: RunSelfCheck) -> str:
    instead = ""
    if check.result.target == "dataset":
        instead = " Or speak of cases like these, which takes half: --target population."
    cure = more_samples(check.history.latest.plan)
    return f"CANNOT MEASURE. {' '.join(check.result.notes)} Take more: {cure}.{instead}"


def _found(found: SelfCheck) -> str:
    low, high = found.samples
    halves = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{found.finding.upper()}. Nothing has changed between two halves of {halves} samples a "
        f"case, so what fails is a false alarm: {found.splits:,} splits, designed for at most "
        f"{_percent(found.nominal)}."
    )


def _cells(alarms: Alarms, *, rate: bool) -> tuple[str, ...]:
    undecided = 1 - alarms.passes - alarms.false_alarms
    return (
        _percent(alarms.false_alarms),
        f"{_percent(alarms.low)} to {_percent(alarms.high)}",
        _percent(alarms.passes, 0),
        _percent(undecided, 0),
        _percent(alarms.samples_needed, 0),
        "none" if alarms.detects is None else sized(alarms.detects, rate=rate),
    )


def _on_numbers(found: SelfCheck, *, rate: bool) -> Iterator[str]:
    yield "samples: the mean share of those planned until it was decided."
    margin = f"a margin of {sized(found.margin, rate=rate)}"
    yield f"drop seen: the smallest one that fails 8 times in 10, with {margin}."
    if found.gate is not None and found.gate.detects is None:
        yield "The gate sees no drop so often: add cases or samples."


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f}%"
