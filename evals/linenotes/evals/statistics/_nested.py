"""Where the noise of a judged score comes from: cases, the agent, or the judge.

Each sample of each case is judged several times. What differs between judgements of one sample is
the judge's, what differs between samples of one case beyond that is the agent's, the rest lies
between cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._tables import FloatArray, IntArray


@dataclass(frozen=True)
class NestedSplit:
    """Variance components; chance can make one negative, and None cannot be told."""

    case: float | None
    """Between cases."""
    sample: float | None
    """Between samples of one case: the agent."""
    judge: float | None
    """Between judgements of one sample."""

    @property
    def shares(self) -> dict[str, float]:
        """Each known source's share of the total, with negative variances as 0."""
        parts = {"case": self.case, "sample": self.sample, "judge": self.judge}
        known = {name: max(0.0, value) for name, value in parts.items() if value is not None}
        total = sum(known.values())
        return {name: value / total if total > 0 else 0.0 for name, value in known.items()}


def nested_split(judgements: pd.DataFrame) -> NestedSplit:
    """Split the variance of `case, sample, value`, with one row a judgement of a sample.

    Two-fold nested random effects by the analysis of variance, for any numbers of samples and
    judgements (Searle, Casella and McCulloch 1992, "Variance Components", appendix F): mean
    squares are set equal to what is expected of them.
    """
    values = judgements["value"].to_numpy(dtype=float)
    keys = [judgements["case"].astype(str), judgements["sample"]]
    samples = np.asarray(judgements.groupby(keys, sort=False).ngroup(), dtype=np.intp)
    sizes, means = _grouped(samples, values)
    first = np.unique(samples, return_index=True)[1]
    cases = np.unique(keys[0].to_numpy(dtype=object)[first], return_inverse=True)[1]
    totals = np.asarray(np.bincount(cases, sizes), float)
    case_means = np.bincount(cases, sizes * means) / np.maximum(totals, 1)
    judge = _ratio(((values - means[samples]) ** 2).sum(), len(values) - len(sizes))
    sample = _sample_variance(cases, sizes, means, case_means, judge)
    case = _case_variance(cases, sizes, totals, case_means, sample, judge)
    return NestedSplit(case, sample, judge)


def most_unseen(units: int, *, confidence: float = 0.95) -> float:
    """Return the largest share of such units that can be otherwise, though none of these was.

    (1 - share)^n = 1 - confidence: the rule of three, made exact (Hanley and Lippman-Hand 1983).
    """
    return float(1 - (1 - confidence) ** (1 / units))


def _grouped(groups: IntArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    sizes = np.bincount(groups).astype(float)
    return sizes, np.asarray(np.bincount(groups, values) / sizes)


def _sample_variance(
    cases: IntArray,
    sizes: FloatArray,
    means: FloatArray,
    case_means: FloatArray,
    judge: float | None,
) -> float | None:
    """Return (MSB - judge) / k1 with k1 = (N - sum_i sum_j n_ij^2 / n_i) / (b - a)."""
    freedom = len(sizes) - len(case_means)
    square = _ratio((sizes * (means - case_means[cases]) ** 2).sum(), freedom)
    if square is None or judge is None:
        return None
    return (square - judge) / float((sizes.sum() - _uneven(cases, sizes)) / freedom)


def _case_variance(
    cases: IntArray,
    sizes: FloatArray,
    totals: FloatArray,
    case_means: FloatArray,
    sample: float | None,
    judge: float | None,
) -> float | None:
    """Return (MSA - judge - k2 sample) / k3; without repeated samples, sample is in it."""
    freedom, n = len(totals) - 1, totals.sum()
    if freedom < 1 or judge is None:
        return None
    mean = float(totals @ case_means) / n
    square = float(totals @ (case_means - mean) ** 2) / freedom
    of_samples = (_uneven(cases, sizes) - (sizes**2).sum() / n) / freedom
    of_cases = (n - (totals**2).sum() / n) / freedom
    return float((square - judge - of_samples * (sample or 0.0)) / of_cases)


def _uneven(cases: IntArray, sizes: FloatArray) -> float:
    """Return sum_i sum_j n_ij^2 / n_i."""
    squares, totals = np.bincount(cases, sizes**2), np.bincount(cases, sizes)
    return float((squares / totals).sum())


def _ratio(squares: float, freedom: int) -> float | None:
    return float(squares) / freedom if freedom > 0 else None
