"""The document of a pytest session with golden tests."""

from __future__ import annotations

from typing import Literal

from linenotes.evals.documents._part import Part
from linenotes.evals.documents._run_documents import ComparisonDocument, IntervalDocument

CaseStatus = Literal["passing", "unstable", "failing", "lost", "broken"]


class GoldenCaseDocument(Part):
    """What a golden test says of one case."""

    test: str
    """The node id without the case."""
    case: str
    status: CaseStatus
    """`lost`: no sample could be measured. `broken`: the test raised what is no assertion."""
    passed: int
    measured: int
    """Samples that passed or failed."""
    lost: int
    """Samples that the infrastructure lost."""
    why: str | None
    """What a failing sample shows; null where none fails."""
    trace_id: str | None
    """The trace of that sample, else of the first one."""
    cost: float | None
    """US dollars of the case's samples; null where no price is known."""


class FlippedCaseDocument(Part):
    """A case whose share of passes differs from the baseline's."""

    case: str
    before: str
    """`5/5`: passed of measured, in the baseline."""
    after: str


class GoldenTestDocument(Part):
    """The verdict of one golden test."""

    test: str
    """The node id without the case."""
    metric: str
    """The name of its scores in the run."""
    verdict: Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"]
    fails: bool
    """Whether the verdict fails the session."""
    reasons: list[str]
    """Why, a sentence each."""
    run_id: str
    agent: str
    version: str
    dataset: str
    n: int
    """Cases that decide: measured, and not in quarantine."""
    samples: int
    """K: executions of each case."""
    passed: int
    """Samples, of all cases."""
    measured: int
    rate: IntervalDocument
    unstable: dict[str, str]
    """Cases of which some samples pass and some fail, with `3/5`: passed of measured."""
    failing: dict[str, str]
    """Cases of which every measured sample fails."""
    lost: list[str]
    """Cases of which no sample could be measured."""
    calls: int
    replayed_calls: int
    """Calls that recordings stood in for; they are in `calls` and in `cost`."""
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    spent: float | None
    """US dollars of the calls that were made now."""
    comparisons: list[ComparisonDocument]
    """With the baseline; empty without a gate."""
    gates: int | None
    """How many gates share the level at which a drop fails; null where nothing was compared."""
    level: float | None
    """This gate's share of that level, of a one-sided test by itself: 0.01 of 0.05 shared by 5."""
    flipped: list[FlippedCaseDocument]


class SuiteDocument(Part):
    """`pytest --linenotes-json FILE`."""

    schema_version: Literal[1] = 1
    tests: list[GoldenTestDocument]
    cases: list[GoldenCaseDocument]
    notes: list[str]
    """What is to know besides, a sentence each."""
