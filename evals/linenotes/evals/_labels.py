"""What labels say: how often each was given, and its share with an interval.

A label is no number, so it has no mean. Its share is the mean over cases of how often it was given
among the labelled samples of a case, estimated as any rate is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linenotes.evals.journal._tables import score_table

if TYPE_CHECKING:
    from linenotes.evals.journal._records import RunRecord
    from linenotes.evals.journal._samples import Score
    from linenotes.evals.statistics import Estimate, Target


@dataclass(frozen=True)
class LabelShare:
    """One label of a metric."""

    count: int
    """How many samples have it."""
    labelled: int
    """How many samples have any."""
    share: Estimate


def label_shares(record: RunRecord, metric: str, target: Target) -> dict[str, LabelShare]:
    """Return label to its share, the most frequent first; empty where the metric has no labels."""
    from linenotes.evals.statistics import estimate

    counts = Counter(
        score.value
        for scores in record.scores.values()
        for score in scores
        if score.name == metric and isinstance(score.value, str)
    )
    labelled = counts.total()
    return {
        label: LabelShare(
            count,
            labelled,
            estimate(score_table(_told(record, metric, label), metric), target=target),
        )
        for label, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    }


def all_label_shares(
    record: RunRecord, estimates: Mapping[str, Estimate]
) -> dict[str, dict[str, LabelShare]]:
    """Return metric to its labels, for the metrics that have some."""
    found = {name: label_shares(record, name, known.target) for name, known in estimates.items()}
    return {name: shares for name, shares in found.items() if shares}


def _told(record: RunRecord, metric: str, label: str) -> RunRecord:
    """Return the record of labelled samples alone, each a pass where it has this label."""

    def told(score: Score) -> Score:
        return replace(score, value=score.value == label)

    scores = {
        key: tuple(told(s) for s in given if s.name == metric and isinstance(s.value, str))
        for key, given in record.scores.items()
    }
    return replace(record, outcomes={}, scores=scores)
