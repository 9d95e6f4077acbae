"""What a judged mean would be if people had judged all of it.

Two corrections. Prediction-powered inference where the labelled cases are a random part of those
that were judged: people's labels give an estimate without bias, and the judge's word on all cases
makes it narrower by as much as the judge is worth. Rogan-Gladen where the labels come from
another population: only the judge's two error rates are taken over. Both work on whole cases or
clusters, so repeated samples do not count as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from linenotes.evals.statistics._estimates import unit_totals
from linenotes.evals.statistics._intervals import Bounds, student_t, t_critical, wilson, z_critical
from linenotes.evals.statistics._tables import ROUNDING, read_scores, units_of_rows

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._tables import CaseTable, FloatArray, IntArray

FEWEST_LABELS = 3
"""Labelled units that the error of a corrected mean needs."""


@dataclass(frozen=True)
class Corrected:
    """A judged mean, corrected by what people said; for cases like these."""

    mean: float
    low: float | None
    """None where nothing varied in numbers without a range, so that nothing bounds them."""
    high: float | None
    se: float
    confidence: float
    raw: float
    """What the judge alone says."""
    tuning: float | None
    """How much of the judge's word counts: 0 is none. None for Rogan-Gladen."""
    n_cases: int
    """Cases that the judge has judged."""
    n_labelled: int
    """Of those that people have labelled, or all that they have, for Rogan-Gladen."""
    method: str


def prediction_powered_mean(
    judged: pd.DataFrame, labels: pd.DataFrame, *, confidence: float = 0.95
) -> Corrected:
    """Return the mean that people would give, by power-tuned prediction-powered inference.

    Angelopoulos, Duchi and Zrnic 2023, "PPI++", section 6, on case means: the mean label of the
    labelled cases, plus `tuning` times what the judge says of all cases beyond what it says of
    the labelled samples. The tuning that makes the error smallest is a regression coefficient;
    with n labelled of M cases it is M/(M-n) times the paper's lambda. Student's t with two
    degrees of freedom less than there are labelled units.

    Args:
        judged: what the judge says of all samples, `case, sample, value[, cluster, weight]`.
        labels: what people say of some of them, `case, sample, label`; a random choice of cases.
        confidence: of the interval.

    Raises:
        ValueError: fewer than three cases, or clusters, of the run have labels.
    """
    table = read_scores(judged)
    pairs = judged.merge(labels[["case", "sample", "label"]], on=["case", "sample"])
    means = pairs.assign(case=pairs["case"].astype(str)).groupby("case")[["label", "value"]].mean()
    rows = np.searchsorted(table.cases.astype(str), means.index.to_numpy(dtype=str))
    units = np.unique(table.units[rows])
    if len(units) < FEWEST_LABELS:
        raise ValueError(
            f"Labels of {len(units)} cases are too few for an interval: label {FEWEST_LABELS} or "
            "more, better 100."
        )
    return _tuned(table, rows, means, confidence)


def _tuned(table: CaseTable, rows: IntArray, means: pd.DataFrame, confidence: float) -> Corrected:
    people, judge = means["label"].to_numpy(), means["value"].to_numpy()
    weights = table.weights[rows] / table.weights[rows].sum()
    label, said = float(weights @ people), float(weights @ judge)
    # How each unit moves the mean label, and the difference of the judge's two means.
    moves = np.bincount(table.units[rows], weights * (people - label), len(table))
    shifts = np.bincount(table.units[rows], weights * (judge - said), len(table))
    shifts = shifts - np.bincount(
        table.units, table.shares * (table.means - table.mean), len(table)
    )
    spread = float(shifts @ shifts)
    tuning = float(moves @ shifts) / spread if spread > (ROUNDING * table.span) ** 2 else 0.0
    labelled = len(np.unique(table.units[rows]))
    errors = moves - tuning * shifts
    errors[np.unique(table.units[rows])] *= (labelled / (labelled - 2)) ** 0.5
    se = float(errors @ errors) ** 0.5
    return _bounded(
        label + tuning * (table.mean - said),
        se,
        t_critical(labelled - 2, confidence),
        table,
        bounded=table.bounded and bool(((people >= 0) & (people <= 1)).all()),
        confidence=confidence,
        tuning=tuning,
        n_labelled=len(rows),
        units=labelled,
        method="PPI++ over cases" if table.clusters is None else "PPI++ over clusters",
    )


def rogan_gladen(
    judged: pd.DataFrame, labels: pd.DataFrame, *, confidence: float = 0.95
) -> Corrected:
    """Return the rate that people would give, by the judge's error rates on other samples.

    theta = (p + Sp - 1) / (Se + Sp - 1) (Rogan and Gladen 1978), with p the rate of the judge,
    Se how often it passes what people pass and Sp how often it fails what people fail. Its
    variance by the delta method is (var p + theta^2 var Se + (1 - theta)^2 var Sp) /
    (Se + Sp - 1)^2, each of the three over whole units. A judge that never erred on a few labels
    errs all the same: var Se and var Sp are never below what they are with one label more that
    it got right and one that it got wrong (Agresti and Coull 1998).

    Args:
        judged: what the judge says of all samples, 0 or 1, `case, sample, value[, …]`.
        labels: `case, person, judge[, cluster]` of labelled samples of any run, both 0 or 1.
        confidence: of the interval.

    Raises:
        ValueError: the scores are no rates, people said only one thing, the judge is no better
            than chance, or it has judged fewer than two cases, or clusters.
    """
    table = read_scores(judged)
    of_passes, of_failures = _error_rates(table, labels)
    gain = of_passes.rate + of_failures.rate - 1
    if gain <= 0:
        raise ValueError(
            f"The judge is no better than chance: {of_passes.rate:.2f} and {of_failures.rate:.2f}."
        )
    theta = (table.mean + of_failures.rate - 1) / gain
    moves = -theta * of_passes.moves + (1 - theta) * of_failures.moves
    lacking = theta**2 * of_passes.lacking + (1 - theta) ** 2 * of_failures.lacking
    variance = _variance_of_mean(table) + _over_units(moves) + lacking
    return _bounded(
        theta,
        variance**0.5 / gain,
        z_critical(confidence),
        table,
        bounded=True,
        confidence=confidence,
        tuning=None,
        n_labelled=labels["case"].nunique(),
        units=len(np.unique(table.units)),
        method="Rogan-Gladen",
    )


@dataclass(frozen=True, eq=False)
class _ErrorRate:
    """How often the judge says what people say, of what they pass or of what they fail."""

    rate: float
    moves: FloatArray
    """How each unit moves the rate."""
    lacking: float
    """What their spread lacks of the least variance."""


def _error_rates(table: CaseTable, labels: pd.DataFrame) -> tuple[_ErrorRate, _ErrorRate]:
    people, judge = (labels[name].to_numpy(dtype=float) for name in ("person", "judge"))
    if not (table.binary and np.isin((people, judge), (0.0, 1.0)).all()):
        raise ValueError("Rogan-Gladen needs scores and labels of 0 and 1.")
    if people.all() or not people.any():
        raise ValueError("People gave one label only: label passes and failures.")
    units, right = units_of_rows(labels), np.asarray(judge == people, dtype=float)
    return _error_rate(units, right, people), _error_rate(units, right, 1 - people)


def _error_rate(units: IntArray, right: FloatArray, asked: FloatArray) -> _ErrorRate:
    rate = float(right @ asked / asked.sum())
    moves = np.bincount(units, asked * (right - rate) / asked.sum()).astype(float)
    n = np.count_nonzero(np.bincount(units, asked))
    likely = (n * rate + 1) / (n + 2)
    least = likely * (1 - likely) / (n + 2)
    return _ErrorRate(rate, moves, max(0.0, least - _over_units(moves)))


def _over_units(moves: FloatArray) -> float:
    """Return the variance of what units move by so much."""
    return len(moves) / max(1, len(moves) - 1) * float(moves @ moves)


def _variance_of_mean(table: CaseTable) -> float:
    sums, shares = unit_totals(table, table.means)
    if len(sums) < 2:  # noqa: PLR2004  a spread needs two
        raise ValueError("One case, or cluster, says nothing of others: have more judged.")
    return student_t(sums, shares).se ** 2


def _bounded(
    mean: float,
    se: float,
    critical: float,
    table: CaseTable,
    *,
    bounded: bool,
    confidence: float,
    tuning: float | None,
    n_labelled: int,
    units: int,
    method: str,
) -> Corrected:
    least, most = (0.0, 1.0) if bounded else (-np.inf, np.inf)
    mean = float(min(max(mean, least), most))
    bounds = Bounds(mean - critical * se, mean + critical * se).within(least, most)
    if se <= ROUNDING * table.span:
        # All say the same, which few cases do by luck.
        bounds = Bounds(None, None)
        method = f"{method}; nothing varied"
        if bounded:
            bounds = wilson(mean, units, t_critical(units - 1, confidence))
            method = f"{method}: Wilson"
    return Corrected(
        mean=mean,
        low=bounds.low,
        high=bounds.high,
        se=se,
        confidence=confidence,
        raw=table.mean,
        tuning=tuning,
        n_cases=len(table),
        n_labelled=n_labelled,
        method=method,
    )
