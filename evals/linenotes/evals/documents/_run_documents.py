"""The documents about runs: what was measured, and how two runs compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part, Target
from linenotes.evals.documents._recordings_documents import RecordingUseDocument

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.evals._results import RunResult
    from linenotes.evals.comparing._comparison import RunComparison
    from linenotes.evals.failing._case_results import CaseResult
    from linenotes.evals.journal._usage import Usage


class DatasetDocument(Part):
    """The cases that were selected."""

    name: str
    digest: str
    """The sha256 of the selected cases: their version."""


class ErrorsDocument(Part):
    """Samples that failed, by whose failure it was."""

    infrastructure: int
    """Not scored: timeouts, lost connections, rate limits that outlived the retries."""
    agent: int
    """The agent's own exceptions; failures where the metric is a pass or a failure."""
    scorer: int
    """Executed, and without a score."""


class IntervalDocument(Part):
    """A mean over cases with its 95% interval; null where it cannot be measured."""

    mean: float | None
    low: float | None
    high: float | None
    target: Target
    """What the interval speaks of: cases like these, or exactly these cases."""


class LabelDocument(IntervalDocument):
    """One label: its share among the labelled samples of a case, as a mean over cases."""

    samples: int
    """How many samples have it."""


class MetricDocument(IntervalDocument):
    """One metric of a run."""

    unit: str | None
    """What the numbers are counted in, such as EUR; null for shares and bare numbers."""
    labels: dict[str, LabelDocument] | None
    """By label, the most frequent first; null for a metric without labels. Labels have no mean."""
    pass_hat: dict[str, IntervalDocument] | None
    """`pass^1`, `pass^2`, …: the chance that all of k samples of a case pass, for k up to the
    fewest that a case has. Null where the metric is no rate, or there is one sample a case."""
    pass_at: dict[str, IntervalDocument] | None
    """`pass@1`, `pass@2`, …: the chance that at least one of k samples of a case passes."""


class UsageDocument(Part):
    """Calls of one agent to one model, all samples together."""

    agent: str
    model: str
    """The name that it was asked by; empty where nobody told."""
    calls: int
    input_tokens: int
    cached_tokens: int
    """The part of the input that the provider had in its cache."""
    output_tokens: int
    reasoning_tokens: int
    """The part of the output that was thought and not said."""
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    unpriced_calls: int
    """Calls without a known price, which are not in `cost`."""


class DepthDocument(Part):
    """How many samples the cases have."""

    low: int
    """Of the case with the fewest."""
    high: int


class UnstableDocument(Part):
    """A case of which some samples pass the first metric and others fail it."""

    case: str
    samples: list[bool | None]
    """Whether each sample passed; null for one without a score."""


class TracesDocument(Part):
    """Traces that should be in the store, and that are."""

    expected: int
    stored: int


class RunDocument(Part):
    """One version of an agent against one dataset."""

    schema_version: Literal[1] = 1
    run_id: str
    agent: str
    version: str
    fingerprint: str
    """Equal for versions that behave alike."""
    dataset: DatasetDocument
    n: int
    """Cases."""
    samples: int
    """K: executions of each case, as planned."""
    samples_scored: DepthDocument | None
    """Those that have a value of the first metric; null where there is none."""
    scored: int
    """Samples with a value of the first metric."""
    errors: ErrorsDocument
    metrics: dict[str, MetricDocument]
    """By name, the primary metric first."""
    unstable: list[UnstableDocument]
    """The cases that pass the first metric now and then, those nearest to half first."""
    calls: int
    """Model calls."""
    tokens: int | None
    """In and out; null for an imported run whose file tells none."""
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    unpriced_calls: int
    """Model calls without a known price, which are not in `cost`."""
    replayed_calls: int
    """Model calls that recordings stood in for; they are in `calls` and in `cost`."""
    spent: float | None
    """US dollars of the calls that were made now: `cost` without what was replayed."""
    recordings: RecordingUseDocument | None
    """Null where recordings played no part, and in `publish`."""
    usage: list[UsageDocument]
    """What each agent used of each model."""
    wall_seconds: float | None
    """How long agents ran here; null for an imported run."""
    traces: TracesDocument


class ComparisonDocument(Part):
    """Two runs on one metric, paired by case."""

    schema_version: Literal[1] = 1
    metric: str
    base: str
    """The id of the run."""
    candidate: str
    base_version: str
    candidate_version: str
    n: int
    """Cases that both runs have."""
    delta: float | None
    """Candidate less base; null without a common case."""
    low: float | None
    high: float | None
    target: Target
    margin: float
    """The drop that a pass rules out."""
    verdict: Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"]
    """`unchanged` is said by `compare` only: equal versions with equal scores in every sample."""
    detectable_change: float | None
    """What the suite detects with 80% power."""
    improved: int
    """Cases whose mean rose."""
    worsened: int
    unchanged: int
    only_in_base: list[str]
    """Cases that are left out."""
    only_in_candidate: list[str]
    method: str
    differences: list[str]
    """What sets the versions apart."""
    savings: list[str]
    """What recordings have saved each run; empty where they have saved nothing."""


class EvaluationDocument(RunDocument):
    """`eval --json` for one version."""

    baseline: RunDocument | None
    """The agent's baseline, where it has one."""
    comparisons: list[ComparisonDocument]


class VersionsDocument(Part):
    """`eval --json` for several versions."""

    schema_version: Literal[1] = 1
    runs: list[RunDocument]
    comparisons: list[ComparisonDocument]


class ImportDocument(RunDocument):
    """`trace import --json`."""

    cases: int
    """Tasks of the file."""
    conversations: int
    """Trials of all tasks together."""
    file: str
    again: bool
    """True when the same file had been imported before, so that nothing was added."""


class ResultsDocument(RunDocument):
    """`import --json`. There are no model calls and no traces: only results are known."""

    rows: int
    """Samples of all cases together."""
    file: str
    again: bool
    """True when the same file had been imported before, so that nothing was added."""


def unstable_document(result: CaseResult) -> UnstableDocument:
    """Return a case that passes now and then as the JSON contract has it."""
    return UnstableDocument(case=result.case, samples=list(result.passes.values()))


def usage_document(usage: Usage) -> UsageDocument:
    """Return what an agent used of a model as the JSON contract has it."""
    return UsageDocument(
        agent=usage.agent,
        model=usage.model,
        calls=usage.calls,
        input_tokens=usage.input,
        cached_tokens=usage.cached,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        cost=usage.cost,
        unpriced_calls=usage.unpriced,
    )


def evaluation_document(
    results: Sequence[RunResult], comparisons: Sequence[RunComparison]
) -> Document:
    """Return what `eval` prints: one version flat with its baseline, several as a list of runs."""
    compared: list[JsonValue] = [comparison.document() for comparison in comparisons]
    versions = [result for result in results if not result.record.plan.baseline]
    if len(versions) > 1:
        runs: list[JsonValue] = [result.document() for result in results]
        return {"schema_version": 1, "runs": runs, "comparisons": compared}
    baseline = next((r.document() for r in results if r.record.plan.baseline), None)
    return {**versions[0].document(), "baseline": baseline, "comparisons": compared}
