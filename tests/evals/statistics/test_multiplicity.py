from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from linenotes.evals.statistics import benjamini_hochberg, holm

BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip
"""The fifteen p-values of the example of Benjamini and Hochberg 1995, section 3.2."""

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def rejected(adjusted: list[float]) -> int:
    return sum(p <= 0.05 for p in adjusted)


def test_the_fifteen_p_values_of_1995_are_rejected_four_and_three_times() -> None:
    assert rejected(benjamini_hochberg(BH_1995)) == 4
    assert rejected(holm(BH_1995)) == 3


@settings(max_examples=50, deadline=None)
@given(P_VALUES)
def test_the_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    for method, adjust in (("holm", holm), ("fdr_bh", benjamini_hochberg)):
        expected = multipletests(p_values, method=method)[1] if p_values else []
        np.testing.assert_allclose(adjust(p_values), expected, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(P_VALUES)
def test_the_order_of_the_tests_does_not_matter(p_values: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        assert adjust(p_values)[::-1] == adjust(p_values[::-1])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_one_test_needs_no_correction(adjust: Callable[[Sequence[float]], list[float]]) -> None:
    assert adjust([0.03]) == [0.03]
    assert adjust([]) == []
