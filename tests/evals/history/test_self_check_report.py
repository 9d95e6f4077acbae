from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.evals.history.test_run_self_check import noisy

from linenotes.evals import (
    Quarantine,
    QuarantinedCase,
    RunRecord,
    check_gate,
    one_run,
    self_check_report,
)
from linenotes.evals.journal._plans import ImportInPlan

MakeRecord = Callable[..., RunRecord]


def test_the_gate_stands_beside_one_comparison(make_record: MakeRecord) -> None:
    found = check_gate(one_run(make_record(noisy(60, 6))), target="dataset", margin=0.05)
    text = "\n".join(self_check_report.head(found))
    assert text.startswith("app v1 on numbers, correct: 60 cases of 1 run\n")
    assert "speaks of  exactly these cases" in text
    assert "AS DESIGNED. Nothing has changed between two halves of 3 samples a case" in text
    assert "2,000 splits, " in text
    assert "designed for at most 4.0%." in text
    header, gate, at_once = self_check_report.rows(found)
    assert header[1:5] == ("false alarms", "95%", "pass", "inconclusive")
    assert gate[0] == "the gate, look by look"
    assert at_once[0] == "all samples at once"
    assert at_once[5] == "100%"
    assert gate[6].endswith(" points")
    assert self_check_report.closing_lines(found) == [
        "samples: the mean share of those planned until it was decided.",
        "drop seen: the smallest one that fails 8 times in 10, with a margin of 5 points.",
    ]


def test_too_few_samples_say_what_to_do(make_record: MakeRecord) -> None:
    values = noisy(20, 3)
    found = check_gate(one_run(make_record(values)), target="dataset", margin=0.05)
    text = self_check_report.head(found)[-1]
    assert text.startswith("CANNOT MEASURE. Splitting takes 4 samples of at least two cases")
    assert "Take more: linenotes eval --resume aaaaaaaaaaaa --samples K. Or speak" in text
    assert self_check_report.rows(found) == []
    imported = ImportInPlan(file="old.csv", identity="i", samples=60, timed=False)
    found = check_gate(
        one_run(make_record(values, imported=imported)), target="dataset", margin=0.05
    )
    text = self_check_report.head(found)[-1]
    assert "linenotes trace import FILE, with more samples a case than 'old.csv' has" in text


def test_a_suite_that_sees_nothing_says_so(make_record: MakeRecord) -> None:
    found = check_gate(one_run(make_record(noisy(4, 4))), target="population", margin=0.05)
    assert [row[6] for row in self_check_report.rows(found)[1:]] == ["none", "none"]
    assert "The gate sees no drop so often" in self_check_report.closing_lines(found)[-1]


def test_what_is_left_out_is_told(make_record: MakeRecord, tmp_path: Path) -> None:
    values = {**noisy(9, 4), "c100": [True]}
    entry = QuarantinedCase(
        case="c003", dataset="numbers", owner="ana", expires=date(2026, 12, 1), reason="slow"
    )
    held = Quarantine(tmp_path / "quarantine.yaml", date(2026, 11, 23), (entry,))
    history = replace(one_run(make_record(values)), copies=4)
    found = check_gate(history, target="population", margin=0.05, quarantine=held)
    *_, few, quarantined, copies = self_check_report.closing_lines(found)
    assert few == "1 case with too few samples to split, left out: c100."
    assert quarantined == "1 case in quarantine, left out: c003."
    assert copies.startswith("4 samples left out as copies of earlier ones")
