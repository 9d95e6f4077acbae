from collections.abc import Callable

import pandas as pd

from linenotes.evals.statistics import case_changes, compare_scores

ScoreTable = Callable[..., pd.DataFrame]


def test_the_changes_are_those_that_a_comparison_counts(score_table: ScoreTable) -> None:
    base = score_table([[1, 0], [0.1 + 0.2, 0.3], [1, 1], [0, 0]])
    candidate = score_table([[1, 1], [0.3, 0.3], [1, 0.5]])
    found = case_changes(base, candidate)
    assert found == {"case-00000": 0.5, "case-00001": 0.0, "case-00002": -0.25}
    counted = compare_scores(base, candidate)
    assert counted.improved == sum(change > 0 for change in found.values())
    assert counted.worsened == sum(change < 0 for change in found.values())
