"""What a person looks for beside a decision: who judged it, and where failures begin."""

from __future__ import annotations

from linenotes.evals.failing._beginnings import clear_beginning
from linenotes.evals.gating._gate import Decision
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.judging._calibrations import judged_metrics, uncalibrated
from linenotes.project import Project


def unchecked(project: Project, decision: Decision) -> tuple[str, ...]:
    """Return the metrics that a model judges which nobody has held against people's labels.

    Raises:
        RunError: the file of a calibration cannot be read.
    """
    first = decision.comparisons[0]
    judged = judged_metrics(project, (first.base, first.candidate))
    return uncalibrated(judged, [one.metric for one in decision.comparisons])


def failures_begin(decision: Decision, candidate: RunRecord) -> str | None:
    """Say with whom most failures begin of the first metric that failed, where that is clear.

    `candidate` is the run without cases in quarantine.
    """
    if not candidate.plan.has_conversations:
        return None
    own, found = set(candidate.plan.metrics), decision.comparisons
    failed = [x.metric for x in found if x.result.verdict == "fail" and x.metric in own]
    return clear_beginning(candidate, failed[0]) if failed else None
