"""All that a comparison of stored runs finds: what decides, what else changed, and where.

One base, one candidate or several. The primary metric and the guardrails decide; whatever else is
here only helps to understand. Text, JSON, Markdown and the page are written from this one value,
so that no two of them can say different things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from linenotes.evals.comparing._candidate_reports import CandidateReport, ComparedRuns
from linenotes.evals.comparing._comparison import (
    DEFAULT_MARGIN,
    GateVerdict,
    deciding_margins,
    primary_metric,
    worst,
)
from linenotes.evals.comparing._exit_codes import exit_code
from linenotes.evals.history._quarantine import Quarantine
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.judging._calibrations import JudgedMetric

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


@dataclass(frozen=True)
class ComparisonReport:
    """A base against one candidate or several."""

    base: RunRecord
    candidates: tuple[CandidateReport, ...]
    judges: tuple[JudgedMetric, ...] = ()
    """What is known of the models that judge some of the metrics."""
    quarantine: Quarantine | None = None
    """Cases that were run and do not decide."""

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
        quarantine: Quarantine | None = None,
        judges: tuple[JudgedMetric, ...] = (),
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
            quarantine: cases that are shown and decide nothing.
            judges: what people's labels have shown of the models that judge metrics.
            family: how many such decisions share the level at which a drop is shown.

        Raises:
            RunError: a metric or a tag is missing, or the cases have changed.
        """
        primary = metric or primary_metric(base.plan)
        margins = deciding_margins(primary, margin, guardrails or {})
        runs = ComparedRuns(base, tuple(candidates), quarantine, judges)
        decided = runs.decided(
            margins, target=target, allow_changed_cases=allow_changed_cases, family=family
        )
        parts = runs.slices(primary, slices, target=target)
        others = runs.secondary(set(margins), target=target)
        found = [
            runs.report(number, *each, target=target)
            for number, each in enumerate(zip(decided, parts, others, strict=True))
        ]
        return cls(base, tuple(found), judges, quarantine)

    @property
    def verdict(self) -> GateVerdict:
        """The worst of the candidates' verdicts."""
        return worst(one.verdict for one in self.candidates)

    @property
    def exit_code(self) -> int:
        """What a command ends with."""
        return exit_code(self.verdict, margin=self.candidates[0].primary.result.margin)

    @property
    def held(self) -> tuple[str, ...]:
        """What to say of cases in quarantine, a sentence each."""
        runs = (self.base, *(one.record for one in self.candidates))
        cases = dict.fromkeys(case.id for run in runs for case in run.plan.cases)
        return tuple(self.quarantine.told(cases)) if self.quarantine else ()

    @property
    def uncalibrated(self) -> tuple[str, ...]:
        """Metrics that decide, and of which nobody has held the judge against people's labels."""
        return tuple(dict.fromkeys(name for one in self.candidates for name in one.uncalibrated))
