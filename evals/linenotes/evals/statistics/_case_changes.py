"""Which cases changed between two runs, as the comparison of them counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals.statistics._paired import pair_up
from linenotes.evals.statistics._tables import read_scores

if TYPE_CHECKING:
    import pandas as pd


def case_changes(base: pd.DataFrame, candidate: pd.DataFrame) -> dict[str, float]:
    """Return case to the change of its mean, for the cases that both runs have.

    What is only floating-point noise is 0, so that the cases above and below 0 are those that
    `compare_scores` counts as improved and worsened.

    Raises:
        ValueError: a table is malformed.
    """
    pairs = pair_up(read_scores(base), read_scores(candidate))
    return {
        str(case): float(change)
        for case, change in zip(pairs.base.cases, pairs.changes, strict=True)
    }
