from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import ComparisonReport, RunRecord
from linenotes.evals.statistics import compare_scores, holm
from linenotes.project import RunError

MakeRun = Callable[..., RunRecord]
CASES = [f"c{i:02}" for i in range(40)]


def scores(rate: float, *, k: int = 4, turn: int = 0) -> dict[str, list[bool]]:
    """Scores whose mean over cases is `rate`, the same number of passes however they turn."""
    passed = round(rate * len(CASES) * k)
    flat = [i * 7 % (len(CASES) * k) < passed for i in range(len(CASES) * k)]
    flat = flat[turn:] + flat[:turn]
    return {case: flat[i * k : (i + 1) * k] for i, case in enumerate(CASES)}


def test_the_primary_metric_decides_unless_a_guardrail_is_worse(make_run: MakeRun) -> None:
    base = make_run({"correct": scores(0.6), "grounded": scores(0.9)})
    other = make_run(
        {"correct": scores(0.9), "grounded": scores(0.5)}, run_id="b" * 32, fingerprint="e" * 64
    )
    assert ComparisonReport.of(base, [other]).verdict == "pass"
    guarded = ComparisonReport.of(base, [other], guardrails={"grounded": 0.05})
    assert guarded.verdict == "fail"
    (one,) = guarded.candidates
    assert one.primary.result.verdict == "pass"
    assert [(g.metric, g.result.verdict, g.result.margin) for g in one.guardrails] == [
        ("grounded", "fail", 0.05)
    ]
    assert one.secondary == ()


def test_other_metrics_are_secondary_and_carry_holms_correction(make_run: MakeRun) -> None:
    base = make_run({"m": scores(0.6), "x": scores(0.7), "y": scores(0.7)})
    other = make_run(
        {"m": scores(0.6, turn=3), "x": scores(0.8, turn=5), "y": scores(0.7, turn=9)},
        run_id="b" * 32,
    )
    (one,) = ComparisonReport.of(base, [other]).candidates
    assert [found.metric for found in one.secondary] == ["x", "y"]
    plain = [
        compare_scores(table(base, name), table(other, name)).p_no_difference or 0.0
        for name in ("x", "y")
    ]
    assert [found.result.p_no_difference for found in one.secondary] == holm(plain)


def table(run: RunRecord, metric: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  pandas
    from linenotes.evals.journal._tables import score_table

    return score_table(run, metric)


def test_labels_have_no_mean_and_are_left_out(make_run: MakeRun) -> None:
    labels = {case: ["billing"] * 4 for case in CASES}
    base = make_run({"m": scores(0.6), "topic": labels})
    other = make_run({"m": scores(0.7), "topic": labels}, run_id="b" * 32)
    (one,) = ComparisonReport.of(base, [other]).candidates
    assert one.secondary == ()


def test_a_metric_without_any_score_is_told_as_not_measured(make_run: MakeRun) -> None:
    nothing: dict[str, list[None]] = {case: [None] * 4 for case in CASES}
    base = make_run({"m": scores(0.6), "broken": nothing})
    other = make_run({"m": scores(0.7), "broken": nothing}, run_id="b" * 32)
    (one,) = ComparisonReport.of(base, [other]).candidates
    assert [found.result.verdict for found in one.secondary] == ["cannot measure"]


def test_a_run_against_itself_is_unchanged_however_few_its_cases(make_run: MakeRun) -> None:
    run = make_run({"m": {"a": [True], "b": [False]}})
    report = ComparisonReport.of(run, [run])
    assert report.verdict == "unchanged"
    assert report.candidates[0].primary.result.delta == 0


def test_equal_versions_with_other_scores_are_compared(make_run: MakeRun) -> None:
    base = make_run({"m": scores(0.9)})
    worse = make_run({"m": scores(0.4)}, run_id="b" * 32)
    assert ComparisonReport.of(base, [worse]).verdict == "fail"


def test_other_versions_with_equal_scores_are_compared(make_run: MakeRun) -> None:
    base = make_run({"m": scores(0.9)})
    other = make_run({"m": scores(0.9)}, run_id="b" * 32, fingerprint="e" * 64)
    assert ComparisonReport.of(base, [other]).verdict != "unchanged"


def test_of_several_candidates_the_worst_verdict_counts(make_run: MakeRun) -> None:
    base = make_run({"m": scores(0.6)})
    better = make_run({"m": scores(0.9)}, run_id="b" * 32, version="v2")
    worse = make_run({"m": scores(0.2)}, run_id="c" * 32, version="v3")
    report = ComparisonReport.of(base, [better, worse])
    assert [one.verdict for one in report.candidates] == ["pass", "fail"]
    assert report.verdict == "fail"
    assert [one.primary.result.compared_with_base for one in report.candidates] == [2, 2]


def test_the_metric_that_decides_is_no_guardrail(make_run: MakeRun) -> None:
    run = make_run({"m": scores(0.6)})
    with pytest.raises(RunError, match="'m' decides already"):
        ComparisonReport.of(run, [run], guardrails={"m": 0.1})
    with pytest.raises(RunError, match="has no metric 'nope'"):
        ComparisonReport.of(run, [run], guardrails={"nope": 0.1})


def test_a_run_without_its_samples_has_no_traces_to_show(make_run: MakeRun) -> None:
    base = replace(make_run({"m": scores(0.6)}), samples={})
    other = make_run({"m": scores(0.9)}, run_id="b" * 32)
    (one,) = ComparisonReport.of(base, [other]).candidates
    assert one.flips
    assert all(flip.low.trace_id is None for flip in one.flips if flip.improved)
    assert all(flip.high.trace_id for flip in one.flips if flip.improved)
