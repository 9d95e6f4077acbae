"""What `judge calibrate` and `judge repeat` print; a calibration is also kept as a file."""

from __future__ import annotations

from typing import Literal

from linenotes.evals.documents._part import Part


class AgreementDocument(Part):
    """A coefficient of agreement with its 95% interval; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    samples: int
    """Labelled ones that it rests on."""


class ConfusionDocument(Part):
    """What the judge said (columns) of what people said (rows), in samples."""

    labels: list[str]
    counts: list[list[int]]


class BoundedDocument(Part):
    """A number with its 95% interval, for cases like these; null bounds where there are none."""

    mean: float
    low: float | None
    high: float | None


class LabelCountsDocument(Part):
    """Labelled samples of one case, or of one cluster where the dataset declares clusters."""

    both_pass: int
    judge_fails: int
    """That people pass and the judge does not."""
    judge_passes: int
    """That the judge passes and people do not."""
    both_fail: int


class LabelBinDocument(Part):
    """Labelled samples that the judge gave about the same score."""

    low: float
    """The lowest score of the judge among them."""
    high: float
    judge: float
    """The mean of what the judge said."""
    people: BoundedDocument
    """The mean of what people said."""
    cases: int
    samples: int


class CalibrationDocument(Part):
    """`judge calibrate --json`, and what is kept of it in `judges/`."""

    schema_version: Literal[1] = 1
    judge: str
    """Who judges, pinned: model and digest of the prompt, or the spec of the scorer."""
    metric: str
    run: str
    """The id of the run whose samples people labelled."""
    dataset: str
    dataset_digest: str
    labels: int
    """Ratings of all raters."""
    samples: int
    """Labelled ones that the judge has judged."""
    cases: int
    """Those that have a labelled sample."""
    raters: int
    observed_agreement: float | None
    """The share of samples on which judge and people agree; null for numbers."""
    kappa: AgreementDocument | None
    """Cohen's, between judge and people; null for numbers."""
    alpha: AgreementDocument | None
    """Krippendorff's, between judge and people, with distances of numbers."""
    alpha_of_raters: AgreementDocument | None
    """The same among people; null with one rater."""
    confusion: ConfusionDocument | None
    """Null for numbers."""
    sensitivity: BoundedDocument | None = None
    """The share that the judge passes of what people pass; null without passes, and in files of
    earlier versions."""
    specificity: BoundedDocument | None = None
    """The share that the judge fails of what people fail."""
    counts: tuple[LabelCountsDocument, ...] = ()
    """Of passes and failures, by which means of other runs can be corrected; empty otherwise."""
    bins: tuple[LabelBinDocument, ...] = ()
    """Of numbers, in the order of the judge's scores; empty otherwise."""
    bias: BoundedDocument | None
    """What the judge says less what people say; null for names."""
    raw: BoundedDocument | None
    """What the judge alone says of the run; null for names."""
    corrected: BoundedDocument | None
    """What people would say of it; null for names."""
    method: str | None
    """Of the correction."""
    tuning: float | None
    """How much of the judge's word counts in it, with prediction-powered inference."""
    notes: list[str]


class ShareDocument(Part):
    """One source of variance."""

    variance: float
    """Of the analysis of variance; chance can make it negative."""
    share: float
    """Of the total, with negative ones as 0."""


class RepeatDocument(Part):
    """`judge repeat --json`: one metric."""

    metric: str
    judge: str
    samples: int
    """That were judged again."""
    cases: int
    """That they are of."""
    clusters: int | None
    """That those are of; null where the dataset declares none."""
    times: int
    """How often each of them was."""
    failures: int
    """Times that the judge gave no score."""
    changed: int
    """Samples that did not get the same score each time."""
    most_changed: float | None
    """Where none changed: the largest share of such cases, or clusters, that can have one that
    does, at 95%."""
    case: ShareDocument | None
    """Between cases; null where too little was scored, as all three are where nothing varied."""
    agent: ShareDocument | None
    """Between samples of one case; null with one sample a case."""
    judge_noise: ShareDocument | None
    """Between judgements of one sample."""


class RepeatsDocument(Part):
    """`judge repeat --json`."""

    schema_version: Literal[1] = 1
    run: str
    lost: int
    """Samples that the infrastructure lost: they are in none of the shares."""
    metrics: list[RepeatDocument]
