"""A judge held against people: agreement, bias, and what its mean would be if people judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from linenotes.evals._wording import counted
from linenotes.evals.documents._judge_documents import (
    AgreementDocument,
    BoundedDocument,
    CalibrationDocument,
    ConfusionDocument,
)
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey, ScoreValue
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.evals.judging._judge_errors import bounded, error_rates, labels_by_score
from linenotes.evals.judging._labels import Kind, Label, label_table, read_labels
from linenotes.project import ResultsFileError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics import Agreement, Corrected, Level

Calibration = CalibrationDocument
"""What is known of a judge."""
Drawn = Literal["this run", "elsewhere"]
"""Where labelled samples come from: a random choice of the run's cases, or anything else."""
_ENOUGH = 30
_MIDDLE = 0.5


@dataclass(frozen=True)
class _Judged:
    """What judge and people say of the samples that both judged."""

    kind: Kind
    pairs: pd.DataFrame
    """`case, sample, person, judge[, cluster]`; people's mean, or what most of them say."""
    ratings: pd.DataFrame
    """`case, sample, rater, label[, cluster]`, one row a rating."""
    notes: tuple[str, ...]

    @property
    def raters(self) -> int:
        """How many people have judged."""
        return len(self.ratings["rater"].unique())


def calibrate(
    path: Path, record: RunRecord, *, metric: str | None = None, drawn: Drawn = "this run"
) -> Calibration:
    """Hold the judge of a metric against the labels of a file.

    Args:
        path: `case, sample, label[, rater]` as CSV, JSON Lines or Parquet.
        record: the run whose samples were labelled.
        metric: one of its metrics; None stands for the primary one.
        drawn: with `elsewhere` only the judge's error rates are taken from the labels.

    Raises:
        ResultsFileError: the file is no table of labels, or none of them fits the run.
        RunError: the run has no such metric, or no correction can be made of the labels.
    """
    plan = record.plan
    metric = metric or next(iter(plan.metrics), "")
    if metric not in plan.metrics:
        known = f"It has {', '.join(plan.metrics)}." if plan.metrics else "It has no scores."
        raise RunError(f"Run {plan.run_id[:12]} has no metric {metric!r}. {known}")
    said = _said(record, metric)
    kind = _kind(record, metric, said)
    labels = read_labels(path, kind)
    judged = _judged(path, record, labels, said, kind)
    return CalibrationDocument.model_validate(
        {
            "judge": plan.judge_of(metric),
            "metric": metric,
            "run": plan.run_id,
            "dataset": plan.dataset.name,
            "dataset_digest": plan.dataset.digest,
            "labels": len(judged.ratings),
            "samples": len(judged.pairs),
            "cases": judged.pairs["case"].nunique(),
            "raters": judged.raters,
            **_agreement(judged),
            **_means(record, metric, judged, drawn),
            "notes": [*judged.notes, *_on_size(judged)],
        }
    )


def _said(record: RunRecord, metric: str) -> dict[SampleKey, ScoreValue]:
    return {
        key: score.value
        for key, scores in record.scores.items()
        for score in scores
        if score.name == metric and score.value is not None
    }


def _kind(record: RunRecord, metric: str, said: dict[SampleKey, ScoreValue]) -> Kind:
    if any(isinstance(value, str) for value in said.values()):
        return "name"
    return "pass" if is_rate(record, metric) else "number"


def _judged(
    path: Path,
    record: RunRecord,
    labels: list[Label],
    said: dict[SampleKey, ScoreValue],
    kind: Kind,
) -> _Judged:
    import pandas as pd

    known = [label for label in labels if label.key in said]
    if not known:
        first = labels[0]
        raise ResultsFileError(
            f"{path.name}:{first.line}: none of {len(labels)} labels is of a sample that the judge "
            f"has judged in run {record.plan.run_id[:12]}, such as case {first.case!r}, sample "
            f"{first.sample}. Name the run that was labelled: --run."
        )
    lost = len(labels) - len(known)
    notes = [f"{counted(lost, 'label')} of samples that were not judged, left out."] if lost else []
    ratings = _with_clusters(label_table(known), record)
    opinions = ratings.groupby(["case", "sample"], sort=False)["label"]
    people = opinions.agg(_most_said if kind == "name" else "mean")
    pairs = people.dropna().rename("person").reset_index()
    split = len(people) - len(pairs)
    if split:
        notes.append(f"{counted(split, 'sample')} people are evenly split on, left out.")
    keys = zip(pairs["case"], pairs["sample"], strict=True)
    pairs = pairs.assign(judge=pd.Series([said[key] for key in keys], dtype=object))
    return _Judged(kind, _with_clusters(pairs, record), ratings, tuple(notes))


def _most_said(labels: pd.Series) -> str | None:
    first, *others = labels.value_counts().items()
    return None if others and others[0][1] == first[1] else str(first[0])


def _with_clusters(table: pd.DataFrame, record: RunRecord) -> pd.DataFrame:
    clusters = {case.id: case.cluster for case in record.plan.cases}
    if not any(clusters.values()):
        return table
    return table.assign(cluster=table["case"].map(clusters))


def _agreement(judged: _Judged) -> dict[str, object]:
    from linenotes.evals.statistics import cohen_kappa, confusion, krippendorff_alpha

    level: Level = "interval" if judged.kind == "number" else "nominal"
    pairs = _decided(judged)
    both = _as_raters(pairs)
    several = judged.raters > 1
    found: dict[str, object] = {
        "alpha": _coefficient(krippendorff_alpha(both, level=level)),
        "alpha_of_raters": _coefficient(krippendorff_alpha(judged.ratings, level=level))
        if several
        else None,
    }
    if judged.kind == "number":
        unknown = dict.fromkeys(("observed_agreement", "kappa", "confusion"))
        return {**found, **unknown, "bins": labels_by_score(pairs)}
    found |= error_rates(pairs) if judged.kind == "pass" else {}
    counts = confusion(pairs["person"].tolist(), pairs["judge"].tolist())
    return {
        **found,
        "observed_agreement": counts.observed if len(pairs) else None,
        "kappa": _coefficient(cohen_kappa(pairs)),
        "confusion": ConfusionDocument(
            labels=list(counts.labels), counts=[list(row) for row in counts.counts]
        ),
    }


def _decided(judged: _Judged) -> pd.DataFrame:
    """Return passes as names; a sample on which people are split evenly has none."""
    if judged.kind != "pass":
        return judged.pairs
    pairs = judged.pairs[judged.pairs["person"] != _MIDDLE]
    words = {True: "pass", False: "fail"}
    return pairs.assign(
        person=[words[value > _MIDDLE] for value in pairs["person"]],
        judge=[words[value > _MIDDLE] for value in pairs["judge"]],
    )


def _as_raters(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return judge and people as two raters of the same samples."""
    import pandas as pd

    return pd.concat([pairs.assign(rater=who, label=pairs[who]) for who in ("person", "judge")])


def _coefficient(found: Agreement) -> AgreementDocument:
    return AgreementDocument(
        value=found.value, low=found.low, high=found.high, samples=found.n_items
    )


def _means(record: RunRecord, metric: str, judged: _Judged, drawn: Drawn) -> dict[str, object]:
    from linenotes.evals.statistics import compare_scores, estimate

    if judged.kind == "name":
        return dict.fromkeys(("bias", "raw", "corrected", "method", "tuning"))
    pairs = judged.pairs
    people, judge = (pairs.assign(value=pairs[who].astype(float)) for who in ("person", "judge"))
    bias = compare_scores(people, judge)
    assert bias.delta is not None
    scores = score_table(record, metric)
    corrected = _corrected(scores, judged, drawn)
    return {
        "bias": BoundedDocument(mean=bias.delta, low=bias.low, high=bias.high),
        "raw": bounded(estimate(scores)),
        "corrected": BoundedDocument(mean=corrected.mean, low=corrected.low, high=corrected.high),
        "method": corrected.method,
        "tuning": corrected.tuning,
    }


def _corrected(scores: pd.DataFrame, judged: _Judged, drawn: Drawn) -> Corrected:
    from linenotes.evals.statistics import prediction_powered_mean, rogan_gladen

    pairs = judged.pairs
    try:
        if drawn == "elsewhere":
            return rogan_gladen(scores, pairs[pairs["person"] != _MIDDLE].round({"person": 0}))
        return prediction_powered_mean(scores, pairs.assign(label=pairs["person"].astype(float)))
    except ValueError as error:
        raise RunError(f"The labels do not correct the mean: {error}") from None


def _on_size(judged: _Judged) -> list[str]:
    cases = judged.pairs["case"].nunique()
    split = len(judged.pairs) - len(_decided(judged))
    notes = []
    if len(set(judged.pairs["person"])) == 1:
        notes.append("People gave one label only, so what the judge makes of others is not known.")
    if split:
        notes.append(f"{counted(split, 'sample')} people are evenly split on, not in agreement.")
    if cases < _ENOUGH:
        notes.append(f"Labels of {counted(cases, 'case')} say little: label {_ENOUGH} or more.")
    return notes
