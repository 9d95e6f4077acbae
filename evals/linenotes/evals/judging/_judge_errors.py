"""How a judge errs, and what other runs that it has judged are worth by that.

A judge of passes has two rates: how often it passes what people pass, and fails what people fail.
A judge of numbers has what people say of the samples that it gives about the same score. All
intervals are over whole cases, or clusters: several labels of one case are no further evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals.documents._judge_documents import (
    BoundedDocument,
    CalibrationDocument,
    LabelBinDocument,
    LabelCountsDocument,
)

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics import Corrected, Estimate

_BINS = 5
_PASS, _FAIL = "pass", "fail"


def error_rates(pairs: pd.DataFrame) -> dict[str, object]:
    """Return sensitivity, specificity and the counts that they come from.

    Args:
        pairs: `case, person, judge[, cluster]`, each `pass` or `fail`.
    """
    return {
        "sensitivity": _rate_of(pairs, _PASS),
        "specificity": _rate_of(pairs, _FAIL),
        "counts": _counts(pairs),
    }


def _rate_of(pairs: pd.DataFrame, word: str) -> BoundedDocument | None:
    """Return how often the judge says what people say; a case weighs as many labels as it has."""
    from linenotes.evals.statistics import estimate

    asked = pairs[pairs["person"] == word]
    if asked.empty:
        return None
    weight = asked.groupby("case")["person"].transform("size").astype(float)
    agrees = (asked["judge"] == word).astype(float)
    return bounded(estimate(asked.assign(value=agrees, weight=weight)))


def _counts(pairs: pd.DataFrame) -> list[LabelCountsDocument]:
    from linenotes.evals.statistics._tables import units_of_rows

    return [
        LabelCountsDocument(
            both_pass=_count(part, _PASS, _PASS),
            judge_fails=_count(part, _PASS, _FAIL),
            judge_passes=_count(part, _FAIL, _PASS),
            both_fail=_count(part, _FAIL, _FAIL),
        )
        for _, part in pairs.groupby(units_of_rows(pairs))
    ]


def _count(part: pd.DataFrame, person: str, judge: str) -> int:
    return int(((part["person"] == person) & (part["judge"] == judge)).sum())


def labels_by_score(pairs: pd.DataFrame) -> list[LabelBinDocument]:
    """Return what people say of samples by the judge's score, in bins of about as many samples.

    Args:
        pairs: `case, sample, person, judge[, cluster]`, both numbers.
    """
    import pandas as pd

    scores = pairs["judge"].astype(float)
    few = scores.nunique() <= _BINS
    bins = scores if few else pd.qcut(scores, _BINS, labels=False, duplicates="drop")
    return [_bin(part.assign(judge=scores[part.index])) for _, part in pairs.groupby(bins)]


def _bin(part: pd.DataFrame) -> LabelBinDocument:
    from linenotes.evals.statistics import estimate

    return LabelBinDocument(
        low=float(part["judge"].min()),
        high=float(part["judge"].max()),
        judge=float(part.groupby("case")["judge"].mean().mean()),
        people=bounded(estimate(part.assign(value=part["person"].astype(float)))),
        cases=part["case"].nunique(),
        samples=len(part),
    )


def bounded(found: Estimate) -> BoundedDocument:
    """Return a mean with its interval as the JSON contract has it."""
    assert found.mean is not None
    return BoundedDocument(mean=found.mean, low=found.low, high=found.high)


def corrected_rate(found: CalibrationDocument, scores: pd.DataFrame) -> Corrected:
    """Return what people would say of another run, if the judge errs there as on the labels.

    Args:
        found: what people's labels have shown of the judge.
        scores: what it says of the run, `case, sample, value[, cluster, weight]`.

    Raises:
        ValueError: the labels do not tell, or the scores are no rates.
    """
    import pandas as pd

    from linenotes.evals.statistics import rogan_gladen

    rows = [
        (str(unit), float(person), float(judge))
        for unit, one in enumerate(found.counts)
        for person, judge, times in (
            (True, True, one.both_pass),
            (True, False, one.judge_fails),
            (False, True, one.judge_passes),
            (False, False, one.both_fail),
        )
        for _ in range(times)
    ]
    return rogan_gladen(scores, pd.DataFrame(rows, columns=["case", "person", "judge"]))
