"""All that a comparison of stored runs finds: what decides, what else changed, and where.

One base, one candidate or several. The primary metric and the guardrails decide; whatever else is
here only helps to understand. Text, JSON, Markdown and the page are written from this one value,
so that no two of them can say different things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from linenotes.evals.comparing._comparison import (
    DEFAULT_MARGIN,
    GateVerdict,
    RunComparison,
    compare_on,
    deciding_margins,
    primary_metric,
    worst,
)
from linenotes.evals.comparing._differences import PromptChange, behave_alike, prompt_changes
from linenotes.evals.comparing._flips import FlippedCase, flipped_cases
from linenotes.evals.comparing._slices import SliceChange, adjusted, slice_changes, slicing_tags
from linenotes.evals.comparing._usage_changes import UsageChange, usage_changes
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.journal._tables import is_label, is_rate, score_table

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Target


@dataclass(frozen=True)
class MetricChange:
    """A candidate against the base on a metric that does not decide."""

    metric: str
    result: Comparison
    """Its `p_no_difference` carries Holm's correction over all secondary metrics."""
    is_rate: bool


@dataclass(frozen=True)
class CandidateReport:
    """One candidate against the base."""

    record: RunRecord
    verdict: GateVerdict
    """Of the primary metric and the guardrails together; `unchanged` where equal versions had equal
    scores in every sample."""
    primary: RunComparison
    guardrails: tuple[RunComparison, ...]
    """Metrics that must not drop by their margins."""
    secondary: tuple[MetricChange, ...]
    """All other metrics that both runs have."""
    usage: tuple[UsageChange, ...]
    """Cost, tokens and time of a sample."""
    slices: tuple[SliceChange, ...]
    """The primary metric by tag: where to look, never what decides."""
    flips: tuple[FlippedCase, ...]
    """Cases that improved or got worse on the primary metric, the largest change first."""
    prompts: tuple[PromptChange, ...]
    """What differs in the texts of the prompts."""


@dataclass(frozen=True)
class ComparisonReport:
    """A base against one candidate or several."""

    base: RunRecord
    candidates: tuple[CandidateReport, ...]

    @classmethod
    def of(
        cls,
        base: RunRecord,
        candidates: Sequence[RunRecord],
        *,
        metric: str | None = None,
        margin: float = DEFAULT_MARGIN,
        guardrails: Mapping[str, float] | None = None,
        target: Target = "population",
        slices: Sequence[str] | None = None,
        allow_changed_cases: bool = False,
        family: int = 1,
    ) -> Self:
        """Compare runs with a base.

        Args:
            base: what there is.
            candidates: what might replace it, one or several.
            metric: the one that decides; by default the base's primary metric.
            margin: the drop of it that must be ruled out for a pass, in its own unit.
            guardrails: further metrics, each with the drop of it that must be ruled out.
            target: what intervals speak of: cases like these, or exactly these cases.
            slices: tags to slice the primary metric by; None takes those that cut the cases into
                2 to 12 parts of 5 cases or more, and an empty sequence takes none.
            allow_changed_cases: compare although cases of one id have other inputs or
                expectations.
            family: how many such decisions share the level at which a drop is shown.

        Raises:
            RunError: a metric or a tag is missing, or the cases have changed.
        """
        primary = metric or primary_metric(base.plan)
        margins = deciding_margins(primary, margin, guardrails or {})
        decisive = compare_on(
            base,
            candidates,
            margins,
            target=target,
            allow_changed_cases=allow_changed_cases,
            family=family,
        )
        tags = slicing_tags(base.plan.cases, slices)
        parts = adjusted(
            [
                slice_changes(base, one, primary, tags, beside=candidates, target=target)
                for one in candidates
            ]
        )
        others = _secondary(base, candidates, set(margins), target=target)
        return cls(
            base,
            tuple(
                CandidateReport(
                    record=run,
                    verdict=_verdict(base, run, decided),
                    primary=decided[0],
                    guardrails=tuple(decided[1:]),
                    secondary=secondary,
                    usage=usage_changes(base, run, target=target),
                    slices=sliced,
                    flips=flipped_cases(base, run, primary, beside=candidates),
                    prompts=prompt_changes(base.plan, run.plan),
                )
                for run, decided, sliced, secondary in zip(
                    candidates, decisive, parts, others, strict=True
                )
            ),
        )

    @property
    def verdict(self) -> GateVerdict:
        """The worst of the candidates' verdicts."""
        return worst(one.verdict for one in self.candidates)


def _verdict(
    base: RunRecord, candidate: RunRecord, decided: Sequence[RunComparison]
) -> GateVerdict:
    if behave_alike(base.plan, candidate.plan) and _scored_alike(base, candidate):
        return "unchanged"
    return worst(one.result.verdict for one in decided)


def _scored_alike(base: RunRecord, candidate: RunRecord) -> bool:
    return _told(base) == _told(candidate)


def _told(record: RunRecord) -> dict[SampleKey, object]:
    """Return what is known of each sample, but for words and times."""
    return {
        key: (
            outcome.error.kind if outcome.error else None,
            sorted((score.name, str(score.value)) for score in record.scores.get(key, ())),
        )
        for key, outcome in record.outcomes.items()
    }


def _secondary(
    base: RunRecord, candidates: Sequence[RunRecord], decisive: set[str], *, target: Target
) -> list[tuple[MetricChange, ...]]:
    """Compare on all other numbers that the runs share; all of them are one family."""
    from linenotes.evals.statistics import compare_scores, holm_corrected

    asked = [
        (number, metric)
        for number, run in enumerate(candidates)
        for metric in base.plan.metrics
        if metric in run.plan.metrics and metric not in decisive
        if not (is_label(base, metric) or is_label(run, metric))
    ]
    everything = (base, *candidates)
    results = holm_corrected(
        [
            compare_scores(
                score_table(base, metric, beside=everything),
                score_table(candidates[number], metric, beside=everything),
                target=target,
                margin=0.0,
            )
            for number, metric in asked
        ]
    )
    found: list[list[MetricChange]] = [[] for _ in candidates]
    for (number, metric), result in zip(asked, results, strict=True):
        rate = is_rate(base, metric) and is_rate(candidates[number], metric)
        found[number].append(MetricChange(metric, result, rate))
    return [tuple(changes) for changes in found]
