"""One run's scores, reduced to one row a case.

Samples of one case are not independent evidence about the suite, so nothing behind this module
sees them: it sees, for each case, how many samples there were, their mean and their spread. The
unit of inference is the case, or the cluster of related cases where the dataset declares one.
This is the edge of the package: what is wrong with a table of scores is said here, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

ROUNDING = 1e-10
"""Differences below this share of the span are floating-point noise, not data."""

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CaseTable:
    """Cases in the order of their ids, with what their samples say."""

    cases: npt.NDArray[np.object_]
    samples: FloatArray
    """K: scored samples a case."""
    means: FloatArray
    variances: FloatArray
    """Unbiased variance within the case; NaN for a single sample."""
    clusters: IntArray | None
    """The cluster's number; None when the dataset declares no clusters."""
    weights: FloatArray
    binary: bool
    """Every value is 0 or 1."""
    bounded: bool
    """Every value lies in [0, 1]."""
    span: float
    """The largest difference that two scores can have: 1 if bounded, else what was seen."""

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def shares(self) -> FloatArray:
        """The weights, scaled to add up to 1."""
        return np.asarray(self.weights / self.weights.sum())

    @property
    def units(self) -> IntArray:
        """The unit of inference that each case belongs to, numbered from 0."""
        return np.arange(len(self)) if self.clusters is None else self.clusters

    @property
    def n_clusters(self) -> int | None:
        """How many clusters there are; None when none are declared."""
        return None if self.clusters is None else len(np.unique(self.clusters))

    @property
    def mean(self) -> float:
        """The mean of the case means, each with its case's weight."""
        return float(self.weights @ self.means / self.weights.sum())

    @property
    def repeated(self) -> bool:
        """Whether some case has two samples or more, without which noise cannot be seen."""
        return bool((self.samples > 1).any())

    @property
    def within(self) -> float:
        """W: the mean variance inside a case, over the cases that have two samples or more."""
        return float(self.variances[self.samples > 1].mean())

    @property
    def noise(self) -> FloatArray:
        """Each case's variance of the mean, v_i/K_i; a single sample borrows the suite's W."""
        return np.where(self.samples > 1, self.variances, self.within) / self.samples

    @property
    def sample_range(self) -> tuple[int, int]:
        """The fewest and the most samples that a case has."""
        return int(self.samples.min()), int(self.samples.max())

    def take(self, rows: IntArray) -> CaseTable:
        """Return the table of these rows only."""
        clusters = self.clusters
        return replace(
            self,
            cases=self.cases[rows],
            samples=self.samples[rows],
            means=self.means[rows],
            variances=self.variances[rows],
            clusters=None
            if clusters is None
            else np.unique(clusters[rows], return_inverse=True)[1],
            weights=self.weights[rows],
        )


def read_scores(scores: pd.DataFrame) -> CaseTable:
    """Reduce a table of `case, sample, value[, cluster, weight]` to one row a case.

    Raises:
        ValueError: a column is missing, a value is not a finite number, a (case, sample) occurs
            twice, or a case has two clusters, two weights, or a weight that is not positive.
    """
    values = _checked_values(scores)
    low, high = values.min(initial=0.0), values.max(initial=0.0)
    bounded = bool(low >= 0 and high <= 1)
    codes, cases = pd.factorize(scores["case"].astype(str).to_numpy(dtype=object), sort=True)
    samples = np.bincount(codes, minlength=len(cases)).astype(float)
    means = np.bincount(codes, weights=values, minlength=len(cases)) / samples
    squares = np.bincount(codes, weights=(values - means[codes]) ** 2, minlength=len(cases))
    first = np.unique(codes, return_index=True)[1]
    return CaseTable(
        cases=np.asarray(cases, dtype=object),
        samples=samples,
        means=means,
        variances=np.where(samples > 1, squares / np.maximum(samples - 1, 1), np.nan),
        clusters=_clusters(scores, codes, first),
        weights=_weights(scores, codes, first),
        binary=bool(np.isin(values, (0.0, 1.0)).all()),
        bounded=bounded,
        span=1.0 if bounded else float(high - low),
    )


def units_of_rows(rows: pd.DataFrame) -> IntArray:
    """Return the unit of inference of each row, numbered from 0: its cluster, else its case."""
    cases = pd.factorize(rows["case"].astype(str))[0]
    if "cluster" not in rows.columns:
        return cases
    clusters = pd.factorize(rows["cluster"])[0]
    return pd.factorize(np.where(clusters < 0, clusters.max(initial=0) + 1 + cases, clusters))[0]


def read_amounts(amounts: pd.DataFrame) -> CaseTable:
    """Reduce a table of amounts, which have no upper bound, to one row a case.

    Raises:
        ValueError: as `read_scores`.
    """
    table = read_scores(amounts)
    largest = float(amounts["value"].max()) if len(amounts) else 0.0
    return replace(table, binary=False, bounded=False, span=max(largest, ROUNDING))


def _checked_values(scores: pd.DataFrame) -> FloatArray:
    missing = {"case", "sample", "value"} - set(scores.columns)
    if missing:
        raise ValueError(f"The scores lack the columns {sorted(missing)!r}.")
    values = scores["value"].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("Some scores are not finite numbers: drop unscored samples first.")
    twice = scores[scores.duplicated(["case", "sample"])]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(f"Sample {row['sample']} of case {row['case']!r} is scored twice.")
    return values


def _per_case(column: pd.Series, codes: IntArray, first: IntArray) -> npt.NDArray[np.intp]:
    """Return each case's value of a column as a number, -1 for none."""
    labels = pd.factorize(column)[0]
    if (labels != labels[first][codes]).any():
        raise ValueError(f"A case has two different values of {column.name!r}.")
    return labels[first]


def _clusters(scores: pd.DataFrame, codes: IntArray, first: IntArray) -> IntArray | None:
    if "cluster" not in scores.columns or scores["cluster"].isna().all():
        return None
    labels = _per_case(scores["cluster"], codes, first)
    alone = labels.max() + 1 + np.arange(len(labels))
    return np.unique(np.where(labels < 0, alone, labels), return_inverse=True)[1]


def _weights(scores: pd.DataFrame, codes: IntArray, first: IntArray) -> FloatArray:
    if "weight" not in scores.columns:
        return np.ones(len(first))
    _per_case(scores["weight"], codes, first)
    weights = scores["weight"].to_numpy(dtype=float)[first]
    if not (weights > 0).all():
        raise ValueError("A weight is not a positive number.")
    return weights
