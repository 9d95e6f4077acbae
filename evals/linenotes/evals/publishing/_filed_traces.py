"""A sample's trace with what its run knows of it, as the store takes traces."""

from __future__ import annotations

from collections.abc import Sequence

from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._samples import Sample, Score
from linenotes.tracing import FiledTrace, TraceScore


def filed_trace(plan: RunPlan, sample: Sample, scores: Sequence[Score]) -> FiledTrace:
    """Return the trace of a sample with all that its run knows about it."""
    return FiledTrace(
        trace=sample.trace,
        run_id=plan.run_id,
        model_id=plan.model_id,
        version=plan.version,
        prompts=tuple(
            (n, p.registry_version) for n, p in plan.prompts.items() if p.registry_version
        ),
        scores=tuple(trace_score(score) for score in scores),
        expectations=sample.expectations,
        tags={f"tag.{name}": value for name, value in sample.case.tags.items()},
    )


def trace_score(score: Score) -> TraceScore:
    """Return a score as the trace store keeps it."""
    return TraceScore(
        name=score.name,
        value=score.value,
        rationale=score.rationale,
        error=str(score.error) if score.error else None,
    )
