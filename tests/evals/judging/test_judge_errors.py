from __future__ import annotations

import pandas as pd
import pytest

from linenotes.evals.documents._judge_documents import BoundedDocument, CalibrationDocument
from linenotes.evals.judging._judge_errors import corrected_rate, error_rates, labels_by_score
from linenotes.evals.statistics import estimate, rogan_gladen

ROWS = [
    *((f"p{i}", "pass", "pass" if i < 18 else "fail") for i in range(20)),
    *((f"f{i}", "fail", "fail" if i < 7 else "pass") for i in range(10)),
]
PAIRS = pd.DataFrame(ROWS, columns=["case", "person", "judge"]).assign(sample=0)


def calibrated(pairs: pd.DataFrame) -> CalibrationDocument:
    """Return a calibration of which only the error rates are known."""
    return CalibrationDocument.model_construct(None, **error_rates(pairs))


def test_sensitivity_and_specificity_are_rates_over_cases() -> None:
    found = calibrated(PAIRS)
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert (found.sensitivity.mean, found.specificity.mean) == pytest.approx((0.9, 0.7))
    right = pd.DataFrame({"case": range(20), "sample": 0, "value": [1.0] * 18 + [0.0] * 2})
    wilson = estimate(right)
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx(
        (wilson.low, wilson.high)
    )


def test_several_labels_of_a_case_are_no_further_evidence() -> None:
    again = pd.concat([PAIRS, PAIRS.assign(sample=1), PAIRS.assign(sample=2)])
    once, thrice = calibrated(PAIRS).sensitivity, calibrated(again).sensitivity
    assert once is not None
    assert thrice is not None
    assert thrice.mean == once.mean
    assert once.low is not None
    assert thrice.low is not None
    assert thrice.low == pytest.approx(once.low, abs=0.03)


def test_a_case_of_more_labels_weighs_as_many() -> None:
    more = pd.concat([PAIRS, PAIRS[PAIRS["case"] == "p19"].assign(sample=1)])
    found = calibrated(more)
    assert found.sensitivity is not None
    assert found.sensitivity.mean == pytest.approx(18 / 21)


def test_without_failures_there_is_no_specificity() -> None:
    assert calibrated(PAIRS[PAIRS["person"] == "pass"]).specificity is None


@pytest.mark.parametrize("clustered", [False, True])
def test_kept_counts_correct_other_runs_as_the_labels_would(*, clustered: bool) -> None:
    pairs = PAIRS.assign(cluster=PAIRS["case"].str[-1]) if clustered else PAIRS
    scores = pd.DataFrame(
        [(f"x{i}", k, float(i % 4 > 0)) for i in range(40) for k in range(2)],
        columns=["case", "sample", "value"],
    )
    labels = pairs.replace({"pass": 1.0, "fail": 0.0})
    found, expected = corrected_rate(calibrated(pairs), scores), rogan_gladen(scores, labels)
    assert (found.mean, found.low, found.high) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )
    assert found.mean == pytest.approx((0.75 + 0.7 - 1) / (0.9 + 0.7 - 1))


def test_labels_of_numbers_lie_in_bins_by_the_judges_score() -> None:
    scores = [i / 100 for i in range(100)]
    people = [score / 2 for score in scores]
    pairs = pd.DataFrame(
        {"case": [f"c{i}" for i in range(100)], "sample": 0, "judge": scores, "person": people}
    )
    bins = labels_by_score(pairs)
    assert [one.samples for one in bins] == [20] * 5
    assert (bins[0].low, bins[0].high, bins[-1].high) == (0.0, 0.19, 0.99)
    assert [one.people.mean for one in bins] == pytest.approx([one.judge / 2 for one in bins])
    expected = estimate(pairs[:20].assign(value=pairs["person"]))
    assert (bins[0].people.low, bins[0].people.high) == (expected.low, expected.high)


def test_few_different_scores_have_a_bin_each() -> None:
    pairs = pd.DataFrame(
        {"case": [f"c{i}" for i in range(9)], "sample": 0, "judge": [1, 2, 5] * 3, "person": 2.0}
    )
    bins = labels_by_score(pairs)
    assert [(one.low, one.high, one.cases) for one in bins] == [(1, 1, 3), (2, 2, 3), (5, 5, 3)]
    assert bins[0].people == BoundedDocument(mean=2.0, low=None, high=None)
