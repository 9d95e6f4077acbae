"""Two runs, paired by case: the difference, the verdict, and what differs between the versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from linenotes.evals._savings import replayed_calls, saved
from linenotes.evals.comparing._completion import (
    COMPLETED,
    deciding_table,
    leave_out_failures,
    not_counted,
)
from linenotes.evals.comparing._differences import differences
from linenotes.evals.documents._part import Document
from linenotes.evals.documents._run_documents import ComparisonDocument
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Target

GateVerdict = Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"]
"""What is said of a candidate; `unchanged` is one that has nothing to decide about it."""
DEFAULT_MARGIN = 0.05
"""The drop that must be ruled out for a pass, declared before anything is run."""


@dataclass(frozen=True)
class RunComparison:
    """A candidate run against a base run on one metric."""

    metric: str
    base: RunPlan
    candidate: RunPlan
    result: Comparison
    differences: tuple[str, ...]
    """What sets the two runs apart, one line each; empty for one version on one dataset."""
    is_rate: bool
    """True when the metric is a share of passes, so that differences are points."""
    savings: tuple[str, ...] = ()
    """What recordings have saved the runs, one line each. Calls that both share pair the runs;
    they are no data beyond the cases."""
    not_counted: str = ""
    """A sentence on samples in which the agent failed, where the metric has no worst value to give
    them; empty where there are none."""
    uncalibrated: bool = False
    """Whether a model judges the metric that nobody has held against people's labels."""

    def document(self) -> Document:
        """Return the comparison as the JSON contract has it."""
        found = self.result
        return ComparisonDocument(
            metric=self.metric,
            base=self.base.run_id,
            candidate=self.candidate.run_id,
            base_version=self.base.version,
            candidate_version=self.candidate.version,
            n=found.n_cases,
            delta=found.delta,
            low=found.low,
            high=found.high,
            target=found.target,
            margin=found.margin,
            verdict=found.verdict,
            detectable_change=found.detectable_change,
            improved=found.improved,
            worsened=found.worsened,
            unchanged=found.unchanged,
            only_in_base=list(found.only_in_base),
            only_in_candidate=list(found.only_in_candidate),
            method=found.method,
            differences=list(self.differences),
            savings=list(self.savings),
        ).dump()


def compare_runs(
    base: RunRecord,
    candidate: RunRecord,
    *,
    metric: str | None = None,
    target: Target = "population",
    margin: float = DEFAULT_MARGIN,
    allow_changed_cases: bool = False,
) -> RunComparison:
    """Compare two runs on one metric, by default the base's primary one.

    Args:
        base: what there is.
        candidate: what might replace it.
        metric: a metric that both runs have.
        target: what the interval speaks of: cases like these, or exactly these cases.
        margin: the drop that must be ruled out for a pass, in the metric's own unit.
        allow_changed_cases: compare although cases of one id have other inputs or expectations.

    Raises:
        RunError: the metric is missing, or the cases have changed.
    """
    metric = metric or primary_metric(base.plan)
    found = compare_on(
        base,
        [candidate],
        {metric: margin},
        target=target,
        allow_changed_cases=allow_changed_cases,
    )
    return found[0][0]


def compare_all(
    runs: Sequence[RunRecord], *, target: Target, margin: float = DEFAULT_MARGIN
) -> list[RunComparison]:
    """Compare what one evaluation ran: each version with the first, then with the baseline.

    Several candidates against one base share Holm's correction.
    """
    versions = [run for run in runs if not run.plan.baseline]
    baselines = [run for run in runs if run.plan.baseline]
    asked = [(versions[0], versions[1:]), *((baseline, versions) for baseline in baselines)]
    return [
        comparison
        for base, candidates in asked
        if candidates
        for comparisons in compare_on(
            base, candidates, {primary_metric(base.plan): margin}, target=target
        )
        for comparison in comparisons
    ]


def compare_on(
    base: RunRecord,
    candidates: Sequence[RunRecord],
    margins: Mapping[str, float],
    *,
    target: Target,
    allow_changed_cases: bool = False,
    family: int = 1,
) -> list[list[RunComparison]]:
    """Compare runs with a base on the metrics that decide together, for each candidate in turn.

    Where one of them leaves out samples that an agent failed, the share of samples that the agent
    completed is the last of them.
    Of `family` such decisions, this one among them, a drop in any fails: they share its level.

    Raises:
        RunError: a metric is missing, or the cases have changed.
    """
    from linenotes.evals.statistics import compare_jointly

    everything = (base, *candidates)
    for run in everything:
        for metric in margins:
            _require_metric(run.plan, metric)
        if not allow_changed_cases:
            _require_equal_cases(base.plan, run.plan)
    metrics = [_deciding((base, run), margins) for run in candidates]
    tables = [
        {metric: deciding_table(run, metric, beside=everything) for metric in asked}
        for run, asked in zip(everything, ((*margins, COMPLETED), *metrics), strict=True)
    ]
    results = compare_jointly(
        tables[0],
        {str(number): one for number, one in enumerate(tables[1:])},
        margins={COMPLETED: DEFAULT_MARGIN, **margins},
        target=target,
        family=family,
    )
    return [
        [_of(base, run, metric, found) for metric, found in results[str(number)].items()]
        for number, run in enumerate(candidates)
    ]


def _deciding(runs: tuple[RunRecord, RunRecord], metrics: Iterable[str]) -> tuple[str, ...]:
    guard = [COMPLETED] if leave_out_failures(runs, metrics) else []
    return tuple(dict.fromkeys((*metrics, *guard)))


def _of(base: RunRecord, candidate: RunRecord, metric: str, found: Comparison) -> RunComparison:
    return RunComparison(
        metric=metric,
        base=base.plan,
        candidate=candidate.plan,
        result=found,
        differences=differences(base.plan, candidate.plan),
        is_rate=all(is_rate(run, metric) for run in (base, candidate)),
        savings=_savings(base, candidate),
        not_counted=not_counted(base, candidate, metric),
    )


def _savings(base: RunRecord, candidate: RunRecord) -> tuple[str, ...]:
    """Say what recordings have saved each run."""
    runs = (("base", base), ("candidate", candidate))
    return tuple(f"{name}: {saved(record)}" for name, record in runs if replayed_calls(record))


def worst(verdicts: Iterable[GateVerdict]) -> GateVerdict:
    """Return the verdict of metrics that must all pass, or of candidates that must."""
    order: tuple[GateVerdict, ...] = ("fail", "cannot measure", "inconclusive", "unchanged", "pass")
    return min(verdicts, key=order.index)


def deciding_margins(
    primary: str, margin: float, guardrails: Mapping[str, float]
) -> dict[str, float]:
    """Return each metric that decides with the drop that must be ruled out, the primary one first.

    Raises:
        RunError: the primary metric is named as a guardrail, too.
    """
    if primary in guardrails:
        raise RunError(
            f"Metric {primary!r} decides already, so it cannot be a guardrail as well. "
            "Its own margin is --margin."
        )
    return {primary: margin, **guardrails}


def primary_metric(plan: RunPlan) -> str:
    """Return the metric that decides unless another is named."""
    if not plan.metrics:
        raise RunError(
            f"Run {plan.run_id[:12]} has no scores, so there is nothing to compare. "
            "Choose a run that has some."
        )
    return plan.metrics[0]


def _require_metric(plan: RunPlan, metric: str) -> None:
    if metric not in plan.metrics:
        raise RunError(
            f"Run {plan.run_id[:12]} has no metric {metric!r}. It has {', '.join(plan.metrics)}. "
            "Choose one that all have by --metric, or score the run with the other scorer, too."
        )


def _require_equal_cases(base: RunPlan, candidate: RunPlan) -> None:
    before = {case.id: case for case in base.cases}
    changed = [
        case.id
        for case in candidate.cases
        if case.id in before
        and (case.inputs, case.expectations)
        != (before[case.id].inputs, before[case.id].expectations)
    ]
    if changed:
        raise RunError(
            f"{len(changed)} cases have changed between the runs, the first is {changed[0]!r}, so "
            "a difference could be the data's. Run the base again, or --allow-changed-cases."
        )
