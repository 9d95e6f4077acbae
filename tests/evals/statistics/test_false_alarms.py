from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from linenotes.evals.statistics._false_alarms import Audit, audit
from linenotes.evals.statistics._tables import read_scores

ScoreTable = Callable[..., pd.DataFrame]


def plan(score_table: ScoreTable, cases: npt.NDArray[np.float64]) -> Audit:
    halves = np.full(len(cases), cases.shape[1] // 2.0)
    table = read_scores(score_table(cases))
    return Audit(table, list(cases), halves, "dataset", margin=0.05, alpha=0.04)


def test_large_suites_are_split_in_parts_that_fit_into_memory(score_table: ScoreTable) -> None:
    small = plan(score_table, np.zeros((50, 4)))
    large = plan(score_table, np.zeros((3000, 40)))
    assert small.at_a_time > 2000
    assert large.at_a_time == 100


def test_the_parts_together_are_as_one(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(1)
    cases = (rng.random((40, 6)) < rng.beta(1, 0.6, 40)[:, None]).astype(float)
    asked = plan(score_table, cases)
    whole = audit(asked, 1500, np.random.default_rng(2), confidence=0.95)
    few = replace(asked, cells=400 * 40 * 3)
    assert few.at_a_time == 400
    parts = audit(few, 1500, np.random.default_rng(3), confidence=0.95)
    for one, other in zip(whole, parts, strict=True):
        assert other.false_alarms == pytest.approx(one.false_alarms, abs=0.02)
        assert other.passes == pytest.approx(one.passes, abs=0.04)
        assert other.samples_needed == pytest.approx(one.samples_needed, abs=0.02)
        assert one.low < one.false_alarms < one.high
        assert one.detects is not None
        assert other.detects == pytest.approx(one.detects, rel=0.15)


def test_halves_that_never_differ_raise_no_alarm_and_are_not_certain(
    score_table: ScoreTable,
) -> None:
    gate, at_once = audit(
        plan(score_table, np.ones((40, 4))), 500, np.random.default_rng(1), confidence=0.95
    )
    for alarms in (gate, at_once):
        assert alarms.false_alarms == 0
        assert alarms.low == pytest.approx(0, abs=1e-12)
        assert alarms.high > 0
