"""The document of a gate: the verdict, what it rests on, and what followed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part, Target
from linenotes.evals.documents._run_documents import (
    ComparisonDocument,
    DatasetDocument,
    DepthDocument,
)

if TYPE_CHECKING:
    from pathlib import Path

    from linenotes.evals._results import RunResult
    from linenotes.evals.gating._gate_result import GateResult
    from linenotes.evals.journal._records import Depth
    from linenotes.evals.statistics import SequentialComparison


class LookDocument(Part):
    """What the tests of a metric said after a sweep."""

    samples: int
    """K: samples of each case by then."""
    spent: float
    """The share of alpha that was spent by then."""
    level: float
    """What a one-sided p-value had to be below."""
    delta: float
    p_worse_by_margin: float
    p_not_worse: float
    """Corrected where several metrics decide together, so that both are compared with `level`."""


class GatedMetricDocument(Part):
    """One metric of a gate, at the look that decided it, or else at the last."""

    samples: int
    """K at that look; of a run that was there before, of the case with the fewest."""
    base_samples: DepthDocument | None
    """Of the cases of a stored baseline; null for one that was run beside the candidate."""
    looks: list[LookDocument]
    """None for a run that was there before: all of its samples decided once."""
    comparison: ComparisonDocument
    """Its interval holds at every look alike."""


class GateDocument(Part):
    """`gate --json`."""

    schema_version: Literal[1] = 1
    verdict: Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"] | None
    """Null where a baseline was saved and there was nothing to compare it with."""
    exit_code: int
    reason: str
    """The verdict in one line."""
    agent: str
    version: str
    fingerprint: str
    dataset: DatasetDocument
    n: int
    """Cases."""
    baseline: str | None
    """As it was asked for."""
    baseline_version: str | None
    stored_baseline: bool
    """True when only the candidate was called."""
    run_id: str | None
    """The candidate's run; null where nothing was run."""
    target: Target
    margin: float | None
    """The drop that a pass rules out; 0 when a pass must show that it is better, null without a
    baseline."""
    samples: int
    """K: samples of each case that were taken."""
    planned: int
    """The most that might have been taken."""
    stopped_early: bool
    ended_by: Literal["decision", "samples", "budget", "nothing to decide", "expired quarantine"]
    filled_samples: int
    """Samples that were taken after an early pass, so that it does not flatter the baseline."""
    calls: int
    """Model calls that were made now, those for the baseline included."""
    cost: float | None
    """US dollars of those with a known price; null where none has one."""
    metrics: dict[str, GatedMetricDocument]
    """The one that decides first, then the guardrails, all of which must pass."""
    failures_begin: str | None
    """With whom most of the candidate's failures begin, where it failed and that is clear."""
    uncalibrated: list[str]
    """Metrics whose judge nobody has held against people's labels."""
    saved: str | None
    """The file of the baseline that was saved."""
    promoted: list[str]
    """What the alias was moved to."""
    notes: list[str]


def gate_document(
    result: GateResult,
    *,
    reason: str,
    saved: str | None = None,
    promoted: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Document:
    """Return what a gate said as the JSON contract has it."""
    order, decision, gated = result.order, result.decision, result.order.gated
    return GateDocument(
        verdict=decision.verdict,
        exit_code=decision.exit_code,
        reason=reason,
        agent=gated.agent,
        version=gated.version,
        fingerprint=gated.fingerprint,
        dataset=DatasetDocument(name=gated.dataset, digest=gated.digest),
        n=len(gated.cases),
        baseline=order.base.name,
        baseline_version=order.base.label,
        stored_baseline=order.stored_base is not None,
        run_id=result.candidate.plan.run_id if result.candidate else None,
        target=order.gate.target,
        margin=order.gate.allowed,
        samples=result.samples,
        planned=order.samples,
        stopped_early=result.stopped_early,
        ended_by=result.ended_by,
        filled_samples=result.filled_samples,
        calls=result.spent_in_all.calls,
        cost=result.spent_in_all.cost,
        metrics=_metrics(result),
        failures_begin=result.failures_begin,
        uncalibrated=list(result.uncalibrated),
        saved=saved,
        promoted=list(promoted),
        notes=[*decision.notes, *result.notes, *notes],
    ).dump()


def saved_document(
    result: RunResult, *, path: Path, target: Target, executed: bool = True
) -> Document:
    """Return what `gate` prints that only saved a version, `executed` now or measured before."""
    plan = result.record.plan
    return GateDocument(
        verdict=None,
        exit_code=0,
        reason=f"Saved {path.name}; there was nothing to compare it with.",
        agent=plan.agent,
        version=plan.version,
        fingerprint=plan.fingerprint,
        dataset=DatasetDocument(name=plan.dataset.name, digest=plan.dataset.digest),
        n=len(plan.cases),
        baseline=None,
        baseline_version=None,
        stored_baseline=False,
        run_id=plan.run_id,
        target=target,
        margin=None,
        samples=plan.samples,
        planned=plan.samples,
        stopped_early=False,
        ended_by="samples",
        filled_samples=0,
        calls=result.calls - result.replayed_calls if executed else 0,
        cost=result.spent if executed else 0.0,
        metrics={},
        failures_begin=None,
        uncalibrated=[],
        saved=str(path),
        promoted=[],
        notes=[],
    ).dump()


def _metrics(result: GateResult) -> dict[str, GatedMetricDocument]:
    decision = result.decision
    looks = decision.looks or (None,) * len(decision.comparisons)
    return {
        one.metric: GatedMetricDocument(
            samples=result.depth(one.metric).low,
            base_samples=_depth(result.base_depth(one.metric)),
            looks=_looks(series) if series else [],
            comparison=ComparisonDocument.model_validate(one.document()),
        )
        for one, series in zip(decision.comparisons, looks, strict=True)
    }


def _depth(found: Depth | None) -> DepthDocument | None:
    return DepthDocument(low=found.low, high=found.high) if found else None


def _looks(series: SequentialComparison) -> list[LookDocument]:
    return [
        LookDocument(
            samples=look.samples,
            spent=look.time,
            level=look.level,
            delta=look.delta,
            p_worse_by_margin=look.p_worse_by_margin,
            p_not_worse=look.p_not_worse,
        )
        for look in series.looks
    ]
