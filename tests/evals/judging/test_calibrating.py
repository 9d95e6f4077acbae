from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from linenotes.datasets import Case
from linenotes.evals import Calibration, RunRecord, calibrate, calibration_report
from linenotes.evals.journal._tables import score_table
from linenotes.evals.statistics import estimate, prediction_powered_mean
from linenotes.project import ResultsFileError, RunError

MakeRecord = Callable[..., RunRecord]
JUDGED = {f"c{i}": [i % 4 > 0, i % 3 > 0] for i in range(40)}
Labelled = Sequence[tuple[str, int, object, str]]


@pytest.fixture
def labels(tmp_path: Path) -> Callable[[Labelled], Path]:
    def write(rows: Labelled) -> Path:
        path = tmp_path / "labels.csv"
        lines = [",".join(map(str, row)) for row in rows]
        path.write_text("\n".join(["case,sample,label,rater", *lines]), encoding="utf-8")
        return path

    return write


Write = Callable[[Labelled], Path]


def stern(n: int, rater: str = "ann") -> list[tuple[str, int, object, str]]:
    """Label the first samples: as the judge does, but for each tenth case, which fails."""
    return [
        (f"c{i}", 0, "pass" if JUDGED[f"c{i}"][0] and i % 10 != 1 else "fail", rater)
        for i in range(n)
    ]


def test_agreement_bias_and_confusion_of_passes(make_record: MakeRecord, labels: Write) -> None:
    found = calibrate(labels(stern(40)), make_record(JUDGED))
    assert found.confusion is not None
    assert found.confusion.labels == ["fail", "pass"]
    assert found.confusion.counts == [[10, 4], [0, 26]]
    assert found.observed_agreement == 0.9
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx((0.9 - 0.575) / 0.425)
    assert found.bias is not None
    assert found.bias.mean == pytest.approx(0.1)
    assert (found.labels, found.samples, found.cases, found.raters) == (40, 40, 40, 1)
    assert found.alpha_of_raters is None
    assert found.notes == []


def test_the_mean_is_corrected_by_what_people_said(make_record: MakeRecord, labels: Write) -> None:
    record = make_record(JUDGED)
    found = calibrate(labels(stern(40)), record)
    table = score_table(record, "correct")
    people = table[table["sample"] == 0].assign(
        label=[float(row[2] == "pass") for row in sorted(stern(40))]
    )
    expected = prediction_powered_mean(table, people)
    assert found.corrected is not None
    assert found.raw is not None
    assert found.corrected.mean == pytest.approx(expected.mean)
    assert (found.raw.mean, found.raw.low) == (estimate(table).mean, estimate(table).low)
    assert found.corrected.mean < found.raw.mean
    assert found.method == "PPI++ over cases"


def test_labels_of_one_kind_leave_intervals_as_wide_as_few_labels_are(
    make_record: MakeRecord, labels: Write
) -> None:
    record = make_record({f"c{i}": [True, True] for i in range(40)})
    found = calibrate(labels([(f"c{i}", 0, "pass", "ann") for i in range(12)]), record)
    assert found.corrected is not None
    assert found.bias is not None
    assert (found.corrected.mean, found.corrected.high) == (1, 1)
    assert found.corrected.low is not None
    assert found.corrected.low == pytest.approx(12 / (12 + 2.2010**2), abs=1e-4)
    assert found.method == "PPI++ over cases; nothing varied: Wilson"
    # 0 of 12 judged otherwise: Clopper-Pearson, and it might have been either way.
    assert (found.bias.low, found.bias.high) == pytest.approx((-0.2646, 0.2646), abs=1e-4)
    assert found.notes == [
        "People gave one label only, so what the judge makes of others is not known.",
        "Labels of 12 cases say little: label 30 or more.",
    ]


def test_a_judge_that_erred_in_one_direction_only_may_yet_err_in_the_other(
    make_record: MakeRecord, labels: Write
) -> None:
    record = make_record({f"c{i}": [True] for i in range(40)})
    rows = [(f"c{i}", 0, "fail" if i == 0 else "pass", "ann") for i in range(40)]
    found = calibrate(labels(rows), record)
    assert found.bias is not None
    assert found.bias.mean == pytest.approx(1 / 40)
    assert found.bias.low is not None
    assert found.bias.low < 0


def test_labels_from_elsewhere_give_error_rates_only(
    make_record: MakeRecord, labels: Write
) -> None:
    found = calibrate(labels(stern(40)), make_record(JUDGED), drawn="elsewhere")
    raw, passed, failed = 56 / 80, 26 / 26, 10 / 14
    assert found.method == "Rogan-Gladen"
    assert found.tuning is None
    assert found.corrected is not None
    assert found.corrected.mean == pytest.approx(
        (raw + failed - 1) / (passed + failed - 1), abs=0.02
    )


def test_several_raters_are_one_opinion_and_agree_among_themselves(
    make_record: MakeRecord, labels: Write
) -> None:
    rows = [*stern(40), *stern(40, "bob"), *stern(40, "cem")]
    rows[0] = ("c0", 0, "pass", "ann")
    found = calibrate(labels(rows), make_record(JUDGED))
    assert (found.labels, found.samples, found.raters) == (120, 40, 3)
    assert found.alpha_of_raters is not None
    assert found.alpha_of_raters.value is not None
    assert 0.9 < found.alpha_of_raters.value < 1
    assert found.observed_agreement == 0.9, "two of three decide"


def test_evenly_split_people_are_counted_apart(make_record: MakeRecord, labels: Write) -> None:
    rows = [*stern(35), ("c0", 0, "pass", "bob")]
    found = calibrate(labels(rows), make_record(JUDGED))
    assert found.samples == 35
    assert found.confusion is not None
    assert sum(map(sum, found.confusion.counts)) == 34
    assert found.notes == ["1 sample people are evenly split on, not in agreement."]


def test_numbers_have_bias_and_alpha_and_no_matrix(make_record: MakeRecord, labels: Write) -> None:
    record = make_record({f"c{i}": [i % 7 + 1.0, i % 5 + 1.0] for i in range(40)})
    found = calibrate(labels([(f"c{i}", 0, i % 7 + 0.5, "ann") for i in range(40)]), record)
    assert found.confusion is None
    assert found.kappa is None
    assert found.bias is not None
    assert found.bias.mean == pytest.approx(0.5)
    assert found.alpha is not None
    assert found.alpha.value is not None
    assert found.alpha.value > 0.9
    assert (found.sensitivity, found.counts) == (None, ())
    assert sum(one.samples for one in found.bins) == 40


def test_names_have_a_matrix_and_no_means(make_record: MakeRecord, labels: Write) -> None:
    record = make_record({f"c{i}": ["billing" if i % 2 else "returns"] for i in range(40)})
    rows = [(f"c{i}", 0, "billing" if i % 2 or i == 0 else "returns", "ann") for i in range(40)]
    found = calibrate(labels(rows), record)
    assert found.confusion is not None
    assert found.confusion.counts == [[20, 1], [0, 19]]
    assert (found.bias, found.raw, found.corrected) == (None, None, None)


def test_clusters_of_the_run_are_the_units(make_record: MakeRecord, labels: Write) -> None:
    cases = tuple(Case(id=f"c{i}", inputs={"question": i}, cluster=f"g{i // 4}") for i in range(40))
    found = calibrate(labels(stern(40)), make_record(JUDGED, cases=cases))
    assert found.method == "PPI++ over clusters"


def test_labels_of_other_samples_are_left_out_and_said(
    make_record: MakeRecord, labels: Write
) -> None:
    found = calibrate(labels([*stern(40), ("x", 0, "pass", "ann")]), make_record(JUDGED))
    assert found.notes == ["1 label of samples that were not judged, left out."]
    with pytest.raises(ResultsFileError, match=r"labels\.csv:2: none of 1 labels .*--run"):
        calibrate(labels([("x", 0, "pass", "ann")]), make_record(JUDGED))


def test_few_labels_are_said_and_too_few_refused(make_record: MakeRecord, labels: Write) -> None:
    found = calibrate(labels(stern(8)), make_record(JUDGED))
    assert found.notes == ["Labels of 8 cases say little: label 30 or more."]
    with pytest.raises(RunError, match="do not correct the mean: Labels of 2 cases are too few"):
        calibrate(labels(stern(2)), make_record(JUDGED))


def test_a_metric_that_is_not_there_is_said(make_record: MakeRecord, labels: Write) -> None:
    with pytest.raises(RunError, match=r"no metric 'tone'\. It has correct\."):
        calibrate(labels(stern(8)), make_record(JUDGED), metric="tone")


def test_the_report_has_agreement_bias_and_both_means(
    make_record: MakeRecord, labels: Write
) -> None:
    rows = [*stern(40), *stern(40, "bob")]
    rows[-1] = ("c39", 0, "fail", "bob")
    record = make_record(JUDGED, judges={"correct": "gpt-x 123"})
    found: Calibration = calibrate(labels(rows), record)
    text = "\n".join(calibration_report.lines(found))
    assert "judge      gpt-x 123" in text
    assert "80 labels by 2 raters: n=40 cases, 40 samples" in text
    assert "agreement  90% of samples, kappa 0.7" in text
    assert "raters     alpha 0.9" in text
    assert "passes     100%  95% " in text
    assert "fails      7" in text
    assert "of what people fail" in text
    assert "bias       +11 points  95% " in text
    assert "judge says 70%  95% " in text
    assert "(PPI++ over cases), cases like these" in text
    assert calibration_report.confusion_rows(found)[0] == (
        "people say",
        "judge: fail",
        "judge: pass",
    )
