"""All that a comparison of stored runs finds: what decides, what else changed, and where.

One base, one candidate or several. The primary metric and the guardrails decide; whatever else is
here only helps to understand. Text, JSON, Markdown and the page are written from this one value,
so that no two of them can say different things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from linenotes.evals.comparing._comparison import DEFAULT_MARGIN, RunComparison
from linenotes.evals.comparing._differences import PromptChange
from linenotes.evals.comparing._flips import FlippedCase
from linenotes.evals.comparing._slices import SliceChange
from linenotes.evals.comparing._usage_changes import UsageChange
from linenotes.evals.journal._records import RunRecord

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Target

ReportVerdict = Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"]
"""Ordered by `worst`; `unchanged` stands for equal versions whose scores are equal as well."""


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
    verdict: ReportVerdict
    """Of the primary metric and the guardrails together."""
    primary: RunComparison
    guardrails: tuple[RunComparison, ...]
    """Metrics that must not drop by their margins."""
    secondary: tuple[MetricChange, ...]
    """All other metrics that both runs have."""
    usage: tuple[UsageChange, ...]
    """Cost, tokens and time of a sample."""
    slices: tuple[SliceChange, ...]
    """The primary metric by tag; where to look, never what decides."""
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

        Raises:
            RunError: a metric or a tag is missing, or the cases have changed.
        """
        raise NotImplementedError

    @property
    def verdict(self) -> ReportVerdict:
        """The worst of the candidates' verdicts."""
        raise NotImplementedError
