"""A comparison as text: what differs, the difference with its interval, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals._wording import SPEAKS_OF, counted, named
from linenotes.evals.comparing._comparison import RunComparison

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison


def verdict(comparison: RunComparison) -> str:
    """Return a comparison as one sentence: difference, interval, and what follows from it."""
    found = comparison.result
    head = f"{comparison.candidate.version} against {comparison.base.version}, {comparison.metric}"
    if found.verdict == "cannot measure" or found.delta is None:
        return f"{head}: CANNOT MEASURE. {' '.join(found.notes)}"
    unit = " points" if comparison.is_rate else ""
    return (
        f"{head}: {found.verdict.upper()}. {_signed(found.delta, rate=comparison.is_rate)}{unit} "
        f"({_bounds(comparison)}, n={found.n_cases}). {_meaning(comparison)}"
    )


def _bounds(comparison: RunComparison) -> str:
    found = comparison.result
    if found.low is None or found.high is None:
        return "no interval"
    low, high = (_signed(value, rate=comparison.is_rate) for value in (found.low, found.high))
    return f"95% {low} to {high}"


def _meaning(comparison: RunComparison) -> str:
    found = comparison.result
    margin = _size(found.margin, rate=comparison.is_rate)
    if found.verdict == "pass" and (found.shown == "better" or found.margin == 0):
        return "It is better."
    if found.verdict == "pass" and found.is_worse:
        return f"It is worse, but by less than {margin}."
    if found.verdict == "pass":
        return f"A drop of {margin} is ruled out; that it is better is not shown."
    if found.verdict == "fail":
        return f"It is worse (one-sided test at {100 * found.alpha:.0f}%)."
    seen = f"It seems {found.shown}" if found.shown else "Neither better nor worse is shown"
    return f"{seen}: a drop of {margin} is not ruled out. {_to_decide(found)}".rstrip()


def _to_decide(found: Comparison) -> str:
    """Say what it would take to decide, if the difference stays what it is."""
    ways = []
    if found.samples_to_decide is not None:
        ways.append(f"{found.samples_to_decide} samples a case")
    if found.cases_to_decide is not None:
        ways.append(f"{found.cases_to_decide:,} cases")
    return f"To decide: {' or '.join(ways)}." if ways else ""


def lines(comparison: RunComparison) -> list[str]:
    """Return a comparison of two stored runs, line by line."""
    found = comparison.result
    base, candidate = comparison.base, comparison.candidate
    told = [
        f"base       {base.run_id[:12]}  {base.agent} {base.version}  K={base.samples}",
        f"candidate  {candidate.run_id[:12]}  {candidate.agent} {candidate.version}"
        f"  K={candidate.samples}",
        f"differs    {'; '.join(comparison.differences) or 'nothing: equal fingerprints'}",
        f"speaks of  {SPEAKS_OF[found.target]}",
        "",
        verdict(comparison),
        f"{counted(found.improved, 'case')} improved, {found.worsened} got worse, "
        f"{found.unchanged} stayed as they were ({found.method}).",
        power(comparison),
    ]
    if found.verdict != "cannot measure":
        told += found.notes
    told += comparison.savings
    alone = sorted({*found.only_in_base, *found.only_in_candidate})
    if alone:
        cases = counted(len(alone), "case")
        told.append(f"{cases} scored in only one of the runs, left out: {named(alone)}.")
    return told


def power(comparison: RunComparison) -> str:
    """Say how small a change the suite could have seen."""
    change = comparison.result.detectable_change
    if change is None:
        return ""
    if comparison.is_rate and change >= 1:
        return "This suite is too small to detect any change with 80% power."
    return (
        f"This suite could detect a change of {_size(change, rate=comparison.is_rate)} "
        "with 80% power."
    )


def _signed(value: float, *, rate: bool) -> str:
    return f"{100 * value:+.0f}" if rate else f"{value:+.3g}"


def _size(value: float, *, rate: bool) -> str:
    return f"{100 * value:.0f} points" if rate else f"{value:.3g}"
