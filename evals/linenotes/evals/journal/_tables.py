"""A run's scores as the table that statistics read: one row a scored sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from linenotes.evals.journal._samples import SampleKey, Score

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.journal._records import RunRecord


def score_table(
    record: RunRecord, metric: str, *, beside: Sequence[RunRecord] = ()
) -> pd.DataFrame:
    """Return the columns case, sample, value, cluster, weight of one metric.

    A sample whose agent failed is a failed sample: where the metric is a pass or a failure, it
    counts as a failure. On other scales there is no worst value, so it is left out. Samples that
    the infrastructure or the scorer failed are always left out. None of this holds for a sample
    that has a score nevertheless, as a file of conversations may give one.

    Args:
        record: the run.
        metric: one of its metrics.
        beside: runs that it is compared with: the metric has one scale in all of them.
    """
    return sample_table(record, score_values(record, metric, beside=beside))


def score_values(
    record: RunRecord, metric: str, *, beside: Sequence[RunRecord] = ()
) -> dict[SampleKey, float]:
    """Return the same as a value a sample."""
    values = _values(record, metric)
    runs = {id(run): run for run in (record, *beside)}
    if all(is_rate(run, metric) for run in runs.values()):
        values = dict.fromkeys(record.failed, 0.0) | values
    return {key: float(value) for key, value in sorted(values.items())}


def sample_table(record: RunRecord, values: Mapping[SampleKey, float]) -> pd.DataFrame:
    """Return a value a sample as the columns case, sample, value, cluster, weight."""
    import pandas as pd

    cases = {case.id: case for case in record.plan.cases}
    rows = [
        (case, sample, value, cases[case].cluster, cases[case].weight)
        for (case, sample), value in values.items()
    ]
    table = pd.DataFrame(rows, columns=["case", "sample", "value", "cluster", "weight"])
    return table if table["cluster"].notna().any() else table.drop(columns="cluster")


def is_rate(record: RunRecord, metric: str) -> bool:
    """Say whether the metric is a share of passes: each of its values is a pass or a failure.

    Where no sample got as far as being scored, all of them failed, and that is a share of passes.
    What has a unit, such as money, never is.
    """
    if metric in record.plan.units:
        return False
    values = _values(record, metric)
    if not values:
        return not any(_named(scores, metric) for scores in record.scores.values())
    return all(value in (0, 1) for value in values.values())


def is_label(record: RunRecord, metric: str) -> bool:
    """Say whether the metric sorts samples into kinds, which have no mean."""
    found = (_named(scores, metric) for scores in record.scores.values())
    return any(score is not None and isinstance(score.value, str) for score in found)


def _values(record: RunRecord, metric: str) -> dict[SampleKey, float]:
    found: dict[SampleKey, float] = {}
    for key, scores in record.scores.items():
        score = _named(scores, metric)
        if score is not None and isinstance(score.value, bool | int | float):
            found[key] = score.value
    return found


def _named(scores: tuple[Score, ...], metric: str) -> Score | None:
    return next((score for score in scores if score.name == metric), None)
