from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import ComparisonReport, RunRecord
from linenotes.evals.comparing._change_table import change_table

LONG = "grounded_in_the_documents_that_were_found"
LABELS = {"version": "triage=2,specialist=2", "run_id": "b" * 32, "fingerprint": "e" * 64}
VALUES = {f"c{i:02}": [i % 9 / 100, i % 7 / 100] for i in range(40)}
PASSES = {f"c{i:02}": [i % 3 > 0, i % 4 > 0] for i in range(40)}


@pytest.fixture
def report(make_run: Callable[..., RunRecord]) -> ComparisonReport:
    metrics = {"correct": PASSES, LONG: VALUES}
    base = make_run(metrics, amounts={"cost": 0.0015, "calls": 1})
    other = make_run(metrics, amounts={"cost": 0.0017, "calls": 1}, **LABELS)
    return ComparisonReport.of(base, [other], guardrails={LONG: 0.02})


def test_where_there_is_room_each_metric_has_a_line(report: ComparisonReport) -> None:
    lines = [*change_table(report.candidates[0], 160)]
    assert "triage=2,specialist=2" in lines[0]
    (guardrail,) = (line for line in lines if line.startswith(LONG))
    assert guardrail.endswith("inconclusive, guards 0.02")


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_or_too_wide(report: ComparisonReport, width: int) -> None:
    lines = [*change_table(report.candidates[0], width)]
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    column = "".join(line.split("  ")[0] for line in lines)
    assert LONG in column


def test_a_name_is_broken_where_its_words_end(report: ComparisonReport) -> None:
    lines = [*change_table(report.candidates[0], 80)]
    first = next(line for line in lines if line.startswith("grounded_"))
    assert first.split()[0].endswith("_")


def test_what_could_not_be_compared_is_said_under_the_rows(
    make_run: Callable[..., RunRecord],
) -> None:
    runs = [make_run({"correct": PASSES}, amounts={"calls": 1, "unpriced": 1, "cost": 1.0})] * 2
    lines = [*change_table(ComparisonReport.of(runs[0], runs[1:]).candidates[0], 80)]
    assert "cost a sample: 160 calls without a known price (`linenotes prices`)." in lines
