from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Calibration, ComparisonReport, Failure, JudgedMetric, RunRecord
from linenotes.evals.comparing._corrected_means import bounds_text, corrected_means
from linenotes.evals.documents._judge_documents import BoundedDocument, LabelCountsDocument

JUDGE = "gpt-x 123"
PASSES = {f"c{i:02}": [i % 4 > 0, i % 5 > 0] for i in range(40)}
OTHER = {"run_id": "b" * 32, "version": "v2", "fingerprint": "e" * 64}


def counts(*, both_fail: int) -> tuple[LabelCountsDocument, ...]:
    one = {"both_pass": 9, "judge_fails": 1, "judge_passes": 1, "both_fail": both_fail}
    return tuple(LabelCountsDocument(**one) for _ in range(10))


def said(runs: tuple[RunRecord, RunRecord], kept: tuple[LabelCountsDocument, ...]) -> list[object]:
    found = Calibration.model_construct(None, run="x", method="Rogan-Gladen", counts=kept)
    report = ComparisonReport.of(runs[0], [runs[1]])
    return [*corrected_means(report, JudgedMetric("tone", JUDGE, found), found)]


@pytest.fixture
def runs(make_run: Callable[..., RunRecord]) -> tuple[RunRecord, RunRecord]:
    judges = {"judges": {"tone": JUDGE}}
    return make_run({"tone": PASSES}, **judges), make_run({"tone": PASSES}, **OTHER, **judges)


def test_a_run_of_another_judge_is_not_spoken_of(
    runs: tuple[RunRecord, RunRecord], make_run: Callable[..., RunRecord]
) -> None:
    other = make_run({"tone": PASSES}, **OTHER, judges={"tone": "gpt-x 124"})
    assert len(said((runs[0], other), counts(both_fail=4))) == 1


def test_failures_that_no_judge_saw_are_not_corrected(runs: tuple[RunRecord, RunRecord]) -> None:
    base, other = runs
    error = Failure("agent", "ValueError", "no")
    outcomes = {
        key: replace(one, error=error) if key == ("c00", 0) else one
        for key, one in other.outcomes.items()
    }
    _, told = said((base, replace(other, outcomes=outcomes)), counts(both_fail=4))
    assert told == "v2 is not corrected: the agent failed in 1 sample that no judge saw."


def test_a_judge_that_guesses_corrects_nothing(runs: tuple[RunRecord, RunRecord]) -> None:
    told = said(runs, counts(both_fail=0))
    assert str(told[0]).startswith("v1 is not corrected: The judge is no better than chance")


def test_an_interval_has_its_unit_or_says_that_there_is_none() -> None:
    assert bounds_text(BoundedDocument(mean=0.9, low=0.8, high=0.98), "points") == "80 to 98"
    assert bounds_text(BoundedDocument(mean=0.9, low=None, high=None), "number") == "no interval"
