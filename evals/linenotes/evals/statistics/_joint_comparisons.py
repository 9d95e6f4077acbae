"""Several comparisons that belong together: of several candidates, on several metrics that decide.

A candidate passes when all metrics that decide pass, which needs no correction (an intersection
of hypotheses is rejected by its largest p-value: Berger 1982, "Multiparameter hypothesis testing
and acceptance sampling"). It fails when a drop in any of them is shown, which does: with three
metrics, one of them would seem to drop 14 times in 100 by chance. Several candidates against one
base are corrected both ways. These corrections are Holm's. Where a drop in any of several such
decisions fails what they decide together, each gets an equal share of the level (Bonferroni), so
that it can be reached without the others. Intervals carry no correction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.evals.statistics._comparisons import (
    Comparison,
    explained,
    judge,
    verdict_by,
)
from linenotes.evals.statistics._multiplicity import holm
from linenotes.evals.statistics._tables import read_scores

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._estimates import Target

_Key = tuple[str, str]
"""Candidate and metric."""
_NOTE = "p-values and verdict carry Holm's correction; intervals do not."


def compare_many(
    base: pd.DataFrame,
    candidates: Mapping[str, pd.DataFrame],
    *,
    target: Target = "population",
    margin: float = 0.05,
    confidence: float = 0.95,
) -> dict[str, Comparison]:
    """Compare several runs with one base; their p-values and verdicts carry Holm's correction.

    Each family of tests is corrected by itself (Holm 1979). The intervals are not corrected.

    Raises:
        ValueError: a table is malformed, or the margin is negative.
    """
    found = compare_jointly(
        {"": base},
        {name: {"": table} for name, table in candidates.items()},
        margins={"": margin},
        target=target,
        confidence=confidence,
    )
    return {name: metrics[""] for name, metrics in found.items()}


def compare_jointly(
    base: Mapping[str, pd.DataFrame],
    candidates: Mapping[str, Mapping[str, pd.DataFrame]],
    *,
    margins: Mapping[str, float],
    target: Target = "population",
    confidence: float = 0.95,
    family: int = 1,
) -> dict[str, dict[str, Comparison]]:
    """Compare runs with one base on metrics that all must pass.

    Args:
        base: metric to table.
        candidates: the same of each candidate, of all metrics that decide about it.
        margins: metric to the drop of it that a pass must rule out.
        target: cases like these (population), or exactly these (dataset).
        confidence: of the intervals; the tests are at 1 - confidence, less below 100 units.
        family: how many decisions share the level at which a drop is shown, this one among them.

    Raises:
        ValueError: a table is malformed, or a margin is negative.
    """
    tables = {metric: read_scores(table) for metric, table in base.items()}
    looks = {
        (name, metric): judge(
            tables[metric],
            read_scores(table),
            target=target,
            margin=margins[metric],
            confidence=confidence,
        )
        for name, runs in candidates.items()
        for metric, table in runs.items()
    }
    judged = _corrected({key: one for key, (one, _) in looks.items()}, family)
    return {
        name: {
            metric: explained(judged[name, metric], looks[name, metric][1], drops=len(looks))
            for metric in runs
        }
        for name, runs in candidates.items()
    }


def holm_corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons that only inform, their two-sided p-values corrected for their number."""
    measured = [i for i, one in enumerate(comparisons) if one.p_no_difference is not None]
    corrected = list(comparisons)
    adjusted = holm([comparisons[i].p_no_difference or 0.0 for i in measured])
    for i, p in zip(measured, adjusted, strict=True):
        corrected[i] = replace(corrected[i], p_no_difference=p)
    return corrected


def _corrected(judged: dict[_Key, Comparison], family: int) -> dict[_Key, Comparison]:
    measured = {key: one for key, one in judged.items() if one.verdict != "cannot measure"}
    worse_by_margin = _all_must_pass({k: _p(one.p_worse_by_margin) for k, one in measured.items()})
    dropped = holm([_p(one.p_not_worse) for one in measured.values()])
    corrected = {}
    for (key, one), p_dropped in zip(measured.items(), dropped, strict=True):
        p_not_worse = min(1.0, family * p_dropped)
        rivals = [other for other in measured if other[1] == key[1]]
        no_difference = holm([_p(measured[other].p_no_difference) for other in rivals])
        corrected[key] = replace(
            one,
            p_worse_by_margin=worse_by_margin[key],
            p_not_worse=p_not_worse,
            p_no_difference=no_difference[rivals.index(key)],
            verdict=verdict_by(worse_by_margin[key], p_not_worse, one.alpha),
            compared_with_base=len(rivals),
            family=family,
            notes=(*one.notes, _NOTE) if len(rivals) > 1 else one.notes,
        )
    return judged | corrected


def _all_must_pass(p_values: Mapping[_Key, float]) -> dict[_Key, float]:
    """Correct for the number of candidates; of a candidate, its largest p-value counts."""
    largest: dict[str, float] = {}
    for (name, _), p in p_values.items():
        largest[name] = max(p, largest.get(name, 0.0))
    adjusted = dict(zip(largest, holm(list(largest.values())), strict=True))
    return {
        key: p / largest[key[0]] * adjusted[key[0]] if p else 0.0 for key, p in p_values.items()
    }


def _p(value: float | None) -> float:
    assert value is not None, "a comparison that was measured has its p-values"
    return value
