"""What `compare` prints: a comparison of runs, with all that helps to understand it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part
from linenotes.evals.documents._run_documents import ComparisonDocument

if TYPE_CHECKING:
    from linenotes.evals.comparing._candidate_reports import CandidateReport, MetricChange
    from linenotes.evals.comparing._comparison import RunComparison
    from linenotes.evals.comparing._differences import PromptChange
    from linenotes.evals.comparing._flips import Example, FlippedCase
    from linenotes.evals.comparing._reports import ComparisonReport
    from linenotes.evals.comparing._slices import SliceChange
    from linenotes.evals.comparing._usage_changes import UsageChange
    from linenotes.evals.statistics import Comparison

DecidedVerdict = Literal["pass", "fail", "inconclusive", "cannot measure"]


class ChangeDocument(Part):
    """A change over the cases that both runs have; null where it cannot be measured."""

    n: int
    """Cases."""
    base_mean: float | None
    candidate_mean: float | None
    delta: float | None
    low: float | None
    """Of the 95% interval, which carries no correction."""
    high: float | None


class PrimaryDocument(ChangeDocument):
    """The primary metric by itself."""

    metric: str
    margin: float
    """The drop that a pass rules out."""
    verdict: DecidedVerdict


class SecondaryDocument(ChangeDocument):
    """A metric that does not decide."""

    metric: str
    p: float | None
    """Two-sided, with Holm's correction over all metrics that do not decide."""
    shown: Literal["better", "worse"] | None


class UsageChangeDocument(Part):
    """What a sample uses."""

    name: Literal["cost", "tokens", "seconds"]
    """`cost` is in US dollars."""
    change: ChangeDocument | None
    note: str
    """Why there is no change to tell; else empty."""


class SliceDocument(ChangeDocument):
    """The primary metric over the cases with one value of one tag."""

    tag: str
    value: str
    q: float | None
    """Two-sided, adjusted over all slices by Benjamini and Hochberg."""
    stands_out: bool
    """Whether to look here; it never decides."""


class ExampleDocument(Part):
    """A sample to read."""

    sample: int
    value: float
    trace_id: str | None
    """Null where the run does not hold its samples."""
    why: str
    """What the agent's error or the scorer said; empty if nothing."""


class FlippedCaseDocument(Part):
    """A case that improved or got worse."""

    case: str
    change: float
    before: list[float]
    """The values of the base's samples."""
    after: list[float]
    low: ExampleDocument
    """The lowest sample of the run in which the case was worse."""
    high: ExampleDocument
    """The highest sample of the other run."""


class DiffLineDocument(Part):
    """A line of a text diff."""

    kind: Literal["kept", "removed", "added", "skipped"]
    text: str


class PromptChangeDocument(Part):
    """A prompt whose text the versions do not share."""

    name: str
    before: str | None
    """Its version in the base; null where the base has no such prompt."""
    after: str | None
    lines: list[DiffLineDocument]


class CandidateDocument(ComparisonDocument):
    """A candidate against the base; `verdict` is of the primary metric and all guardrails."""

    primary: PrimaryDocument
    guardrails: list[PrimaryDocument]
    secondary: list[SecondaryDocument]
    usage: list[UsageChangeDocument]
    slices: list[SliceDocument]
    flipped: list[FlippedCaseDocument]
    """The largest change first."""
    quarantined: list[FlippedCaseDocument]
    """Cases in quarantine that improved or got worse; they decide nothing and are in no figure."""
    uncalibrated: list[str]
    """Metrics that decide, and of which nobody has held the judge against people's labels."""
    prompts: list[PromptChangeDocument]
    notes: list[str]
    """Which cases were run and do not decide, and whose quarantine has expired."""


class ReportDocument(CandidateDocument):
    """`compare --json`: the first candidate flat, and further ones in `others`."""

    others: list[CandidateDocument]
    """Further candidates against the same base; empty where there is one."""


def comparison_document(report: ComparisonReport) -> Document:
    """Return a comparison of two runs or more as the JSON contract has it."""
    first, *others = (_candidate(one, report.held) for one in report.candidates)
    flat = first.model_dump()
    return ReportDocument.model_validate({**flat, "others": others}).dump()


def _candidate(found: CandidateReport, notes: Sequence[str]) -> CandidateDocument:
    return CandidateDocument.model_validate(
        {
            **found.primary.document(),
            "verdict": found.verdict,
            "primary": _decisive(found.primary),
            "guardrails": [_decisive(one) for one in found.guardrails],
            "secondary": [_secondary(one) for one in found.secondary],
            "usage": [_usage(one) for one in found.usage],
            "slices": [_slice(one) for one in found.slices],
            "flipped": [_flipped(one) for one in found.flips],
            "quarantined": [_flipped(one) for one in found.quarantined],
            "uncalibrated": list(found.uncalibrated),
            "prompts": [_prompt(one) for one in found.prompts],
            "notes": list(notes),
        }
    )


def _change(found: Comparison) -> ChangeDocument:
    return ChangeDocument(
        n=found.n_cases,
        base_mean=found.base_mean,
        candidate_mean=found.candidate_mean,
        delta=found.delta,
        low=found.low,
        high=found.high,
    )


def _decisive(found: RunComparison) -> PrimaryDocument:
    return PrimaryDocument(
        **dict(_change(found.result)),
        metric=found.metric,
        margin=found.result.margin,
        verdict=found.result.verdict,
    )


def _secondary(found: MetricChange) -> SecondaryDocument:
    return SecondaryDocument(
        **dict(_change(found.result)),
        metric=found.metric,
        p=found.result.p_no_difference,
        shown=found.result.shown,
    )


def _usage(found: UsageChange) -> UsageChangeDocument:
    change = _change(found.result) if found.result else None
    return UsageChangeDocument(name=found.name, change=change, note=found.note)


def _slice(found: SliceChange) -> SliceDocument:
    return SliceDocument(
        **dict(_change(found.result)),
        tag=found.tag,
        value=found.value,
        q=found.q,
        stands_out=found.stands_out,
    )


def _flipped(found: FlippedCase) -> FlippedCaseDocument:
    return FlippedCaseDocument(
        case=found.case,
        change=found.change,
        before=list(found.before),
        after=list(found.after),
        low=_example(found.low),
        high=_example(found.high),
    )


def _example(found: Example) -> ExampleDocument:
    return ExampleDocument(
        sample=found.sample, value=found.value, trace_id=found.trace_id, why=found.why
    )


def _prompt(found: PromptChange) -> PromptChangeDocument:
    return PromptChangeDocument(
        name=found.name,
        before=found.before,
        after=found.after,
        lines=[DiffLineDocument(kind=line.kind, text=line.text) for line in found.lines],
    )
