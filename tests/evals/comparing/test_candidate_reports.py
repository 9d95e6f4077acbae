from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from linenotes.evals import (
    ComparisonReport,
    JudgedMetric,
    Quarantine,
    QuarantinedCase,
    RunRecord,
    comparison_document,
    comparison_lines,
    comparison_markdown,
    comparison_page,
)

CASES = [f"c{i:02}" for i in range(40)]
STEADY = {case: [i % 4 > 0, i % 3 > 0] for i, case in enumerate(CASES)}
BROKEN = STEADY | {case: [False, False] for case in CASES[1:12] if case != "c04"}
OTHER = {"run_id": "b" * 32, "version": "v2", "fingerprint": "e" * 64}
JUDGE = "gpt-x 123"
Make = Callable[..., RunRecord]


def quarantine(*cases: str, expires: date = date(2027, 1, 31)) -> Quarantine:
    entries = [
        QuarantinedCase(case=c, dataset="d", owner="ana", expires=expires, reason="slow")
        for c in cases
    ]
    return Quarantine(Path("quarantine.yaml"), date(2027, 1, 1), tuple(entries))


def everywhere(report: ComparisonReport) -> list[str]:
    """Return the text, the Markdown and the page, each in one line."""
    texts = ["\n".join(comparison_lines(report)), comparison_markdown(report)]
    return [" ".join(text.replace("\\", "").split()) for text in (*texts, comparison_page(report))]


@pytest.fixture
def two(make_run: Make) -> tuple[RunRecord, RunRecord]:
    return make_run({"correct": STEADY}), make_run({"correct": BROKEN}, **OTHER)


def test_cases_in_quarantine_decide_nothing_and_are_shown(
    two: tuple[RunRecord, RunRecord],
) -> None:
    broken = [case for case in CASES if STEADY[case] != BROKEN[case]]
    assert ComparisonReport.of(two[0], [two[1]]).verdict == "fail"
    report = ComparisonReport.of(two[0], [two[1]], quarantine=quarantine(*broken))
    (one,) = report.candidates
    assert one.verdict != "fail"
    assert one.primary.result.n_cases == 40 - len(broken)
    assert one.flips == ()
    assert {flip.case for flip in one.quarantined} == set(broken)
    assert comparison_document(report)["flipped"] == []
    assert len(report.base.plan.cases) == 40
    for text in everywhere(report):
        assert f"{len(broken)} quarantined cases run and not counted: c01" in text
    text, markdown, page = everywhere(report)
    assert "held c01 2/2 → 0/2" in text
    assert "| c01 | got worse, in quarantine |" in markdown
    assert f"In quarantine: {len(broken)}" in page


def test_an_expired_quarantine_is_named_and_holds_nothing(
    two: tuple[RunRecord, RunRecord],
) -> None:
    expired = quarantine("c01", expires=date(2026, 12, 31))
    report = ComparisonReport.of(two[0], [two[1]], quarantine=expired)
    assert report.candidates[0].primary.result.n_cases == 40
    document: Any = comparison_document(report)
    assert "expired on 2026-12-31: ana has to mend it" in document["notes"][0]
    assert all("expired on 2026-12-31: ana has to mend it" in text for text in everywhere(report))


def test_a_metric_that_decides_by_an_uncalibrated_judge_says_so(
    two: tuple[RunRecord, RunRecord],
) -> None:
    judges = (JudgedMetric("correct", JUDGE, None), JudgedMetric("fast", JUDGE, None))
    report = ComparisonReport.of(two[0], [two[1]], judges=judges)
    assert comparison_document(report)["uncalibrated"] == ["correct"]
    for text in everywhere(report):
        assert "Uncalibrated judge." in text
        assert "correct: nobody has held its judge against people" in text
    silent = ComparisonReport.of(two[0], [two[1]])
    assert comparison_document(silent)["uncalibrated"] == []
    assert not any("ncalibrated" in text or "nobody" in text for text in everywhere(silent))
