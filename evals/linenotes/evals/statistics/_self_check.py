"""A/A: how often a gate cries wolf on one's own data, and the smallest drop that it sees.

The samples of one version are split at random into two halves, which play base and candidate of
the very gate that is carried out: looked at after each sweep, each look with a level of its own.
Beside it stands one comparison by all samples at once, as `compare` and golden tests make it.
Nothing has changed between the halves, so every "fail" is a false alarm. Halves of a case's samples
are distributed like two runs of half the samples, so the rate over splits estimates, without bias,
that of such runs.

Splits of one set of samples are not independent evidence about a suite: they share its cases.
Their spread says only how well the rate is known for these very samples. How much it depends on
which cases there are is seen by drawing whole cases, or clusters, anew (Davison and Hinkley 1997,
"Bootstrap methods and their application", section 3.8: the highest level is resampled, with all
that is below it). The interval is Wilson's, on the number of independent comparisons that have
the variance of both together (Kish 1965).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from linenotes.evals.statistics._comparisons import verdict_level
from linenotes.evals.statistics._false_alarms import Alarms, Audit, audit
from linenotes.evals.statistics._tables import CaseTable, read_scores

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._tables import FloatArray

Finding = Literal["as designed", "too many alarms", "too few samples to say"]

SPLITS = 2000
_VAGUE = 2.0
"""An interval that reaches beyond so many times the nominal rate says too little."""


@dataclass(frozen=True)
class SelfCheck:
    """What a gate does when nothing has changed, and from what drop on it fails."""

    finding: Finding
    """Of the gate."""
    gate: Alarms | None
    """Looked at after each sweep; None where nothing could be split."""
    at_once: Alarms | None
    """Compared once, by all samples."""
    nominal: float
    """The level of the tests, which false alarms should not exceed."""
    mean: float | None
    target: Target
    margin: float
    confidence: float
    n_cases: int
    n_clusters: int | None
    """None when the dataset declares no clusters."""
    samples: tuple[int, int]
    """The fewest and the most samples of a case in one half; the gate plans for the most."""
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
    """Split samples of one version at random, put the gate between, and count false alarms.

    Args:
        scores: `case, sample, value[, cluster, weight]` of one version, from one run or several.
        target: as in `compare_in_looks`; exactly these cases takes four samples a case, cases
            like these two.
        margin: as in `compare_in_looks`.
        confidence: as there; also of the intervals of the rates.
        samples: how many samples of a case a half has; None for half of what there is.
        splits: how many times to split.
        seed: of the splits.

    Raises:
        ValueError: the table is malformed, the margin is negative, or so few samples a half say
            nothing of the target.
    """
    least = _least(target, samples, margin)
    table = read_scores(scores)
    kept = table.take(np.flatnonzero(table.samples >= 2 * least))
    halves = np.minimum(kept.samples // 2, samples or np.inf)
    checked = _unsplit(table, kept, halves, target, margin, confidence)
    if len(np.unique(kept.units)) < 2:  # noqa: PLR2004  a spread needs two
        needed = f"Splitting takes {2 * least} samples of at least two cases or clusters."
        return replace(checked, notes=(needed,))
    plan = Audit(kept, _values(scores, kept.cases), halves, target, margin, checked.nominal)
    return _checked(replace(checked, splits=splits), plan, np.random.default_rng(seed))


def _least(target: Target, samples: int | None, margin: float) -> int:
    """Return the samples of a case that a half needs, when what is asked can be answered."""
    least = 1 if target == "population" else 2
    if samples is not None and samples < least:
        raise ValueError(f"Halves of {samples} samples a case cannot be compared: take {least}.")
    if margin < 0:
        raise ValueError(f"The margin {margin!r} is negative.")
    return least


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
        gate=None,
        at_once=None,
        nominal=verdict_level(units, confidence),
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


def _checked(checked: SelfCheck, plan: Audit, rng: np.random.Generator) -> SelfCheck:
    gate, at_once = audit(plan, checked.splits, rng, confidence=checked.confidence)
    return replace(checked, finding=_finding(gate, checked.nominal), gate=gate, at_once=at_once)


def _finding(alarms: Alarms, nominal: float) -> Finding:
    if alarms.low > nominal:
        return "too many alarms"
    return "as designed" if alarms.high <= _VAGUE * nominal else "too few samples to say"


def _values(scores: pd.DataFrame, cases: Iterable[str]) -> list[FloatArray]:
    """Return the samples of each case; sorted, so that their order does not change the splits."""
    by_case = dict(list(scores["value"].groupby(scores["case"].astype(str))))
    return [np.sort(by_case[case].to_numpy(dtype=float)) for case in cases]
