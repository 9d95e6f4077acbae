"""Several tests at once: p-values that say what each is worth among its family.

A family is corrected as a whole. Holm bounds the chance of any false finding, and needs nothing of
how the tests depend on one another; Benjamini and Hochberg bound the share of false findings among
all that are called findings, which is for looking around, never for deciding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import FloatArray, IntArray


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted so that any false finding below alpha has the chance alpha.

    Holm 1979, "A simple sequentially rejective multiple test procedure": the i-th smallest of m
    is multiplied by m - i + 1, and none is less than a smaller one's.
    """
    p, order = _ascending(p_values)
    times = np.arange(len(p), 0, -1)
    return _put_back(np.maximum.accumulate(p * times), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted so that of those below q the share q is false, on average.

    Benjamini and Hochberg 1995, "Controlling the false discovery rate": the i-th smallest of m is
    multiplied by m/i, and none is more than a larger one's. It holds for independent tests, and
    for tests that depend on one another positively.
    """
    p, order = _ascending(p_values)
    times = len(p) / np.arange(1, len(p) + 1)
    return _put_back(np.minimum.accumulate((p * times)[::-1])[::-1], order)


def _ascending(p_values: Sequence[float]) -> tuple[FloatArray, IntArray]:
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    return values[order], order


def _put_back(adjusted: FloatArray, order: IntArray) -> list[float]:
    found = np.empty_like(adjusted)
    found[order] = np.minimum(adjusted, 1.0)
    return [float(p) for p in found]
