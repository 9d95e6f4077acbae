"""What follows when a sample has finished: it is scored, kept, sent to collectors and published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linenotes.evals.engine._early_publishing import EarlyPublishing
from linenotes.evals.engine._ongoing import OngoingRun
from linenotes.evals.journal._samples import Sample
from linenotes.evals.publishing._publisher import filed_trace
from linenotes.evals.scorers._scorers import Scorer, score_sample
from linenotes.tracing import FiledTrace


@dataclass(frozen=True)
class Scoring:
    """Scores finished samples, and hands them on."""

    scorers: Sequence[Scorer]
    export: Callable[[FiledTrace], None]
    publishing: EarlyPublishing

    async def of(self, sample: Sample, run: OngoingRun) -> None:
        """Score a sample that the journal of its run holds."""
        scores = await score_sample(sample, self.scorers)
        run.journal.scored(sample, scores)
        if sample.error is None or sample.error.kind != "infrastructure":
            # Once: most collectors show a trace that comes twice with double spans, and what the
            # infrastructure failed will be executed again.
            self.export(filed_trace(run.plan, sample, scores))
            self.publishing.add(run, (sample.case.id, sample.index))
