"""What follows when a sample has finished: it is scored, kept, sent to collectors and published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from linenotes.evals._ongoing import OngoingRun
from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.publishing._early_publishing import EarlyPublishing
from linenotes.evals.publishing._filed_traces import filed_trace
from linenotes.evals.scorers._scorers import score_sample
from linenotes.tracing import FiledTrace


@dataclass(frozen=True)
class Scoring:
    """Scores finished samples, and hands them on."""

    export: Callable[[FiledTrace], None]
    publishing: EarlyPublishing

    async def of(self, sample: Sample, run: OngoingRun) -> None:
        """Score a sample that the journal of its run holds, with what it still lacks."""
        key = (sample.case.id, sample.index)
        kept = run.journal.kept_scores(key)
        scores = await _scores(sample, run, kept or ())
        run.journal.scored(sample, scores)
        if sample.error is not None and sample.error.kind == "infrastructure":
            return  # it may be executed again
        if kept is None:
            # Once: most collectors show a trace that comes twice with double spans.
            self.export(filed_trace(run.plan, sample, scores))
        self.publishing.add(run.journal, key)


async def _scores(sample: Sample, run: OngoingRun, kept: tuple[Score, ...]) -> tuple[Score, ...]:
    stand = {score.name for score in kept}
    wanted = [scorer for scorer in run.scorers if not stand.issuperset(scorer.metrics)]
    said = await score_sample(sample, wanted, stand=kept)
    given = [score for score in said if score.name not in stand]
    order = run.plan.metrics.index
    return tuple(sorted((*kept, *given), key=lambda score: order(score.name)))
