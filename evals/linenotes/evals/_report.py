"""Results as text: one table with a row a version, and a sentence for each comparison.

No number stands alone: each has its interval, and the line above the table says n, K and what
the intervals speak of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from linenotes.evals._costs import cost_cell
from linenotes.evals._labels import all_label_shares
from linenotes.evals._repeats import Repeats
from linenotes.evals._results import RunResult
from linenotes.evals._savings import saved
from linenotes.evals._score_report import (
    cell,
    filled,
    interval,
    label_lines,
    label_rows,
    value_lines,
)
from linenotes.evals._wording import SPEAKS_OF, counted, named
from linenotes.evals.comparing._comparison import RunComparison
from linenotes.evals.comparing._comparison_report import power, verdict
from linenotes.evals.failing._case_results import unstable_cases
from linenotes.evals.failing._failures_text import unstable_lines as strips
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.tracing import RecordingUse

if TYPE_CHECKING:
    from linenotes.evals.statistics import Estimate


def title(results: Sequence[RunResult]) -> str:
    """Say what was measured: dataset, n, K, and what the intervals speak of."""
    plan, depth = results[-1].record.plan, results[-1].record.depth
    estimate = next(iter(results[-1].estimates.values()), None)
    clusters = f" in {estimate.n_clusters} clusters" if estimate and estimate.n_clusters else ""
    samples = "sample" if depth.low == depth.high == 1 else "samples"
    speaks = f"95% intervals for {SPEAKS_OF[estimate.target]}" if estimate else "no scores"
    return (
        f"{plan.agent} on {plan.dataset.name} ({plan.dataset.digest[:8]}): "
        f"n={counted(len(plan.cases), 'case')}{clusters}, K={depth} {samples}; {speaks}"
    )


def rows(results: Sequence[RunResult]) -> list[tuple[str, ...]]:
    """Return a header and a row for each version: its metrics with intervals, and its cost."""
    metrics = list(results[-1].estimates)
    deepest = results[-1].record.plan.samples
    hat = [f"pass^{deepest}"] if deepest > 1 and _has_pass_hat(results) else []
    costs = ["cost"] if any(_has_costs(result) for result in results) else []
    units = results[-1].record.plan.units
    named = [f"{name} ({units[name]})" if name in units else name for name in metrics]
    header = ("version", "K", *named, *hat, "calls", *costs, "s/sample")
    return [
        header,
        *(_row(r, metrics, with_hat=bool(hat), with_cost=bool(costs)) for r in results),
    ]


def _has_costs(result: RunResult) -> bool:
    """Tell whether calls were or may have been paid for; files seldom tell what theirs cost."""
    return bool(result.cost or (result.unpriced_calls and not result.record.plan.imported))


def _has_pass_hat(results: Sequence[RunResult]) -> bool:
    """Tell whether pass^K can stand in the table: of rates, and for cases like these only."""
    return any(result.estimates for result in results) and all(
        is_rate(result.record, name) and result.estimates[name].target == "population"
        for result in results
        for name in result.record.plan.metrics[:1]
    )


def _row(
    result: RunResult, metrics: Sequence[str], *, with_hat: bool, with_cost: bool
) -> tuple[str, ...]:
    record = result.record
    cells = [cell(result, name) for name in metrics]
    if with_hat:
        cells.append(_pass_hat(result))
    return (
        record.plan.version,
        str(record.depth),
        *cells,
        f"{result.calls:,}" if record.plan.has_conversations else "–",
        *([cost_cell(result.cost)] if with_cost else []),
        _mean_seconds(record),
    )


def _pass_hat(result: RunResult) -> str:
    plan = result.record.plan
    repeated = result.repeats.get(plan.metrics[0])
    if repeated is None or len(repeated.pass_hat) < plan.samples:
        return "–"
    return interval(repeated.pass_hat[plan.samples - 1], rate=True)


def metric_lines(results: Sequence[RunResult]) -> list[str]:
    """Return what the table has no room for: pass^1 to pass^K, and the shares of labels."""
    return [*pass_hat_lines(results), *label_lines(results)]


def pass_hat_lines(results: Sequence[RunResult]) -> list[str]:
    """Return pass^1 to pass^K of each version's primary metric with intervals, if K > 1."""
    if not _has_pass_hat(results):
        return []
    lines: list[str] = []
    for result in results:
        plan = result.record.plan
        for metric in [name for name in plan.metrics[:1] if name in result.repeats]:
            name = f"{plan.version} {metric}" if len(results) > 1 else metric
            lines += filled(f"{name}   ", result.repeats[metric].texts())
    return lines


def _mean_seconds(record: RunRecord) -> str:
    """Return how long a sample took, where that is known."""
    seconds = [outcome.seconds for outcome in record.outcomes.values()]
    if record.plan.imported is not None and not record.plan.imported.timed:
        return "–"
    return f"{sum(seconds) / len(seconds) if seconds else 0.0:.2f}"


def failures(result: RunResult) -> list[str]:
    """Return what a run lacks: failures of each kind with an example, and cases."""
    lines = [
        f"{counted(count, 'sample')} {_consequence(result, kind)}: {_example(result, kind)}"
        for kind, count in result.errors.items()
        if count
    ]
    lines += _unfinished(result)
    lines += _unmeasured(result)
    if result.unpriced_calls and _has_costs(result):
        calls = counted(result.unpriced_calls, "call")
        lines.append(f"{calls} without a known price, not in cost (`linenotes prices`).")
    return [f"{result.record.plan.version}: {line}" for line in lines]


def _unfinished(result: RunResult) -> list[str]:
    """Say of a run that was stopped how much of it there is."""
    record, plan = result.record, result.record.plan
    if record.is_whole or plan.imported is not None:
        return []
    planned = len(plan.cases) * plan.samples
    return [
        f"only {len(record.outcomes)} of {planned} samples are there; `linenotes eval --resume "
        f"{plan.run_id[:12]}` executes the rest."
    ]


def _consequence(result: RunResult, kind: str) -> str:
    if kind == "scorer":
        again = f" (`linenotes score {result.record.plan.run_id[:12]}` tries a mended scorer)"
        return "could not be scored" + ("" if result.record.plan.imported else again)
    if result.record.plan.imported is not None:
        lost = (
            "left out" if kind == "infrastructure" else "failed in the agent and scored as failed"
        )
        return f"{lost} where the file has no score"
    if kind == "infrastructure":
        again = f"`linenotes eval --resume {result.record.plan.run_id[:12]} --retry-errors`"
        return f"lost to the infrastructure and not scored ({again} tries again)"
    others = [name for name in result.record.plan.metrics if not is_rate(result.record, name)]
    if not others:
        return "failed in the agent and scored as failed"
    silent = [name for name in others if not _scores_failures(result.record, name)]
    if not silent:
        return "failed in the agent: failures in a rate, else worth what is declared for a failure"
    left_out = "other metrics" if silent == others else named(silent)
    return f"failed in the agent: failures in a rate, left out of {left_out}"


def _scores_failures(record: RunRecord, metric: str) -> bool:
    """Tell whether the metric says something of samples that the agent failed."""
    said = (score.name for key in record.failed for score in record.scores.get(key, ()))
    return metric in said


def _unmeasured(result: RunResult) -> list[str]:
    """Name the cases that have no score, for each metric that other cases have one of."""
    lines = []
    for name, found in result.estimates.items():
        scored = set(score_table(result.record, name)["case"])
        lacking = [case.id for case in result.record.plan.cases if case.id not in scored]
        if lacking and found.mean is not None:
            cases = counted(len(lacking), "case")
            lines.append(f"{name} cannot be measured on {cases}, left out: {named(lacking)}.")
    return lines


def _example(result: RunResult, kind: str) -> str:
    if kind == "scorer":
        scored = (s.error for scores in result.record.scores.values() for s in scores)
        return str(next(error for error in scored if error))
    outcomes = result.record.outcomes.values()
    errors = [o.error for o in outcomes if o.error and o.error.kind == kind]
    types = Counter(error.type for error in errors).most_common()
    counts = ", ".join(f"{count} {name}" for name, count in types)
    return f"{counts}, such as {errors[0]}" if len(types) > 1 else str(errors[0])


def closing_lines(results: Sequence[RunResult], comparisons: Sequence[RunComparison]) -> list[str]:
    """Return what stands under the table: what failed, each verdict, and the suite's power."""
    lines = [line for result in results for line in failures(result)]
    lines += [*value_lines(results), *recording_lines(results)]
    lines += [verdict(comparison) for comparison in comparisons]
    if comparisons:
        lines.append(power(comparisons[0]))
    if any(comparison.result.compared_with_base > 1 for comparison in comparisons):
        lines.append("Verdicts of several versions against one carry Holm's correction.")
    return [line for line in lines if line]


def unstable_lines(results: Sequence[RunResult]) -> list[str]:
    """Return the strips of the cases that pass now and then, a line or two in all of one run."""
    if len(results) == 1:
        return strips(unstable_cases(results[0].record))
    return [
        line
        for result in results
        for line in strips(
            unstable_cases(result.record), f"{result.record.plan.version} unstable:", most=1
        )
    ]


def recording_lines(results: Sequence[RunResult]) -> list[str]:
    """Say how many calls recordings have saved, and what is amiss with the recordings."""
    lines = [
        f"{result.record.plan.version}: {saved(result.record)}"
        for result in results
        if result.replayed_calls
    ]
    uses = {result.recordings.path: result.recordings for result in results if result.recordings}
    return lines + [line for use in uses.values() for line in _use_lines(use)]


def _use_lines(use: RecordingUse) -> Iterator[str]:
    if use.recorded:
        yield f"{counted(use.recorded, 'call')} recorded in {use.path}."
    if use.stale:
        yield (
            f"{counted(use.stale, 'call')} had only stale recordings, made by another model "
            "than the one that is configured."
        )
    for place, samples in use.unrecorded.items():
        yield (
            f"Calls to {place} in {counted(samples, 'sample')} were not recorded: they go through "
            "no LangChain chat model and no tool, and a replay will refuse them."
        )
    if use.set_aside:
        yield (
            f"{counted(use.set_aside, 'recorded line')} of an earlier process could not be read "
            f"and was set aside in {use.set_aside_in}."
        )
    if use.absent:
        yield f"No call came from {', '.join(use.absent)}: no agent of that name was asked."
    if use.unused and use.policy.strict:
        shown = named([f"{key.case} #{key.sample} {key.agent}" for key in use.unused])
        count = counted(len(use.unused), "recording")
        yield (
            f"--strict: {count} had no use: {shown}. Name every version that is recorded, or take "
            "them out: `linenotes recordings prune --unused`."
        )


def run_note(
    record: RunRecord, estimates: Mapping[str, Estimate], repeated: Mapping[str, Repeats]
) -> str:
    """Return the run's description for MLflow: a Markdown table with the intervals.

    Rates of cases that have several samples also have a row for each pass^k.
    """
    plan = record.plan
    lines = [
        f"**{plan.agent} {plan.version}** on **{plan.dataset.name}**: "
        f"n={len(plan.cases)} cases, K={record.depth}",
        "",
        "| metric | mean | 95% interval | speaks of |",
        "|---|---|---|---|",
    ]
    labels = all_label_shares(record, estimates)
    for name, found in estimates.items():
        if name in labels:
            lines += label_rows(name, labels[name])
            continue
        mean, _, bounds = interval(found, rate=is_rate(record, name)).partition("  ")
        unit = f" ({plan.units[name]})" if name in plan.units else ""
        lines.append(f"| {name}{unit} | {mean} | {bounds or '–'} | {found.target} |")
        lines += _pass_hat_rows(name, repeated[name]) if name in repeated else ()
    return "\n".join(lines)


def _pass_hat_rows(metric: str, repeated: Repeats) -> Iterator[str]:
    for k, found in enumerate(repeated.pass_hat[1:], start=2):
        mean, _, bounds = interval(found, rate=True).partition("  ")
        yield f"| {metric}, pass^{k} | {mean} | {bounds} | {found.target} |"
