"""What a metric was measured with: values of two instruments say nothing of one another."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.evals.journal._plans import RunPlan


@dataclass(frozen=True)
class Instrument:
    """What gives a metric its values."""

    spec: str | None
    """Of the scorer; None where the run has no such metric."""
    code: str | None
    """The identity of the scorer's code; None where it is not known."""
    judge: str | None = None
    """Who judges, pinned; None where no model does."""


def instrument_of(plan: RunPlan, metric: str) -> Instrument:
    """Return what gives a metric in a run."""
    specs = dict(zip(plan.metrics, plan.scorers, strict=True))
    return Instrument(specs.get(metric), plan.codes.get(metric), plan.judges.get(metric))
