"""A run's scores as the table that statistics read: one row a scored sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals._samples import Score

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals._journal import RunRecord


def score_table(record: RunRecord, metric: str) -> pd.DataFrame:
    """Return the columns case, sample, value, cluster, weight of one metric.

    A sample whose agent failed is a failed sample: where the metric is a pass or a failure, it
    counts as a failure. On other scales there is no worst value, so it is left out. Samples that
    the infrastructure or the scorer failed are always left out.
    """
    import pandas as pd

    values = _values(record, metric)
    if _is_binary(values):
        failed = {key for key, s in record.samples.items() if s.error and s.error.kind == "agent"}
        values |= dict.fromkeys(failed, 0.0)
    cases = {case.id: case for case in record.plan.cases}
    rows = [
        (case, sample, float(value), cases[case].cluster, cases[case].weight)
        for (case, sample), value in sorted(values.items())
    ]
    table = pd.DataFrame(rows, columns=["case", "sample", "value", "cluster", "weight"])
    return table if table["cluster"].notna().all() else table.drop(columns="cluster")


def is_rate(record: RunRecord, metric: str) -> bool:
    """Say whether the metric is a share of passes: each of its values is a pass or a failure."""
    return _is_binary(_values(record, metric))


def _values(record: RunRecord, metric: str) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for key, scores in record.scores.items():
        score = _named(scores, metric)
        if score is not None and isinstance(score.value, bool | int | float):
            found[key] = score.value
    return found


def _named(scores: tuple[Score, ...], metric: str) -> Score | None:
    return next((score for score in scores if score.name == metric), None)


def _is_binary(values: dict[tuple[str, int], float]) -> bool:
    return all(isinstance(value, bool) for value in values.values())
