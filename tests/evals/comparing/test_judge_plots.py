from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.evals import (
    Calibration,
    ComparisonReport,
    JudgedMetric,
    RunRecord,
    calibrate,
    comparison_page,
)
from linenotes.evals.comparing._judge_plots import JudgePlot, judge_plots

JUDGE = "gpt-x 123"
CASES = [f"c{i:02}" for i in range(40)]
PASSES = {case: [i % 4 > 0, i % 5 > 0] for i, case in enumerate(CASES)}
MORE = {case: [i % 8 > 0, i % 5 > 0] for i, case in enumerate(CASES)}
NUMBERS = {case: [i / 40, i / 40] for i, case in enumerate(CASES)}
OTHER = {"run_id": "b" * 32, "version": "v2", "fingerprint": "e" * 64}
Values = Mapping[str, list[bool] | list[float]]


@pytest.fixture
def judged(make_run: Callable[..., RunRecord], tmp_path: Path) -> Callable[..., ComparisonReport]:
    """Return two runs whose judge was held against labels of the first."""

    def make(
        base: Values, other: Values, label: Callable[[int], object], **changes: object
    ) -> ComparisonReport:
        judges = {"judges": {"tone": JUDGE}}
        runs = [make_run({"tone": base}, **judges), make_run({"tone": other}, **OTHER, **judges)]
        path = tmp_path / "labels.csv"
        rows = [f"{case},0,{label(i)}" for i, case in enumerate(CASES)]
        path.write_text("\n".join(["case,sample,label", *rows]), encoding="utf-8")
        found: Calibration = calibrate(path, runs[0]).model_copy(update=changes)
        known = (JudgedMetric("tone", JUDGE, found), JudgedMetric("other", JUDGE, found))
        return ComparisonReport.of(runs[0], [runs[1]], judges=known)

    return make


def stern(i: int) -> int:
    """Label as the judge does, but for each tenth case, which fails."""
    return int(i % 4 > 0 and i % 10 != 1)


def only(report: ComparisonReport) -> JudgePlot:
    (plot,) = judge_plots(report)
    return plot


def test_a_judge_of_passes_has_its_two_error_rates(
    judged: Callable[..., ComparisonReport],
) -> None:
    plot = only(judged(PASSES, MORE, stern))
    assert (plot.metric, plot.judge) == ("tone", JUDGE)
    assert plot.labels.startswith("40 labels, n=40 cases of ")
    told = [(r.name, r.people, r.passed, r.failed, r.text) for r in plot.rates]
    assert told == [
        ("sensitivity", "pass", 26, 0, "100%"),
        ("specificity", "fail", 4, 10, "71%"),
    ]
    assert [rate.plot.low < rate.plot.at <= rate.plot.high for rate in plot.rates] == [True] * 2
    assert plot.bins == ()


def test_runs_are_corrected_alike_by_the_error_rates(
    judged: Callable[..., ComparisonReport],
) -> None:
    base, other = only(judged(PASSES, MORE, stern)).corrected
    specificity = 10 / 14
    for mean, raw in ((base, 62 / 80), (other, 67 / 80)):
        assert mean.raw == f"{100 * raw:.0f}%"
        assert mean.corrected == f"{100 * (raw + specificity - 1) / specificity:.0f}%"
        assert mean.plot.at < mean.was


def test_a_judge_of_numbers_has_peoples_labels_by_its_score(
    judged: Callable[..., ComparisonReport],
) -> None:
    plot = only(judged(NUMBERS, NUMBERS, lambda i: i / 80))
    assert plot.rates == ()
    assert len(plot.bins) == 5
    assert all(one.reach and one.reach[1] < one.y < one.reach[0] for one in plot.bins)
    assert plot.bins[0].said.startswith("judge 0 to 0.175: people 0.0437 (")
    assert plot.diagonal is not None
    # The judge is too kind, so people's labels lie under the diagonal.
    assert all(one.y > 100 - one.x for one in plot.bins[1:])


def test_labels_of_numbers_correct_only_their_own_run(
    judged: Callable[..., ComparisonReport],
) -> None:
    plot = only(judged(NUMBERS, NUMBERS, lambda i: i / 80))
    assert [(mean.version, mean.raw) for mean in plot.corrected] == [("v1", "0.487")]
    assert plot.correction == "Corrected by PPI++ over cases."
    assert plot.notes == ("v2 is not corrected: the labels are of another run.",)


def test_a_calibration_of_an_earlier_version_says_what_it_lacks(
    judged: Callable[..., ComparisonReport],
) -> None:
    lacking = {"sensitivity": None, "specificity": None, "counts": ()}
    plot = only(judged(PASSES, MORE, stern, **lacking))
    assert plot.notes[0].startswith("Its error rates were not kept")
    assert plot.rates == ()


def test_the_page_has_the_figures_of_the_plot(judged: Callable[..., ComparisonReport]) -> None:
    page = comparison_page(judged(PASSES, MORE, stern))
    assert "The judge of tone beside people" in page
    assert "sensitivity" in page
    assert "Rogan-Gladen" in page
    numbers = comparison_page(judged(NUMBERS, NUMBERS, lambda i: i / 80))
    assert "On the dashed line both say the same" in numbers
    report = judged(PASSES, MORE, stern)
    assert "The judge of" not in comparison_page(replace(report, judges=()))
