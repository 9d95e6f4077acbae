from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from linenotes.evals import (
    FlakyReport,
    Quarantine,
    QuarantinedCase,
    RunStore,
    flaky_document,
    flaky_report,
    flaky_text,
    newest_plan,
    version_history,
)
from linenotes.evals.documents._history_documents import FlakyDocument
from linenotes.project import Project, RunError

WriteRun = Callable[..., str]
TODAY = date(2026, 11, 23)


def report(store: RunStore, project: Project, *entries: QuarantinedCase) -> FlakyReport:
    history = version_history(store, newest_plan(store, "latest")[0])
    return flaky_report(history, Quarantine(project.root / "quarantine.yaml", TODAY, entries))


def entry(case: str, expires: date) -> QuarantinedCase:
    return QuarantinedCase(
        case=case, dataset="numbers", owner="ana", expires=expires, reason="slow tool"
    )


@pytest.fixture
def measured(
    store: RunStore, write_run: WriteRun, make_project: Callable[..., Project]
) -> FlakyReport:
    """Thirty cases that always pass, one that flips, one that always fails, one that broke."""
    steady: dict[str, list[bool | None]] = {f"s{i:02}": [True] * 10 for i in range(30)}
    before = {**steady, "flips": [True, False] * 5, "fails": [False] * 10, "broke": [True] * 10}
    write_run(before)
    write_run({**before, "broke": [True] + [False] * 9, "s00": [True] * 9 + [None]})
    return report(store, make_project(), entry("flips", TODAY), entry("s01", date(2026, 1, 1)))


def test_each_case_has_a_class_and_its_samples(measured: FlakyReport) -> None:
    by_case = {one.case: one for one in measured.cases}
    assert by_case["flips"].stability.kind == "flaky"
    assert by_case["s05"].stability.kind == "stable pass"
    assert by_case["fails"].stability.kind == "unknown"
    assert by_case["s00"].samples == ((True,) * 10, (True,) * 9 + (None,))


def test_a_case_unlike_its_history_comes_first(measured: FlakyReport) -> None:
    assert [one.case for one in measured.changed] == ["broke"]
    assert measured.cases[0].case == "broke"
    assert measured.cases[1].case == "flips"


def test_the_text_is_a_grid_that_fits_a_screen_and_a_sum(measured: FlakyReport) -> None:
    rows = flaky_text.grid(measured)
    assert rows[1] == ("broke", "flaky, changed", "11/20", "✓✓✓✓✓✓✓✓✓✓ ✓✗✗✗✗✗✗✗✗✗")
    assert rows[2] == ("flips", "flaky, held", "10/20", "✓✗✓✗✓✗✓✗✓✗ ✓✗✓✗✓✗✓✗✓✗")
    assert max(len("   ".join(row)) for row in rows) <= 100
    assert len(rows) == 34
    text = "\n".join(flaky_text.lines(measured))
    assert "33 cases: 30 stable pass, 0 stable fail, 2 flaky, 1 unknown." in text
    assert "Changed: broke passed 1 of 10 now, and 10 of 10 before (adjusted p=" in text
    assert "more a case would settle fails." in text
    assert "In quarantine: flips (numbers) until 2026-11-23, ana: slow tool" in text
    assert "case 's01' (numbers) expired on 2026-01-01" in text
    assert "--quarantine broke" in text
    assert flaky_text.heading(measured).endswith("33 cases, 660 samples of 2 runs")


def test_of_a_large_suite_steady_cases_are_only_counted(
    store: RunStore, write_run: WriteRun, make_project: Callable[..., Project]
) -> None:
    write_run({f"s{i:02}": [True] * 15 for i in range(50)} | {"f" * 60: [True, False] * 30})
    found = report(store, make_project())
    rows = flaky_text.grid(found)
    assert len(rows) == 2
    assert rows[1][0].endswith("…")
    assert rows[1][3].startswith("…")
    assert "50 of those that always pass are not shown: --all." in flaky_text.lines(found)
    assert len(flaky_text.grid(found, everything=True)) == 52


def test_the_document_is_that_of_the_contract(measured: FlakyReport) -> None:
    document = flaky_document(measured)
    FlakyDocument.model_validate(document)
    assert document["classes"] == {"stable pass": 30, "stable fail": 0, "flaky": 2, "unknown": 1}


def test_copies_are_told(measured: FlakyReport) -> None:
    copied = replace(measured, history=replace(measured.history, copies=3))
    assert "3 samples left out as copies" in "\n".join(flaky_text.lines(copied))


def test_what_is_no_rate_has_no_flaky_cases(
    store: RunStore, write_run: WriteRun, make_project: Callable[..., Project]
) -> None:
    write_run({"a": [0.5, 0.7]})
    with pytest.raises(RunError, match="'correct' is not passed or failed"):
        report(store, make_project())
    write_run({"a": [None]}, fingerprint="e" * 64)
    with pytest.raises(RunError, match="has no scored sample"):
        report(store, make_project())
