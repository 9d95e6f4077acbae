from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

from linenotes.evals.statistics import Level, cohen_kappa, confusion, krippendorff_alpha

NOBODY = None
RATERS = (
    [NOBODY] * 5 + [3, 4, 1, 2, 1, 1, 3, 3, NOBODY, 3],
    [1, NOBODY, 2, 1, 3, 3, 4, 3, *[NOBODY] * 7],
    [NOBODY, NOBODY, 2, 1, 3, 4, 4, NOBODY, 2, 1, 1, 3, 3, NOBODY, 4],
)
"""Krippendorff's standard example: three raters, 15 items."""


def labelled(counts: Sequence[Sequence[int]], *, repeats: int = 1) -> pd.DataFrame:
    """Write a confusion matrix out, each case `repeats` times as a sample."""
    pairs = [
        (str(person), str(judge))
        for person, row in enumerate(counts)
        for judge, count in enumerate(row)
        for _ in range(count)
    ]
    table = pd.DataFrame(pairs, columns=["person", "judge"])
    table = table.loc[table.index.repeat(repeats)]
    return table.reset_index(names="case")


def ratings(raters: Sequence[Sequence[float | None]]) -> pd.DataFrame:
    rows = [
        (item, 0, rater, label)
        for rater, labels in enumerate(raters)
        for item, label in enumerate(labels)
        if label is not None
    ]
    return pd.DataFrame(rows, columns=["case", "sample", "rater", "label"])


def test_kappa_of_the_reference_matrix() -> None:
    assert cohen_kappa(labelled([[20, 5], [10, 15]])).value == pytest.approx(0.4, abs=1e-12)


@pytest.mark.parametrize("counts", [[[20, 5], [10, 15]], [[80, 12, 3], [9, 60, 7], [2, 11, 40]]])
def test_kappa_and_its_error_agree_with_statsmodels(counts: list[list[int]]) -> None:
    found, expected = cohen_kappa(labelled(counts)), cohens_kappa(np.asarray(counts))
    assert found.value == pytest.approx(expected.kappa)
    assert found.low == pytest.approx(expected.kappa_low, abs=0.02)
    assert found.high == pytest.approx(expected.kappa_upp, abs=0.02)


def test_repeated_samples_of_a_case_are_no_further_evidence() -> None:
    once, often = (cohen_kappa(labelled([[20, 5], [10, 15]], repeats=r)) for r in (1, 7))
    assert (often.n_items, often.n_units) == (350, 50)
    assert often.value == pytest.approx(once.value)
    assert often.low == pytest.approx(once.low)


def test_clusters_are_left_out_whole() -> None:
    table = labelled([[20, 5], [10, 15]])
    clustered = cohen_kappa(table.assign(cluster=table["case"] // 5))
    assert clustered.n_units == 10
    lone = cohen_kappa(table.assign(cluster=None))
    assert lone.n_units == 50


def test_perfect_agreement_has_no_interval_and_one_label_no_kappa() -> None:
    perfect = cohen_kappa(labelled([[20, 0], [0, 15]]))
    assert (perfect.value, perfect.low, perfect.high) == (1, None, None)
    assert cohen_kappa(labelled([[20]])).value is None
    assert cohen_kappa(labelled([])).value is None


def test_the_confusion_matrix_has_people_in_its_rows() -> None:
    found = confusion(["pass", "pass", "fail", "fail"], ["pass", "fail", "fail", "maybe"])
    assert found.labels == ("fail", "maybe", "pass")
    assert found.counts == ((1, 1, 0), (0, 0, 0), (1, 0, 1))
    assert found.observed == 0.5


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.691358), ("interval", 0.810845)])
def test_alpha_of_the_standard_example(level: Level, alpha: float) -> None:
    found = krippendorff_alpha(ratings(RATERS), level=level)
    assert found.value == pytest.approx(alpha, abs=5e-7)
    assert found.n_items == 12
    assert found.low is not None
    assert found.high is not None
    assert found.low < alpha < found.high <= 1


def test_alpha_of_coincidences_counted_by_hand() -> None:
    # Two raters, items (0, 0), (0, 1), (1, 1): observed 2 of 6 pairs, expected 2 * 3 * 3 / (6 * 5).
    found = krippendorff_alpha(ratings([[0, 0, 1], [0, 1, 1]]))
    assert found.value == pytest.approx(1 - (2 / 6) / (18 / 30))


def test_alpha_is_not_defined_where_all_say_the_same_or_nobody_is_rated_twice() -> None:
    assert krippendorff_alpha(ratings([[1, 1], [1, 1]])).value is None
    assert krippendorff_alpha(ratings([[1, None], [None, 1]])).value is None


@pytest.mark.slow
def test_intervals_of_kappa_cover() -> None:
    rng, hits = np.random.default_rng(1), []
    cells = np.array([[0.5, 0.1], [0.1, 0.3]])
    chance = (cells.sum(axis=0) @ cells.sum(axis=1)).item()
    kappa = (0.8 - chance) / (1 - chance)
    for _ in range(500):
        found = cohen_kappa(labelled(rng.multinomial(100, cells.ravel()).reshape(2, 2).tolist()))
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= kappa <= found.high)
    assert 0.925 <= sum(hits) / len(hits) <= 0.975
