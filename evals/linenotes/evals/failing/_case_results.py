"""What the samples of a case have in common: all pass, some do, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate, score_values

CaseStatus = Literal["passing", "unstable", "failing", "lost"]


@dataclass(frozen=True)
class CaseResult:
    """Whether each sample of a case passed."""

    case: str
    passes: dict[int, bool | None]
    """By sample, in their order; None for one without a score, such as a lost one."""

    @property
    def passed(self) -> int:
        """How many samples passed."""
        return sum(one is True for one in self.passes.values())

    @property
    def measured(self) -> int:
        """How many samples passed or failed."""
        return sum(one is not None for one in self.passes.values())

    @property
    def fraction(self) -> str:
        """`3/5`: passed of measured."""
        return f"{self.passed}/{self.measured}"

    @property
    def status(self) -> CaseStatus:
        """What the samples have in common; `lost` where none has a score."""
        if not self.measured:
            return "lost"
        if self.passed == self.measured:
            return "passing"
        return "unstable" if self.passed else "failing"

    def of(self, *, passed: bool) -> list[int]:
        """Return the samples that passed, or those that failed."""
        return [sample for sample, one in self.passes.items() if one is passed]


def case_results(record: RunRecord, metric: str) -> list[CaseResult]:
    """Return the result of each case of a run, in their order; no sample is read for it."""
    values = score_values(record, metric)
    found: dict[str, dict[int, bool | None]] = {case.id: {} for case in record.plan.cases}
    for case, sample in sorted(record.outcomes):
        value = values.get((case, sample))
        found[case][sample] = None if value is None else value == 1
    return [CaseResult(case, passes) for case, passes in found.items()]


def unstable_cases(record: RunRecord) -> list[CaseResult]:
    """Return the cases of which some samples pass the first metric and others fail it.

    Those that are nearest to half come first. There are none where the metric is no share of
    passes.
    """
    unstable = [one for one in _of_first_metric(record) if one.status == "unstable"]
    return sorted(unstable, key=lambda one: (abs(one.passed / one.measured - 0.5), one.case))


def fails(record: RunRecord) -> bool:
    """Tell whether a sample fails the first metric."""
    return any(one.status in ("unstable", "failing") for one in _of_first_metric(record))


def _of_first_metric(record: RunRecord) -> list[CaseResult]:
    metric = next(iter(record.plan.metrics), None)
    if metric is None or not is_rate(record, metric):
        return []
    return case_results(record, metric)
