from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from linenotes.evals.statistics import compare_scores, estimate

ScoreTable = Callable[..., pd.DataFrame]


def test_missing_columns_are_named(score_table: ScoreTable) -> None:
    with pytest.raises(ValueError, match=r"lack the columns \['sample', 'value'\]"):
        estimate(score_table([[1]])[["case"]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_numbers_are_refused(score_table: ScoreTable, value: float) -> None:
    with pytest.raises(ValueError, match="drop unscored samples"):
        estimate(score_table([[1, value]]))


def test_a_sample_scored_twice_is_refused(score_table: ScoreTable) -> None:
    table = score_table([[1, 0]])
    with pytest.raises(ValueError, match="Sample 0 of case 'case-00000' is scored twice"):
        estimate(pd.concat([table, table.iloc[:1]]))


@pytest.mark.parametrize("column", ["cluster", "weight"])
def test_two_values_for_one_case_are_refused(score_table: ScoreTable, column: str) -> None:
    table = score_table([[1, 0], [1, 1]])
    table[column] = [1.0, 2.0, 3.0, 3.0]
    with pytest.raises(ValueError, match=f"two different values of '{column}'"):
        estimate(table)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan])
def test_weights_must_be_positive(score_table: ScoreTable, weight: float) -> None:
    with pytest.raises(ValueError, match="not a positive number"):
        estimate(score_table([[1], [0]], weights=[1, weight]))


def test_booleans_are_scores(score_table: ScoreTable) -> None:
    table = score_table([[1], [0], [1], [1]])
    assert estimate(table.astype({"value": bool})) == estimate(table)


def test_the_order_of_rows_means_nothing(score_table: ScoreTable) -> None:
    rng = np.random.default_rng(5)
    table = score_table(rng.random((25, 3)).tolist(), clusters=[i // 2 for i in range(25)])
    shuffled = table.sample(frac=1, random_state=5)
    assert estimate(shuffled).se == pytest.approx(estimate(table).se, rel=1e-12)
    assert compare_scores(shuffled, table).delta == 0


def test_a_case_without_cluster_is_its_own(score_table: ScoreTable) -> None:
    found = estimate(score_table([[1], [0], [1], [0]], clusters=["a", "a", None, None]))
    assert found.n_clusters == 3


def test_clusters_that_are_all_empty_are_not_declared(score_table: ScoreTable) -> None:
    assert estimate(score_table([[1], [0]], clusters=[None, None])).n_clusters is None
