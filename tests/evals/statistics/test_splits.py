from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics._splits import Splits, deal, drops
from linenotes.evals.statistics._tables import read_scores

ScoreTable = Callable[..., pd.DataFrame]


def test_halves_of_a_case_share_no_sample_and_are_dealt_anew_each_time() -> None:
    values = [np.arange(4.0), np.arange(10.0, 17.0)]
    found = deal(values, np.array([2.0, 3.0]), 50, np.random.default_rng(1))
    for case, (own, half) in enumerate(zip(values, (2, 3), strict=True)):
        both = np.concatenate((found.base[:, case, :half], found.candidate[:, case, :half]), axis=1)
        assert all(len(set(row)) == 2 * half and set(row) <= set(own) for row in both.tolist())
        assert len({tuple(row) for row in both.tolist()}) > 10
    assert (found.base[:, 0, 2:] == 0).all()


def test_means_and_variances_are_those_of_the_samples_that_a_case_has() -> None:
    rng = np.random.default_rng(2)
    values = [rng.normal(5, 1, 4), rng.normal(5, 1, 8)]
    found = deal(values, np.array([2.0, 4.0]), 20, rng)
    for runs, counts in ((found, (2, 4)), (found.at(3), (2, 3)), (found.at(1), (1, 1))):
        assert runs.samples.tolist() == [*counts]
        for case, k in enumerate(counts):
            own = found.candidate[:, case, :k]
            assert runs.means[1][:, case] == pytest.approx(own.mean(axis=1))
            spread = own.var(axis=1, ddof=1) if k > 1 else np.zeros(20)
            assert runs.variances[1][:, case] == pytest.approx(spread)
    assert found.at(2).repeated
    assert not found.at(1).repeated


@pytest.mark.parametrize(
    ("values", "largest"), [([0.0, 1.0], 0.5), ([0.2, 0.6], 0.4), ([3.0, 7.0], 7.0)]
)
def test_a_share_of_what_can_be_lost_is_lost_by_the_candidate_alone(
    score_table: ScoreTable, values: list[float], largest: float
) -> None:
    rng = np.random.default_rng(3)
    table = read_scores(score_table([values * 2] * 40))
    arms = rng.choice(values, (2, 100, 40, 2))
    runs = Splits(arms[0], arms[1], np.full(40, 2.0))
    lowered = drops(runs, table, rng)(0.25)
    assert (lowered.base == runs.base).all()
    lost = (runs.candidate - lowered.candidate).mean()
    assert lost == pytest.approx(0.25 * largest, rel=0.1)
