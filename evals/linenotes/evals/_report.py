"""Results as text: one table with a row a version, and a sentence for each comparison.

No number stands alone: each has its interval, and the line above the table says n, K and what
the intervals speak of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from linenotes.evals._comparison import RunComparison
from linenotes.evals._records import RunRecord
from linenotes.evals._results import RunResult
from linenotes.evals._tables import is_rate, score_table

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Estimate

_NAMED = 5
"""How many cases a sentence names."""


def title(results: Sequence[RunResult]) -> str:
    """Say what was measured: dataset, n, K, and what the intervals speak of."""
    plan = results[-1].record.plan
    estimate = next(iter(results[-1].estimates.values()))
    clusters = f" in {estimate.n_clusters} clusters" if estimate.n_clusters else ""
    samples = "samples" if plan.samples > 1 else "sample"
    speaks_of = {"population": "cases like these", "dataset": "exactly these cases"}
    return (
        f"{plan.agent} on {plan.dataset.name} ({plan.dataset.digest[:8]}): "
        f"n={len(plan.cases)} cases{clusters}, K={plan.samples} {samples}; "
        f"95% intervals for {speaks_of[estimate.target]}"
    )


def rows(results: Sequence[RunResult]) -> list[tuple[str, ...]]:
    """Return a header and a row for each version: its metrics with intervals, and its cost."""
    metrics = list(results[-1].estimates)
    deepest = results[-1].record.plan.samples
    hat = [f"pass^{deepest}"] if deepest > 1 and _has_rate(results) else []
    header = ("version", "K", *metrics, *hat, "calls", "s/sample")
    return [header, *(_row(result, metrics, with_hat=bool(hat)) for result in results)]


def _has_rate(results: Sequence[RunResult]) -> bool:
    return all(is_rate(result.record, result.record.plan.metrics[0]) for result in results)


def _row(result: RunResult, metrics: Sequence[str], *, with_hat: bool) -> tuple[str, ...]:
    record = result.record
    cells = [interval(result.estimates[name], rate=is_rate(record, name)) for name in metrics]
    if with_hat:
        cells.append(_pass_hat(record))
    return (
        record.plan.version,
        str(record.plan.samples),
        *cells,
        f"{result.calls:,}",
        f"{_mean_seconds(record):.2f}",
    )


def _pass_hat(record: RunRecord) -> str:
    from linenotes.evals.statistics import pass_hat

    scores = score_table(record, record.plan.metrics[0])
    fewest = int(scores.groupby("case").size().min()) if len(scores) else 0
    if fewest < record.plan.samples or record.plan.samples == 1:
        return "–"
    return interval(pass_hat(scores, record.plan.samples), rate=True)


def _mean_seconds(record: RunRecord) -> float:
    seconds = [sample.seconds for sample in record.samples.values()]
    return sum(seconds) / len(seconds) if seconds else 0.0


def interval(estimate: Estimate, *, rate: bool) -> str:
    """Return `72%  62 to 81` for a rate, `3.14  2.9 to 3.4` for other numbers."""
    if estimate.mean is None:
        return "cannot measure"
    mean = f"{100 * estimate.mean:.0f}%" if rate else f"{estimate.mean:.3g}"
    if estimate.low is None or estimate.high is None:
        return f"{mean}  no interval"
    low, high = (f"{100 * b:.0f}" if rate else f"{b:.3g}" for b in (estimate.low, estimate.high))
    return f"{mean}  {low} to {high}"


def failures(result: RunResult) -> list[str]:
    """Return a line for each kind of failure that a run met, with an example of it."""
    lines = []
    for kind, count in result.errors.items():
        if count:
            lines.append(
                f"{result.record.plan.version}: {count} {_MEANING[kind]} {_example(result, kind)}"
            )
    missing = result.traces.expected - result.traces.stored
    if missing:
        lines.append(
            f"{result.record.plan.version}: {missing} of {result.traces.expected} traces are not "
            "in the store."
        )
    return lines


_MEANING = {
    "infrastructure": "samples were lost to the infrastructure and are not scored:",
    "agent": "samples failed in the agent and count as failures:",
    "scorer": "samples could not be scored:",
}


def _example(result: RunResult, kind: str) -> str:
    if kind == "scorer":
        errors = (s.error for scores in result.record.scores.values() for s in scores)
        return str(next(error for error in errors if error))
    samples = result.record.samples.values()
    return str(next(s.error for s in samples if s.error and s.error.kind == kind))


def verdict(comparison: RunComparison) -> str:
    """Return a comparison as one sentence: difference, interval, and what follows from it."""
    found = comparison.result
    head = f"{comparison.candidate.version} against {comparison.base.version}, {comparison.metric}"
    if found.delta is None or found.low is None or found.high is None:
        return f"{head}: CANNOT MEASURE. {' '.join(found.notes)}"
    unit = " points" if comparison.is_rate else ""
    delta, low, high = (
        _signed(value, rate=comparison.is_rate) for value in (found.delta, found.low, found.high)
    )
    return (
        f"{head}: {found.verdict.upper()}. {delta}{unit} "
        f"(95% {low} to {high}, n={found.n_cases}). {_meaning(comparison)}"
    )


def _meaning(comparison: RunComparison) -> str:
    found = comparison.result
    margin = _size(found.margin, rate=comparison.is_rate)
    if found.verdict == "pass" and found.shown == "better":
        return "It is better."
    if found.verdict == "pass":
        return f"A drop of {margin} is ruled out; that it is better is not shown."
    if found.verdict == "fail":
        return "It is worse."
    undecided = f"Neither better nor worse is shown: a drop of {margin} is not ruled out."
    return f"{undecided} {_to_decide(found)}".rstrip()


def _to_decide(found: Comparison) -> str:
    """Say what it would take to decide, if the difference stays what it is."""
    ways = []
    if found.samples_to_decide is not None:
        ways.append(f"{found.samples_to_decide} samples a case")
    if found.cases_to_decide is not None:
        ways.append(f"{found.cases_to_decide:,} cases")
    return f"To decide: {' or '.join(ways)}." if ways else ""


def comparison_lines(comparison: RunComparison) -> list[str]:
    """Return a comparison of two stored runs, line by line."""
    found = comparison.result
    base, candidate = comparison.base, comparison.candidate
    lines = [
        f"base       {base.run_id[:12]}  {base.agent} {base.version}  K={base.samples}",
        f"candidate  {candidate.run_id[:12]}  {candidate.agent} {candidate.version}"
        f"  K={candidate.samples}",
        f"differs    {'; '.join(comparison.differences) or 'nothing: equal fingerprints'}",
        "",
        verdict(comparison),
        f"{_cases(found.improved)} improved, {found.worsened} got worse, "
        f"{found.unchanged} stayed as they were ({found.method}).",
        power(comparison),
    ]
    alone = sorted({*found.only_in_base, *found.only_in_candidate})
    if alone:
        named = ", ".join(alone[:_NAMED]) + (", …" if len(alone) > _NAMED else "")
        lines.append(f"In only one of the runs, and left out: {_cases(len(alone))}, {named}.")
    return lines


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


def _cases(count: int) -> str:
    return f"{count} case" if count == 1 else f"{count} cases"


def _signed(value: float, *, rate: bool) -> str:
    return f"{100 * value:+.0f}" if rate else f"{value:+.3g}"


def _size(value: float, *, rate: bool) -> str:
    return f"{100 * value:.0f} points" if rate else f"{value:.3g}"


def closing_lines(results: Sequence[RunResult], comparisons: Sequence[RunComparison]) -> list[str]:
    """Return what stands under the table: what failed, each verdict, and the suite's power."""
    lines = [line for result in results for line in failures(result)]
    lines += [verdict(comparison) for comparison in comparisons]
    if comparisons:
        lines.append(power(comparisons[0]))
    return [line for line in lines if line]


def run_note(record: RunRecord, estimates: Mapping[str, Estimate]) -> str:
    """Return the run's description for MLflow: a Markdown table with the intervals."""
    plan = record.plan
    lines = [
        f"**{plan.agent} {plan.version}** on **{plan.dataset.name}**: "
        f"n={len(plan.cases)} cases, K={plan.samples}",
        "",
        "| metric | mean | 95% interval | speaks of |",
        "|---|---|---|---|",
    ]
    for name, found in estimates.items():
        mean, _, bounds = interval(found, rate=is_rate(record, name)).partition("  ")
        lines.append(f"| {name} | {mean} | {bounds or '–'} | {found.target} |")
    return "\n".join(lines)
