"""Signs of whole units flipped, for many rows of units at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linenotes.evals.statistics._intervals import MOST_ENUMERATED, drawn_subsets
from linenotes.evals.statistics._tables import ROUNDING

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import FloatArray

_BLOCK = 200
"""Rows whose signs are flipped at a time: 16 MB of totals."""
_LEAST_BEYOND_ONE = 3 / 32
"""The least share of sign patterns whose total is one standard deviation or more."""


def many_flip_p(excesses: FloatArray, most: float) -> FloatArray:
    """Return for each row the share of sign patterns whose total is at least the observed one.

    A total that is no larger than the root of the summed squares is reached by at least 3 of 32
    sign patterns (Dvorak and Klein 2022, "Probability mass of Rademacher sums beyond one standard
    deviation"). So most rows need no flipping where only shares up to `most` matter: larger ones
    may be given as 1.
    """
    large = excesses.sum(axis=1) > np.sqrt((excesses**2).sum(axis=1))
    rows = np.flatnonzero(large if most <= _LEAST_BEYOND_ONE else np.ones_like(large))
    found = np.ones(len(excesses))
    found[rows] = _flip_p(excesses[rows])
    return found


def _flip_p(excesses: FloatArray) -> FloatArray:
    limits = ROUNDING * np.abs(excesses).sum(axis=1)
    units = excesses.shape[1]
    if units <= MOST_ENUMERATED:
        pairs = zip(excesses, limits, strict=True)
        return np.asarray([_low_subsets(row, limit) / 2**units for row, limit in pairs])
    subsets = drawn_subsets(units).T
    low = [
        (excesses[start : start + _BLOCK] @ subsets <= limits[start : start + _BLOCK, None]).sum(1)
        for start in range(0, len(excesses), _BLOCK)
    ]
    return np.asarray((1 + np.concatenate([[], *low])) / (1 + subsets.shape[1]))


def _low_subsets(values: FloatArray, limit: float) -> int:
    """Count the subsets, the empty one too, whose sum is at most `limit`.

    A subset is one of the first half of the values and one of the second (Horowitz and Sahni
    1974), so that 20 values take two lists of 1,024 sums.
    """
    half = len(values) // 2
    firsts, seconds = _all_sums(values[:half]), np.sort(_all_sums(values[half:]))
    return int(np.searchsorted(seconds, limit - firsts, side="right").sum())


def _all_sums(values: FloatArray) -> FloatArray:
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate((totals, totals + value))
    return totals
