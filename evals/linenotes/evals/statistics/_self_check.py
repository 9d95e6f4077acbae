"""A/A: how often a comparison cries wolf on one's own data, and the smallest drop that it sees.

The samples of one version are split at random into two halves, which play base and candidate of
the very comparison that a gate makes. Nothing has changed between them, so every "fail" is a
false alarm. Halves of a case's samples are distributed like two runs of half the samples, so the
rate over splits estimates, without bias, that of such runs.

Splits of one set of samples are not independent evidence about a suite: they share its cases.
Their spread says only how well the rate is known for these very samples. How much it depends on
which cases there are is seen by drawing whole cases, or clusters, anew (Davison and Hinkley 1997,
"Bootstrap methods and their application", section 3.8: the highest level is resampled, with all
that is below it). The interval is Wilson's, on the number of independent comparisons that have
the variance of both together (Kish 1965).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from linenotes.evals.statistics._comparisons import verdict_level
from linenotes.evals.statistics._intervals import wilson, z_critical
from linenotes.evals.statistics._many_pairs import Halves, ManyPairs, many_pairs
from linenotes.evals.statistics._planning import POWER
from linenotes.evals.statistics._tables import CaseTable, read_scores

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._tables import FloatArray

Finding = Literal["as designed", "too many alarms", "too few samples to say"]

SPLITS = 2000
_RESAMPLES = 200
_SPLITS_OF_RESAMPLE = 100
_SPLITS_FOR_POWER = 1000
_HALVINGS = 12
"""Steps of the search for the smallest drop that is seen."""
_VAGUE = 2.0
"""An interval that reaches beyond so many times the nominal rate says too little."""


@dataclass(frozen=True)
class SelfCheck:
    """What a comparison does when nothing has changed, and from what drop on it fails."""

    finding: Finding
    false_alarms: float | None
    """The share of splits whose verdict is "fail"; None where nothing could be split."""
    low: float | None
    high: float | None
    nominal: float
    """The level of the test, which false alarms should not exceed."""
    passes: float | None
    """The share of splits whose verdict is "pass"."""
    detects: float | None
    """The smallest drop of the mean that fails in 80% of splits; None where not even the
    largest does."""
    mean: float | None
    target: Target
    margin: float
    confidence: float
    n_cases: int
    n_clusters: int | None
    """None when the dataset declares no clusters."""
    samples: tuple[int, int]
    """The fewest and the most samples of a case in one half."""
    splits: int
    left_out: tuple[str, ...]
    """Cases with too few samples to be split."""
    notes: tuple[str, ...] = ()


def self_check(
    scores: pd.DataFrame,
    *,
    target: Target = "population",
    margin: float = 0.05,
    confidence: float = 0.95,
    samples: int | None = None,
    splits: int = SPLITS,
    seed: int = 0,
) -> SelfCheck:
    """Split samples of one version at random, compare the halves, and count false alarms.

    Args:
        scores: `case, sample, value[, cluster, weight]` of one version, from one run or several.
        target: as in `compare_scores`; exactly these cases takes four samples a case, cases like
            these two.
        margin: as in `compare_scores`.
        confidence: as there; also of the interval of the rate.
        samples: how many samples of a case a half has; None for half of what there is.
        splits: how many times to split.
        seed: of the splits.

    Raises:
        ValueError: the table is malformed, the margin is negative, or so few samples a half say
            nothing of the target.
    """
    least = 1 if target == "population" else 2
    if samples is not None and samples < least:
        raise ValueError(f"Halves of {samples} samples a case cannot be compared: take {least}.")
    if margin < 0:
        raise ValueError(f"The margin {margin!r} is negative.")
    table = read_scores(scores)
    split = np.flatnonzero(table.samples >= 2 * least)
    kept = table.take(split)
    halves = np.minimum(kept.samples // 2, samples or np.inf)
    checked = _unsplit(table, kept, halves, target, margin, confidence)
    if len(np.unique(kept.units)) < 2:  # noqa: PLR2004  a spread needs two
        needed = f"Splitting takes {2 * least} samples of at least two cases or clusters."
        return replace(checked, notes=(needed,))
    rng = np.random.default_rng(seed)
    both = _split(_values(scores, kept.cases), halves, splits, rng)
    return _checked(replace(checked, splits=splits), both, kept, rng)


def _unsplit(
    table: CaseTable,
    kept: CaseTable,
    halves: FloatArray,
    target: Target,
    margin: float,
    confidence: float,
) -> SelfCheck:
    n = len(kept)
    units = n if kept.n_clusters is None else kept.n_clusters
    return SelfCheck(
        finding="too few samples to say",
        false_alarms=None,
        low=None,
        high=None,
        nominal=verdict_level(units, confidence),
        passes=None,
        detects=None,
        mean=kept.mean if n else None,
        target=target,
        margin=margin,
        confidence=confidence,
        n_cases=n,
        n_clusters=kept.n_clusters,
        samples=(int(halves.min()), int(halves.max())) if n else (0, 0),
        splits=0,
        left_out=tuple(sorted(set(table.cases) - set(kept.cases))),
    )


def _checked(
    checked: SelfCheck, halves: Halves, table: CaseTable, rng: np.random.Generator
) -> SelfCheck:
    def failed(pairs: ManyPairs) -> float:
        return float(pairs.failed(margin=checked.margin, alpha=checked.nominal).mean())

    pairs = many_pairs(halves, table, checked.target)
    rate = failed(pairs)
    bounds = _bounds(rate, _variance_over_suites(pairs, failed, rng), checked)
    passes = pairs.passed(margin=checked.margin, alpha=checked.nominal).mean()
    few = _first(halves, _SPLITS_FOR_POWER)
    drops = _flips(few, rng) if table.binary else _shifts(few, table)
    return replace(
        checked,
        finding=_finding(*bounds, checked.nominal),
        false_alarms=rate,
        low=bounds[0],
        high=bounds[1],
        passes=float(passes),
        detects=_smallest_drop(
            lambda share: failed(many_pairs(drops(share), table, checked.target)),
            table.span if not table.bounded else table.mean,
        ),
    )


def _finding(low: float, high: float, nominal: float) -> Finding:
    if low > nominal:
        return "too many alarms"
    return "as designed" if high <= _VAGUE * nominal else "too few samples to say"


def _bounds(rate: float, between: float, checked: SelfCheck) -> tuple[float, float]:
    """Return the interval of the rate, given how much it varies from suite to suite.

    The variance of a single split is that of the rate with two alarms and two splits without
    one added (Agresti and Coull 1998), so that no alarm at all does not look certain.
    """
    likely = (rate * checked.splits + 2) / (checked.splits + 4)
    binomial = likely * (1 - likely)
    n = binomial / (between + binomial / checked.splits)
    found = wilson(rate, n, z_critical(checked.confidence))
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def _variance_over_suites(
    pairs: ManyPairs, failed: Callable[[ManyPairs], float], rng: np.random.Generator
) -> float:
    """Return how much the rate varies over suites whose cases or clusters are drawn anew.

    What is left of the variance between suites when that within them is taken off: the
    estimate of one-way analysis of variance. A case drawn twice is split twice, independently.
    """
    splits, units = pairs.sums.shape[1:]
    rates = []
    for _ in range(_RESAMPLES):
        suite = rng.integers(units, size=units)
        rows = rng.integers(splits, size=(_SPLITS_OF_RESAMPLE, units))
        rates.append(failed(pairs.drawn(rows, np.broadcast_to(suite, rows.shape))))
    found = np.asarray(rates)
    within = float((found * (1 - found)).mean()) / (_SPLITS_OF_RESAMPLE - 1)
    return max(0.0, float(found.var(ddof=1)) - within)


def _values(scores: pd.DataFrame, cases: Iterable[str]) -> list[FloatArray]:
    """Return the samples of each case; sorted, so that their order does not change the splits."""
    by_case = dict(list(scores["value"].groupby(scores["case"].astype(str))))
    return [np.sort(by_case[case].to_numpy(dtype=float)) for case in cases]


def _split(
    values: list[FloatArray], halves: FloatArray, splits: int, rng: np.random.Generator
) -> Halves:
    """Draw, `splits` times, two samples without replacement of each case's values."""
    means = np.empty((2, splits, len(values)))
    variances = np.zeros_like(means)
    for i, (of_case, half) in enumerate(zip(values, halves.astype(int), strict=True)):
        drawn = rng.permuted(np.tile(of_case, (splits, 1)), axis=1)
        arms = np.stack((drawn[:, :half], drawn[:, half : 2 * half]))
        means[:, :, i] = arms.mean(axis=2)
        if half > 1:
            variances[:, :, i] = arms.var(axis=2, ddof=1)
    return Halves(means[0], means[1], variances[0], variances[1], halves)


def _first(halves: Halves, splits: int) -> Halves:
    return Halves(
        halves.base[:splits],
        halves.candidate[:splits],
        halves.base_variances[:splits],
        halves.candidate_variances[:splits],
        halves.samples,
    )


def _flips(halves: Halves, rng: np.random.Generator) -> Callable[[float], Halves]:
    """Return what turns a share of the candidate's passes into failures, anywhere alike."""
    k = halves.samples
    most = int(k.max())
    fates = rng.random((*halves.candidate.shape, most), dtype=np.float32)
    pass_or_fail = np.arange(most) < np.rint(halves.candidate * k)[:, :, None]

    def flipped(share: float) -> Halves:
        rates = (pass_or_fail & (fates >= share)).sum(axis=2) / k
        variances = rates * (1 - rates) * k / np.maximum(k - 1, 1)
        return replace(halves, candidate=rates, candidate_variances=np.where(k > 1, variances, 0.0))

    return flipped


def _shifts(halves: Halves, table: CaseTable) -> Callable[[float], Halves]:
    """Return what lowers the candidate's scores: all alike, or between 0 and 1 in proportion."""

    def shifted(share: float) -> Halves:
        if not table.bounded:
            return replace(halves, candidate=halves.candidate - share * table.span)
        return replace(
            halves,
            candidate=halves.candidate * (1 - share),
            candidate_variances=halves.candidate_variances * (1 - share) ** 2,
        )

    return shifted


def _smallest_drop(power: Callable[[float], float], largest: float) -> float | None:
    """Return the smallest drop that is seen often enough, by halving what it can be."""
    if power(1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high * largest
