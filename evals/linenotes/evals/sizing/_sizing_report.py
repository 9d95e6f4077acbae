"""How large a suite must be, as text."""

from __future__ import annotations

import math
from collections.abc import Iterator

from linenotes.evals._wording import SPEAKS_OF, counted, sized
from linenotes.evals.sizing._suite_sizes import ALPHA, Answer, Depth, SuiteSize
from linenotes.tracing import dollars

_MINUTE, _HOUR = 60.0, 3600.0


def head(found: SuiteSize) -> list[str]:
    """Return what the plan rests on, line by line."""
    pilot = found.pilot
    clusters = f" in {pilot.n_clusters} clusters" if pilot.n_clusters else ""
    few, most = pilot.samples
    depth = str(few) if few == most else f"{few} to {most}"
    lines = [
        f"pilot      {run.run_id[:12]}  {run.agent} {run.version}  on {run.dataset.name}"
        for run in found.runs
    ]
    return [
        *lines,
        f"size       n={pilot.n_cases} cases{clusters}, K={depth}",
        f"metric     {found.metric}",
        f"variance   {_variance(found)}",
        *_assumed(found),
        f"speaks of  {SPEAKS_OF[found.wish.target]}; two-sided tests at {100 * ALPHA:.0f}%, "
        f"{100 * found.wish.power:.0f}% power",
    ]


def _variance(found: SuiteSize) -> str:
    spread = found.pilot.spread
    within = f"within a case {spread.noise(1):.3g}"
    if found.wish.target == "dataset":
        return f"of a difference {within}; what lies between cases does not count"
    noise = within if found.pilot.noise_is_known else "noise included"
    return f"of a difference between cases {spread.between:.3g}, {noise}"


def _assumed(found: SuiteSize) -> Iterator[str]:
    if not found.correlation_is_assumed:
        return
    yield (
        f"assumed    two versions vary alike over cases and correlate {found.wish.correlation:g}: "
        "one run does not show it"
    )


def tables(found: SuiteSize) -> list[list[tuple[str, ...]]]:
    """Return a table a wanted change: a header and a row for each K."""
    return [_table(found, which) for which in range(len(found.wish.changes))]


def _table(found: SuiteSize, which: int) -> list[tuple[str, ...]]:
    change = sized(found.wish.changes[which], rate=found.is_rate)
    wanted = f"power for {change}" if found.wish.target == "dataset" else f"cases for {change}"
    return [
        ("K", f"detects with n={found.pilot.n_cases}", wanted, "samples", "cost", "agents work"),
        *(_row(found, depth, which) for depth in found.depths),
    ]


def _row(found: SuiteSize, depth: Depth, which: int) -> tuple[str, ...]:
    need = depth.needs[which]
    return (
        str(depth.samples),
        sized(depth.detectable, rate=found.is_rate),
        f"{100 * need.power:.0f}%" if found.wish.target == "dataset" else f"{need.cases:,}",
        f"{need.samples:,}",
        dollars(need.cost) or "$0" if need.cost is not None else "–",
        "–" if need.seconds is None else duration(need.seconds),
    )


def closing_lines(found: SuiteSize) -> list[str]:
    """Return what follows from the tables."""
    if found.wish.target == "dataset":
        return [_on_these_cases(found, answer) for answer in found.answers]
    return [*_on_samples(found), *_on_money(found), *_otherwise(found)]


def _on_these_cases(found: SuiteSize, answer: Answer) -> str:
    change, cases = sized(answer.change, rate=found.is_rate), counted(found.pilot.n_cases, "case")
    samples = f"{counted(answer.samples, 'sample')} each in either version"
    if answer.cases == found.pilot.n_cases:
        return f"Exactly these {cases} show {change} with {samples}."
    like_these = f"{answer.cases:,} cases like these {found.pilot.n_cases}"
    return f"Add cases: {change} takes {like_these}, with {samples}."


def _on_samples(found: SuiteSize) -> Iterator[str]:
    cases = counted(found.pilot.n_cases, "case")
    if not found.pilot.noise_is_known:
        yield "One sample a case does not show what more would do: take 2 or more in both runs."
        return
    if found.pilot.spread.between <= 0:
        yield (
            "No difference between cases shows beyond the noise, and few cases can hide one: the "
            "plan is optimistic."
        )
    if not found.samples_help:
        yield "More samples cannot help: add cases."
    if found.floor > 0:
        floor = sized(found.floor, rate=found.is_rate)
        yield f"With {cases}, no number of samples detects less than {floor}."
    reached = [d for d in found.depths if d.detectable <= min(found.wish.changes)]
    if reached:
        change = sized(min(found.wish.changes), rate=found.is_rate)
        yield f"The {cases} detect {change} with {counted(reached[0].samples, 'sample')} each."


def _on_money(found: SuiteSize) -> Iterator[str]:
    if found.best_samples is not None:
        if math.isinf(found.best_samples):
            yield "For the money most is seen by as many samples a case as can be: K has no best."
        else:
            best = counted(round(found.best_samples), "sample")
            yield f"The best K for the money is {best} a case."
    elif found.pilot.noise_is_known:
        unknown = " and a sample (--sample-cost)" if found.depths[0].needs[0].cost is None else ""
        yield f"For the best K for the money, say what a case costs (--case-cost){unknown}."


def _otherwise(found: SuiteSize) -> Iterator[str]:
    if found.otherwise:
        change = sized(found.wish.changes[0], rate=found.is_rate)
        others = ", ".join(f"{n:,} at {rho:g}" for rho, n in found.otherwise.items())
        yield (
            f"Cases for {change} at K={found.pilot.samples[0]} by another correlation: {others}. "
            "Two runs of the pilot's cases show it: linenotes plan A B."
        )


def duration(seconds: float) -> str:
    """Return `42 s`, `3 min` or `2.5 h`."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
