"""The document of a gate: the verdict, what it rests on, and what followed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part, Target
from linenotes.evals.documents._run_documents import ComparisonDocument, DatasetDocument

if TYPE_CHECKING:
    from pathlib import Path

    from linenotes.evals._results import RunResult
    from linenotes.evals.gating._gate_order import GateResult


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


class GatedMetricDocument(Part):
    """One metric of a gate, at the look that decided it, or else at the last."""

    samples: int
    """K at that look."""
    looks: list[LookDocument]
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
    ended_by: Literal["decision", "samples", "budget", "nothing to decide"]
    calls: int
    """Model calls that were made now."""
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
    result: GateResult, *, reason: str, saved: str | None = None, promoted: tuple[str, ...] = ()
) -> Document:
    """Return what a gate said as the JSON contract has it."""
    order, decision = result.order, result.decision
    dataset = order.dataset
    return GateDocument(
        verdict=decision.verdict,
        exit_code=decision.exit_code,
        reason=reason,
        agent=order.candidate.agent.name,
        version=order.candidate.label,
        fingerprint=order.candidate.fingerprint,
        dataset=DatasetDocument(name=dataset.name, digest=dataset.digest),
        n=len(dataset.cases),
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
        calls=result.spent.calls,
        cost=result.spent.cost,
        metrics=_metrics(result),
        failures_begin=result.failures_begin,
        uncalibrated=list(result.uncalibrated),
        saved=saved,
        promoted=list(promoted),
        notes=[*decision.notes, *result.notes],
    ).dump()


def saved_document(result: RunResult, *, path: Path, target: Target) -> Document:
    """Return what `gate` prints that only measured a version and saved it."""
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
        calls=result.calls - result.replayed_calls,
        cost=result.spent,
        metrics={},
        failures_begin=None,
        uncalibrated=[],
        saved=str(path),
        promoted=[],
        notes=[],
    ).dump()


def _metrics(result: GateResult) -> dict[str, GatedMetricDocument]:
    decision = result.decision
    return {
        one.metric: GatedMetricDocument(
            samples=series.samples,
            looks=[
                LookDocument(
                    samples=look.samples,
                    spent=look.time,
                    level=look.level,
                    delta=look.delta,
                    p_worse_by_margin=look.p_worse_by_margin,
                    p_not_worse=look.p_not_worse,
                )
                for look in series.looks
            ],
            comparison=ComparisonDocument.model_validate(one.document()),
        )
        for one, series in zip(decision.comparisons, decision.looks, strict=True)
    }
