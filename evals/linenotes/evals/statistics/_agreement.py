"""How far judges agree: with people, and people with one another.

The statistics are ratios of sums over what was labelled, and the samples of one case are not
independent. So their errors come from leaving out one unit of inference at a time, a case or a
cluster: the jackknife (Tukey 1958; Efron and Stein 1981), with Student's t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from linenotes.evals.statistics._intervals import t_critical
from linenotes.evals.statistics._tables import ROUNDING, units_of_rows

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._tables import FloatArray, IntArray

Level = Literal["nominal", "interval"]
"""Labels that are only equal or not, or numbers whose distance counts."""


@dataclass(frozen=True)
class Agreement:
    """A coefficient of agreement: 1 is perfect, 0 is what chance would do."""

    value: float | None
    """None where it is not defined: everybody always said the same."""
    low: float | None
    """None where leaving units out shows no spread, such as where all agree."""
    high: float | None
    confidence: float
    n_items: int
    """Labelled samples."""
    n_units: int
    """Cases, or clusters, that the interval rests on."""


@dataclass(frozen=True)
class Confusion:
    """What a judge said (columns) of what people said (rows), in numbers of samples."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def observed(self) -> float:
        """The share of samples on which judge and people agree."""
        table = np.asarray(self.counts)
        return float(np.trace(table) / table.sum())


def confusion(people: Sequence[str], judge: Sequence[str]) -> Confusion:
    """Count what `judge` said of each sample against what `people` said of it."""
    labels, codes = np.unique(np.asarray([*people, *judge], dtype=object), return_inverse=True)
    counts = _count(codes[: len(people)], codes[len(people) :], len(labels))
    rows = tuple(tuple(int(count) for count in row) for row in counts)
    return Confusion(tuple(str(label) for label in labels), rows)


def kappa_of_counts(counts: FloatArray) -> float | None:
    """Return Cohen's kappa of a confusion matrix (Cohen 1960): (p_o - p_e) / (1 - p_e).

    None where both always said the same label, so that chance alone would agree.
    """
    total = counts.sum()
    if total <= 0:
        return None
    seen = np.trace(counts) / total
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return None if chance >= 1 - ROUNDING else float((seen - chance) / (1 - chance))


def cohen_kappa(labels: pd.DataFrame, *, confidence: float = 0.95) -> Agreement:
    """Return Cohen's kappa between the columns `person` and `judge`, one row a labelled sample.

    `case` and, where there is one, `cluster` say which rows are not independent.
    """
    units = units_of_rows(labels)
    both = np.concatenate((labels["person"].astype(str), labels["judge"].astype(str)))
    names, codes = np.unique(both, return_inverse=True)
    people, judge = codes[: len(labels)], codes[len(labels) :]
    parts = np.stack(
        [_count(people[units == u], judge[units == u], len(names)) for u in np.unique(units)]
        or [np.zeros((1, 1))]
    )
    return _jackknifed(parts, kappa_of_counts, n_items=len(labels), confidence=confidence)


def krippendorff_alpha(
    ratings: pd.DataFrame, *, level: Level = "nominal", confidence: float = 0.95
) -> Agreement:
    """Return Krippendorff's alpha: 1 - observed/expected disagreement of any number of raters.

    Krippendorff 2004, "Content analysis", chapter 11. Half the squared distance of two one-hot
    vectors is the nominal distance, so both levels are variances: with m ratings of an item
    alpha = 1 - sum_items(m * s2_item) / (n * s2), n and s2 of all ratings of items that have two
    or more.

    Args:
        ratings: `case, sample, rater, label[, cluster]`, one row a rating; who did not rate an
            item has no row.
        level: what the distance of two labels is.
        confidence: of the interval.
    """
    sizes = ratings.groupby(["case", "sample"])["label"].transform("size")
    paired = ratings[sizes > 1]
    items = paired.groupby(["case", "sample"], sort=False).ngroup().to_numpy()
    units = units_of_rows(paired)
    points = _points(paired["label"], level)
    parts = np.stack(
        [_disagreement(points[units == u], items[units == u]) for u in np.unique(units)]
        or [np.zeros(points.shape[1] + 3)]
    )
    found = len(np.unique(items))
    return _jackknifed(parts, _alpha, n_items=found, confidence=confidence)


def _count(people: IntArray, judge: IntArray, size: int) -> FloatArray:
    counts = np.bincount(people * size + judge, minlength=size * size)
    return counts.reshape(size, size).astype(float)


def _points(labels: pd.Series, level: Level) -> FloatArray:
    if level == "interval":
        return labels.to_numpy(dtype=float)[:, None]
    names, codes = np.unique(labels.astype(str).to_numpy(dtype=object), return_inverse=True)
    return np.eye(max(1, len(names)))[codes]


def _disagreement(points: FloatArray, items: IntArray) -> FloatArray:
    """Return what adds up over units: disagreement, ratings, squares and sums."""
    within = 0.0
    for item in np.unique(items):
        rated = points[items == item]
        within += len(rated) * float(rated.var(axis=0, ddof=1).sum())
    return np.concatenate(([within, len(points), (points**2).sum()], points.sum(axis=0)))


def _alpha(parts: FloatArray) -> float | None:
    within, n, squares, *sums = parts
    if n < 2:  # noqa: PLR2004  a disagreement needs two
        return None
    spread = (squares - float(np.square(sums).sum()) / n) / (n - 1)
    return None if spread <= ROUNDING * max(1.0, squares / n) else float(1 - within / (n * spread))


def _jackknifed(
    parts: FloatArray,
    statistic: Callable[[FloatArray], float | None],
    *,
    n_items: int,
    confidence: float,
) -> Agreement:
    """Return a statistic of summed parts, one a unit, with the jackknife's interval."""
    total, n = parts.sum(axis=0), len(parts)
    value = statistic(total)
    bare = Agreement(value, None, None, confidence, n_items, n)
    left = [statistic(total - part) for part in parts]
    known = [one for one in left if one is not None]
    if value is None or len(known) < n or n < 2:  # noqa: PLR2004  a spread needs two
        return bare
    spread = np.asarray(known)
    se = float(((n - 1) / n * ((spread - spread.mean()) ** 2).sum()) ** 0.5)
    if se <= ROUNDING:
        return bare
    half = t_critical(n - 1, confidence) * se
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Agreement(value, low, high, confidence, n_items, n)
