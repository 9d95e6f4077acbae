"""What a golden test measured, as documents that workers send and files hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from linenotes.evals._savings import replayed_calls, replayed_cost
from linenotes.evals.documents._run_documents import ComparisonDocument, IntervalDocument
from linenotes.evals.documents._suite_documents import (
    FlippedCaseDocument,
    GoldenCaseDocument,
    GoldenTestDocument,
)
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import score_table
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._judging import CaseJudgement
from linenotes.evals.suite._verdicts import Verdict

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison


def case_document(
    test: GoldenTest, found: CaseJudgement, record: RunRecord, *, lost: int | None = None
) -> GoldenCaseDocument:
    """Return what a test says of one case; `lost` where its samples were not even judged."""
    example = found.broken or found.example
    first = found.of_samples[0].trace_id if found.of_samples else None
    costs = [o.cost for (case, _), o in record.outcomes.items() if case == found.case]
    known = [cost for cost in costs if cost is not None]
    return GoldenCaseDocument(
        test=test.name,
        case=found.case,
        status=found.status,
        passed=found.passed,
        measured=found.measured,
        lost=found.lost if lost is None else lost,
        why=example.why if example else None,
        trace_id=example.trace_id if example else first,
        cost=sum(known) if known else None,
    )


def test_document(
    test: GoldenTest, verdict: Verdict, judged: Mapping[str, CaseJudgement]
) -> GoldenTestDocument:
    """Return the verdict of a test with all that it rests on."""
    record, plan, found = verdict.record, verdict.record.plan, verdict.estimate
    cost, compared = _cost(record), _compared(verdict)
    return GoldenTestDocument(
        test=test.name,
        metric=test.metric,
        verdict=verdict.word,
        fails=verdict.fails,
        reasons=list(verdict.reasons),
        run_id=plan.run_id,
        agent=plan.agent,
        version=plan.version,
        dataset=plan.dataset.name,
        n=found.n_cases,
        samples=plan.samples,
        passed=sum(case.passed for case in judged.values()),
        measured=sum(case.measured for case in judged.values()),
        rate=IntervalDocument(mean=found.mean, low=found.low, high=found.high, target=found.target),
        unstable={c.case: c.fraction for c in judged.values() if c.status == "unstable"},
        failing={c.case: c.fraction for c in judged.values() if c.status == "failing"},
        lost=[c.case for c in judged.values() if c.status == "lost"],
        calls=sum(outcome.calls for outcome in record.outcomes.values()),
        replayed_calls=replayed_calls(record),
        cost=cost,
        spent=None if cost is None else max(0.0, cost - replayed_cost(record)),
        comparisons=[ComparisonDocument.model_validate(c.document()) for c in verdict.comparisons],
        gates=compared.family if compared else None,
        level=compared.drop_level if compared else None,
        flipped=_flipped(verdict, judged),
    )


def properties(
    document: GoldenCaseDocument | GoldenTestDocument, record: RunRecord
) -> list[tuple[str, object]]:
    """Return what a report in JUnit's format holds beside the item."""
    cost = [] if document.cost is None else [("linenotes.cost", round(document.cost, 6))]
    if isinstance(document, GoldenCaseDocument):
        return [
            ("linenotes.K", record.plan.samples),
            ("linenotes.passes", f"{document.passed}/{document.measured}"),
            *cost,
            ("linenotes.verdict", document.status),
            ("linenotes.trace", f"linenotes trace show {document.trace_id}"),
        ]
    gates = []
    if document.level is not None:
        gates = [("linenotes.gates", document.gates), ("linenotes.level", round(document.level, 6))]
    return [
        ("linenotes.n", document.n),
        ("linenotes.K", document.samples),
        ("linenotes.passes", f"{document.passed}/{document.measured}"),
        ("linenotes.interval", rate_text(document.rate)),
        ("linenotes.target", document.rate.target),
        *cost,
        *gates,
        ("linenotes.verdict", document.verdict),
        ("linenotes.run", document.run_id),
    ]


def rate_text(rate: IntervalDocument) -> str:
    """Return `72% (62 to 81)`."""
    if rate.mean is None:
        return "cannot measure"
    if rate.low is None or rate.high is None:
        return f"{100 * rate.mean:.0f}% (no interval)"
    return f"{100 * rate.mean:.0f}% ({100 * rate.low:.0f} to {100 * rate.high:.0f})"


def _cost(record: RunRecord) -> float | None:
    """Return what a run cost; None where there are calls and none has a known price."""
    outcomes = record.outcomes.values()
    known = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    return sum(known) if known or not any(outcome.calls for outcome in outcomes) else None


def _compared(verdict: Verdict) -> Comparison | None:
    """Return the comparison with the baseline by which the gate decides, if there was one."""
    return verdict.comparisons[0].result if verdict.comparisons else None


def _flipped(verdict: Verdict, judged: Mapping[str, CaseJudgement]) -> list[FlippedCaseDocument]:
    """Return the cases whose share of passes is another than the baseline's, the worst first."""
    metric = verdict.comparisons[0].metric if verdict.comparisons else None
    if verdict.base is None or metric is None:
        return []
    before, after = _passes(verdict.base, metric), _passes(verdict.record, metric)
    changes = {
        case: after[case][0] / after[case][1] - before[case][0] / before[case][1]
        for case in judged
        if case in before and case in after
    }
    return [
        FlippedCaseDocument(
            case=case,
            before="{}/{}".format(*before[case]),
            after="{}/{}".format(*after[case]),
        )
        for case, change in sorted(changes.items(), key=lambda item: (item[1], item[0]))
        if change
    ]


def _passes(record: RunRecord, metric: str) -> dict[str, tuple[int, int]]:
    """Return case to how many of its samples passed, and how many were measured."""
    if metric not in record.plan.metrics:
        return {}
    cases = score_table(record, metric).groupby("case")["value"]
    return {str(case): (round(values.sum()), len(values)) for case, values in cases}
