from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import ComparisonReport, RunRecord, comparison_lines

MakeRun = Callable[..., RunRecord]
CASES = [f"c{i:02}" for i in range(40)]
LOW = {case: [False, i % 2 == 0] for i, case in enumerate(CASES)}
HIGH = {case: [True, i % 8 > 0] for i, case in enumerate(CASES)}
OTHER = {"run_id": "b" * 32, "version": "v2", "fingerprint": "e" * 64}


def prompts(version: str, text: str) -> dict[str, object]:
    return {"triage": {"version": version, "text": text, "registry_version": 1}}


@pytest.fixture
def two(make_run: MakeRun) -> tuple[RunRecord, RunRecord]:
    tags = {case: {"team": "ab"[i % 2]} for i, case in enumerate(CASES)}
    words = [f"word {i}" for i in range(30)]
    base = make_run({"correct": LOW}, tags=tags, prompts=prompts("v1", "\n".join(words)))
    other = make_run(
        {"correct": HIGH}, tags=tags, prompts=prompts("v2", "\n".join(words[::-1])), **OTHER
    )
    return base, other


def test_the_verdict_comes_first_and_all_fits_a_screen(two: tuple[RunRecord, RunRecord]) -> None:
    lines = comparison_lines(ComparisonReport.of(two[0], [two[1]], guardrails={}))
    assert lines[0].startswith("PASS  v2 against v1, correct: +69 points (95% +")
    assert lines[0].endswith("n=40). It is better.")
    assert len(lines) < 45
    assert max(map(len, lines)) <= 100


def test_runs_differences_and_target_are_told(two: tuple[RunRecord, RunRecord]) -> None:
    lines = comparison_lines(ComparisonReport.of(two[0], [two[1]]))
    assert lines[2:6] == [
        "base       aaaaaaaaaaaa  app v1  40 cases, K=2",
        "candidate  bbbbbbbbbbbb  app v2  40 cases, K=2",
        "differs    prompt triage: v1 → v2",
        "speaks of  cases like these, 95% intervals, paired by case",
    ]


def test_a_case_that_improved_has_its_fractions_and_two_traces(
    two: tuple[RunRecord, RunRecord],
) -> None:
    report = ComparisonReport.of(two[0], [two[1]])
    flip = report.candidates[0].flips[0]
    assert flip.low.trace_id
    assert flip.high.trace_id
    example = (
        f"  better  {flip.case}  0/2 → 2/2  "
        f"failed {flip.low.trace_id[:11]}  passed {flip.high.trace_id[:11]}"
    )
    assert example in comparison_lines(report)


def test_everything_is_shown_only_when_asked_for(two: tuple[RunRecord, RunRecord]) -> None:
    report = ComparisonReport.of(two[0], [two[1]])
    calm, full = comparison_lines(report), comparison_lines(report, full=True)
    assert any(line.endswith("more improved: --full") for line in calm)
    assert any(line.endswith("more lines: --full") for line in calm)
    assert not any("--full" in line for line in full)
    assert sum(line.startswith("  better") for line in full) == 35
    assert sum(line.startswith("  - ") for line in full) == 29
    assert max(map(len, full)) <= 100


def test_slices_that_stand_out_are_pointed_at(two: tuple[RunRecord, RunRecord]) -> None:
    lines = comparison_lines(ComparisonReport.of(two[0], [two[1]]))
    assert sum(line.startswith("  look here  team=") for line in lines) == 2
    said = "Slices decide nothing: of those called better or worse one in ten may be chance."
    assert said in lines


def test_a_run_against_itself_is_said_plainly(two: tuple[RunRecord, RunRecord]) -> None:
    lines = comparison_lines(ComparisonReport.of(two[0], [two[0]]))
    assert lines[0] == (
        "UNCHANGED  v1 against v1: both are one run, so there is nothing to compare."
    )
    assert "differs    nothing: equal fingerprints" in lines
    assert len(lines) == 6


def test_equal_runs_of_equal_versions_are_said_plainly(make_run: MakeRun) -> None:
    report = ComparisonReport.of(
        make_run({"correct": LOW}), [make_run({"correct": LOW}, run_id="b" * 32)]
    )
    assert "equal versions, with equal scores in every sample" in " ".join(comparison_lines(report))


def test_a_difference_between_equal_versions_is_called_chance(make_run: MakeRun) -> None:
    report = ComparisonReport.of(
        make_run({"correct": LOW}), [make_run({"correct": HIGH}, run_id="b" * 32)]
    )
    said = " ".join(" ".join(comparison_lines(report)).split())
    assert "The versions are equal: this is chance, or a model that changed" in said


def test_a_guardrail_that_decides_is_named(make_run: MakeRun) -> None:
    report = ComparisonReport.of(
        make_run({"correct": LOW, "grounded": HIGH}),
        [make_run({"correct": HIGH, "grounded": LOW}, **OTHER)],
        guardrails={"grounded": 0.02},
    )
    lines = comparison_lines(report)
    assert lines[0].startswith("FAIL  v2 against v1, guardrail grounded: -69 points")
    assert any(line.endswith("fail, guards 2 points") for line in lines)


def test_several_candidates_have_a_verdict_line_each(make_run: MakeRun) -> None:
    base = make_run({"correct": LOW})
    better = make_run({"correct": HIGH}, **OTHER)
    third = make_run({"correct": LOW}, **{**OTHER, "run_id": "c" * 32, "version": "v3"})
    lines = comparison_lines(ComparisonReport.of(base, [better, third]))
    assert lines[0].startswith("PASS  v2 against v1")
    assert lines[1].startswith("INCONCLUSIVE  v3 against v1")
    assert "v2 against v1" in lines
    assert "v3 against v1" in lines
    assert "p-values and verdict carry Holm's correction; intervals do not." in lines


def test_cases_of_one_run_only_are_named(make_run: MakeRun) -> None:
    base = make_run({"correct": {**LOW, "old": [True]}})
    other = make_run({"correct": {**HIGH, "new": [True]}}, **OTHER)
    lines = comparison_lines(ComparisonReport.of(base, [other]))
    assert "2 cases scored in only one of the runs, left out: new, old." in lines


def test_numbers_show_means_instead_of_fractions(make_run: MakeRun) -> None:
    numbers = {case: [10.0, 12.0 + i] for i, case in enumerate(CASES)}
    more = {case: [11.0, 14.0 + i] for i, case in enumerate(CASES)}
    report = ComparisonReport.of(
        make_run({"length": numbers}), [make_run({"length": more}, **OTHER)], margin=1
    )
    lines = comparison_lines(report)
    assert any("11 → 12.5  lowest tr-" in line for line in lines)
