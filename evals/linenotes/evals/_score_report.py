"""One metric as text: its interval, its labels, and what a thousand cases are worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from linenotes.evals._labels import LabelShare
from linenotes.evals._results import RunResult
from linenotes.evals.journal._tables import is_rate

if TYPE_CHECKING:
    from linenotes.evals.statistics import Estimate

_WIDTH = 100
"""Columns of a line."""
_NOTHING = 1e-12
_CASES = 1000
"""How many cases a value is scaled to."""


def interval(estimate: Estimate, *, rate: bool) -> str:
    """Return `72%  62 to 81` for a rate, `3.14  2.9 to 3.4` for other numbers."""
    if estimate.mean is None:
        return "cannot measure"
    mean = f"{_number(estimate.mean, rate=rate)}%" if rate else _number(estimate.mean, rate=rate)
    if estimate.low is None or estimate.high is None:
        return f"{mean}  no interval"
    low, high = (_number(bound, rate=rate) for bound in (estimate.low, estimate.high))
    return f"{mean}  {low} to {high}"


def _number(value: float, *, rate: bool) -> str:
    plain = 0.0 if abs(value) < _NOTHING else value  # what rounding has left of a zero
    return f"{100 * plain:.0f}" if rate else f"{plain:.3g}"


def cell(result: RunResult, name: str) -> str:
    """Return the interval of a metric; of labels, that of the most frequent one."""
    for label, found in result.labels.get(name, {}).items():
        return f"{label} {interval(found.share, rate=True)}"
    return interval(result.estimates[name], rate=is_rate(result.record, name))


def label_lines(results: Sequence[RunResult]) -> Iterator[str]:
    """Yield the share of each label with its interval and count, a line for version and metric."""
    for result in results:
        for metric, labels in result.labels.items():
            version = result.record.plan.version
            head = f"{version} {metric}   " if len(results) > 1 else f"{metric}   "
            labelled = next(iter(labels.values())).labelled
            parts = [
                f"{label} {interval(found.share, rate=True)} ({found.count} of {labelled})"
                for label, found in labels.items()
            ]
            yield from filled(head, parts)


def value_lines(results: Sequence[RunResult]) -> Iterator[str]:
    """Yield what a thousand cases are worth, for each metric that is counted in a unit."""
    for result in results:
        plan = result.record.plan
        for metric, unit in plan.units.items():
            found = result.estimates[metric]
            if found.mean is not None:
                yield (
                    f"{plan.version}: {metric} of {_CASES:,} cases: {_CASES * found.mean:,.0f} "
                    f"{unit} ({_scaled_bounds(found)}, n={found.n_cases}, K={plan.samples})."
                )


def _scaled_bounds(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return "no interval"
    low, high = (round(_CASES * bound) for bound in (found.low, found.high))
    return f"95% {low:,} to {high:,}"


def label_rows(metric: str, labels: Mapping[str, LabelShare]) -> Iterator[str]:
    """Yield a row of a Markdown table for each label."""
    for label, found in labels.items():
        mean, _, bounds = interval(found.share, rate=True).partition("  ")
        yield f"| {metric}: {label} | {mean} | {bounds} | {found.share.target} |"


def filled(head: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield the parts behind the head, on as many lines as they need."""
    line = head + parts[0]
    for part in parts[1:]:
        if len(f"{line}   {part}") > _WIDTH:
            yield line
            line = " " * len(head) + part
        else:
            line = f"{line}   {part}"
    yield line
