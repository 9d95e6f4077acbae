"""One candidate against the base: what decides, and all that helps to understand it.

The primary metric and the guardrails decide, without the cases in quarantine. All else is measured
on the same cases, so that no figure speaks of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from linenotes.evals.comparing._comparison import GateVerdict, RunComparison, compare_on, worst
from linenotes.evals.comparing._differences import PromptChange, behave_alike, prompt_changes
from linenotes.evals.comparing._flips import FlippedCase, flipped_cases
from linenotes.evals.comparing._slices import SliceChange, adjusted, slice_changes, slicing_tags
from linenotes.evals.comparing._usage_changes import UsageChange, usage_changes
from linenotes.evals.history._quarantine import Quarantine
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.journal._tables import is_label, is_rate, score_table
from linenotes.evals.judging._calibrations import JudgedMetric, uncalibrated

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
    quarantined: tuple[FlippedCase, ...]
    """Of the cases in quarantine those that did; they decide nothing and are in no figure."""
    prompts: tuple[PromptChange, ...]
    """What differs in the texts of the prompts."""

    @property
    def deciding(self) -> tuple[RunComparison, ...]:
        """What must all pass."""
        return (self.primary, *self.guardrails)

    @property
    def uncalibrated(self) -> tuple[str, ...]:
        """Metrics that decide, and of which nobody has held the judge against people's labels."""
        return tuple(one.metric for one in self.deciding if one.uncalibrated)


@dataclass(frozen=True)
class ComparedRuns:
    """A base and its candidates while they are compared, whole and as far as they decide."""

    base: RunRecord
    candidates: tuple[RunRecord, ...]
    quarantine: Quarantine | None
    judges: tuple[JudgedMetric, ...]

    @cached_property
    def deciding(self) -> tuple[RunRecord, ...]:
        """The base and the candidates without the cases that do not decide."""
        runs = (self.base, *self.candidates)
        return tuple(map(self.quarantine.without, runs)) if self.quarantine else runs

    def decided(
        self,
        margins: Mapping[str, float],
        *,
        target: Target,
        allow_changed_cases: bool,
        family: int,
    ) -> list[tuple[RunComparison, ...]]:
        """Return what decides of each candidate, the primary metric first."""
        base, *candidates = self.deciding
        found = compare_on(
            base,
            candidates,
            margins,
            target=target,
            allow_changed_cases=allow_changed_cases,
            family=family,
        )
        unknown = uncalibrated(self.judges, [*margins])
        return [
            tuple(replace(one, uncalibrated=one.metric in unknown) for one in comparisons)
            for comparisons in found
        ]

    def slices(
        self, primary: str, asked: Sequence[str] | None, *, target: Target
    ) -> list[tuple[SliceChange, ...]]:
        """Return the primary metric by tag; the slices of all candidates are one family."""
        base, *candidates = self.deciding
        tags = slicing_tags(base.plan.cases, asked)
        return adjusted(
            [
                slice_changes(base, one, primary, tags, beside=candidates, target=target)
                for one in candidates
            ]
        )

    def secondary(self, decisive: set[str], *, target: Target) -> list[tuple[MetricChange, ...]]:
        """Return what does not decide of each candidate."""
        base, *candidates = self.deciding
        return _secondary(base, candidates, decisive, target=target)

    def report(
        self,
        number: int,
        decided: tuple[RunComparison, ...],
        slices: tuple[SliceChange, ...],
        secondary: tuple[MetricChange, ...],
        *,
        target: Target,
    ) -> CandidateReport:
        """Return all that was found of one candidate."""
        primary, *guardrails = decided
        run, (base, *candidates) = self.candidates[number], self.deciding
        flips = flipped_cases(self.base, run, primary.metric, beside=self.candidates)
        held = self.quarantine.cases if self.quarantine else frozenset()
        return CandidateReport(
            record=run,
            verdict=_verdict(base, candidates[number], decided),
            primary=primary,
            guardrails=tuple(guardrails),
            secondary=secondary,
            usage=usage_changes(base, candidates[number], target=target),
            slices=slices,
            flips=tuple(flip for flip in flips if flip.case not in held),
            quarantined=tuple(flip for flip in flips if flip.case in held),
            prompts=prompt_changes(self.base.plan, run.plan),
        )


def _verdict(
    base: RunRecord, candidate: RunRecord, decided: Sequence[RunComparison]
) -> GateVerdict:
    if behave_alike(base.plan, candidate.plan) and scored_alike(base, candidate):
        return "unchanged"
    return worst(one.result.verdict for one in decided)


def scored_alike(base: RunRecord, candidate: RunRecord) -> bool:
    """Say whether two runs have the same samples, with equal scores."""
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
