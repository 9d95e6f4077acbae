"""What a finished run shows: its estimates and counts, and the JSON contract for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from linenotes.evals._costs import run_usage
from linenotes.evals._labels import LabelShare, all_label_shares
from linenotes.evals._repeats import Repeats
from linenotes.evals._savings import replayed_calls, replayed_cost
from linenotes.evals.documents._part import Document
from linenotes.evals.documents._recordings_documents import recording_use_document
from linenotes.evals.documents._run_documents import (
    DatasetDocument,
    DepthDocument,
    ErrorsDocument,
    ImportDocument,
    IntervalDocument,
    LabelDocument,
    MetricDocument,
    ResultsDocument,
    RunDocument,
    TracesDocument,
    unstable_document,
    usage_document,
)
from linenotes.evals.failing._case_results import unstable_cases
from linenotes.evals.journal._records import Depth, RunRecord
from linenotes.evals.journal._tables import score_table
from linenotes.evals.journal._usage import Usage
from linenotes.evals.publishing._publisher import Stored
from linenotes.tracing import RecordingUse

if TYPE_CHECKING:
    from linenotes.evals.statistics import Estimate, Target


@dataclass(frozen=True)
class RunResult:
    """One run with what was estimated from it."""

    record: RunRecord
    estimates: Mapping[str, Estimate]
    """Metric to estimate, the primary metric first."""
    traces: Stored
    repeats: Mapping[str, Repeats] = field(default_factory=dict)
    """Metric to what repeating the cases shows, where that says something."""
    recordings: RecordingUse | None = None
    """What became of the calls and their recordings; None where recordings played no part."""

    @property
    def scored(self) -> int:
        """How many samples have a value of the primary metric."""
        primary = self.record.plan.metrics[:1]
        labels = (share.count for m in primary for share in self.labels.get(m, {}).values())
        return sum(len(score_table(self.record, m)) for m in primary) + sum(labels)

    @cached_property
    def labels(self) -> Mapping[str, Mapping[str, LabelShare]]:
        """Metric to label to its share, for the metrics that have labels."""
        return all_label_shares(self.record, self.estimates)

    @property
    def errors(self) -> dict[str, int]:
        """How many samples failed, by whose failure it was."""
        kinds = Counter(o.error.kind for o in self.record.outcomes.values() if o.error)
        kinds["scorer"] = sum(
            any(score.error for score in scores) for scores in self.record.scores.values()
        )
        return {kind: kinds[kind] for kind in ("infrastructure", "agent", "scorer")}

    @property
    def calls(self) -> int:
        """How many model calls the samples made."""
        return sum(outcome.calls for outcome in self.record.outcomes.values())

    @property
    def tokens(self) -> int | None:
        """Tokens in and out of all model calls; None where an imported file tells none."""
        total = sum(outcome.tokens for outcome in self.record.outcomes.values())
        return total or (None if self.record.plan.imported else 0)

    @property
    def cost(self) -> float | None:
        """US dollars of the calls with a known price; None where none has, or nobody tells."""
        costs = [outcome.cost for outcome in self.record.outcomes.values()]
        known = [cost for cost in costs if cost is not None]
        called_nothing = self.calls == 0 and self.record.plan.has_conversations
        return sum(known) if known or called_nothing else None

    @property
    def usage(self) -> tuple[Usage, ...]:
        """What each agent used of each model, in order of appearance."""
        return run_usage(self.record)

    @property
    def unpriced_calls(self) -> int:
        """How many model calls have no known price."""
        return sum(outcome.unpriced for outcome in self.record.outcomes.values())

    @property
    def replayed_calls(self) -> int:
        """How many of the model calls a recording stood in for."""
        return replayed_calls(self.record)

    @property
    def spent(self) -> float | None:
        """US dollars of the calls that were made now; None where `cost` is."""
        if self.cost is None:
            return None
        return max(0.0, self.cost - replayed_cost(self.record))

    @property
    def lacks_use(self) -> bool:
        """Whether recordings went unused in a run that was to be strict about that."""
        use = self.recordings
        return use is not None and use.policy.strict and bool(use.unused)

    def document(self) -> Document:
        """Return the run as the JSON contract has it."""
        return self._document().dump()

    def results_document(self, *, again: bool) -> Document:
        """Return a run of imported results as the JSON contract has it."""
        imported = self.record.plan.imported
        assert imported is not None
        return ResultsDocument(
            **dict(self._document()),
            rows=len(self.record.outcomes),
            file=imported.file,
            again=again,
        ).dump()

    def import_document(self, *, again: bool) -> Document:
        """Return an imported run as the JSON contract has it."""
        imported = self.record.plan.imported
        assert imported is not None
        return ImportDocument(
            **dict(self._document()),
            cases=len(self.record.plan.cases),
            conversations=len(self.record.outcomes),
            file=imported.file,
            again=again,
        ).dump()

    def _samples_scored(self) -> DepthDocument | None:
        plan = self.record.plan
        if not plan.metrics:
            return None
        found = Depth.of(plan, score_table(self.record, plan.metrics[0])["case"])
        return DepthDocument(low=found.low, high=found.high)

    def _document(self) -> RunDocument:
        plan = self.record.plan
        return RunDocument(
            run_id=plan.run_id,
            agent=plan.agent,
            version=plan.version,
            fingerprint=plan.fingerprint,
            dataset=DatasetDocument(name=plan.dataset.name, digest=plan.dataset.digest),
            n=len(plan.cases),
            samples=plan.samples,
            samples_scored=self._samples_scored(),
            scored=self.scored,
            errors=ErrorsDocument(**self.errors),
            metrics={
                name: _metric(
                    found,
                    self.repeats.get(name),
                    unit=plan.units.get(name),
                    labels=self.labels.get(name),
                )
                for name, found in self.estimates.items()
            },
            unstable=[unstable_document(one) for one in unstable_cases(self.record)],
            calls=self.calls,
            tokens=self.tokens,
            cost=self.cost,
            unpriced_calls=self.unpriced_calls,
            replayed_calls=self.replayed_calls,
            spent=self.spent,
            recordings=recording_use_document(self.recordings) if self.recordings else None,
            usage=[usage_document(usage) for usage in self.usage],
            wall_seconds=None if plan.imported else round(self.record.wall_seconds, 3),
            traces=TracesDocument(expected=self.traces.expected, stored=self.traces.stored),
        )


def _metric(
    found: Estimate,
    repeated: Repeats | None,
    *,
    unit: str | None,
    labels: Mapping[str, LabelShare] | None,
) -> MetricDocument:
    return MetricDocument(
        **dict(_interval(found)),
        unit=unit,
        labels=_labels(labels) if labels else None,
        pass_hat=_by_k("pass^", repeated.pass_hat) if repeated else None,
        pass_at=_by_k("pass@", repeated.pass_at) if repeated else None,
    )


def _labels(labels: Mapping[str, LabelShare]) -> dict[str, LabelDocument]:
    return {
        label: LabelDocument(**dict(_interval(found.share)), samples=found.count)
        for label, found in labels.items()
    }


def _by_k(name: str, found: Sequence[Estimate]) -> dict[str, IntervalDocument]:
    return {f"{name}{k}": _interval(estimate) for k, estimate in enumerate(found, start=1)}


def _interval(found: Estimate) -> IntervalDocument:
    return IntervalDocument(mean=found.mean, low=found.low, high=found.high, target=found.target)


def estimate_all(record: RunRecord, target: Target) -> dict[str, Estimate]:
    """Return one estimate for each metric of the run, the primary metric first."""
    from linenotes.evals.statistics import estimate

    return {
        name: estimate(score_table(record, name), target=target) for name in record.plan.metrics
    }
