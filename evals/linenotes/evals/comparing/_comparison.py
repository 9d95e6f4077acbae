"""Two runs, paired by case: the difference, the verdict, and what differs between the versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals._savings import replayed_calls, saved
from linenotes.evals.comparing._differences import differences
from linenotes.evals.documents._part import Document
from linenotes.evals.documents._run_documents import ComparisonDocument
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.publishing._tables import is_rate, score_table
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Target

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
    found = _compare(
        base,
        [candidate],
        metric=metric,
        target=target,
        margin=margin,
        allow_changed_cases=allow_changed_cases,
    )
    return found[0]


def compare_all(
    runs: Sequence[RunRecord], *, target: Target, margin: float = DEFAULT_MARGIN
) -> list[RunComparison]:
    """Compare what one evaluation ran: each version with the first, then with the baseline.

    Several candidates against one base share Holm's correction.
    """
    versions = [run for run in runs if not run.plan.baseline]
    baselines = [run for run in runs if run.plan.baseline]
    found = _compare(versions[0], versions[1:], target=target, margin=margin)
    for baseline in baselines:
        found += _compare(baseline, versions, target=target, margin=margin)
    return found


def _compare(
    base: RunRecord,
    candidates: Sequence[RunRecord],
    *,
    target: Target,
    margin: float,
    metric: str | None = None,
    allow_changed_cases: bool = False,
) -> list[RunComparison]:
    from linenotes.evals.statistics import compare_many

    if not candidates:
        return []
    metric = metric or _primary(base.plan)
    for run in (base, *candidates):
        _require_metric(run.plan, metric)
        if not allow_changed_cases:
            _require_equal_cases(base.plan, run.plan)
    everything = (base, *candidates)
    results = compare_many(
        score_table(base, metric, beside=everything),
        {run.plan.run_id: score_table(run, metric, beside=everything) for run in candidates},
        target=target,
        margin=margin,
    )
    return [
        RunComparison(
            metric=metric,
            base=base.plan,
            candidate=run.plan,
            result=results[run.plan.run_id],
            differences=differences(base.plan, run.plan),
            is_rate=is_rate(base, metric) and is_rate(run, metric),
            savings=_savings(base, run),
        )
        for run in candidates
    ]


def _savings(base: RunRecord, candidate: RunRecord) -> tuple[str, ...]:
    """Say what recordings have saved each run."""
    runs = (("base", base), ("candidate", candidate))
    return tuple(f"{name}: {saved(record)}" for name, record in runs if replayed_calls(record))


def _primary(plan: RunPlan) -> str:
    if not plan.metrics:
        raise RunError(
            f"Run {plan.run_id[:12]} has no scores, so there is nothing to compare. "
            "Choose a run that has some."
        )
    return plan.metrics[0]


def _require_metric(plan: RunPlan, metric: str) -> None:
    if metric not in plan.metrics:
        raise RunError(
            f"Run {plan.run_id[:12]} has no metric {metric!r}. It has {', '.join(plan.metrics)}."
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
