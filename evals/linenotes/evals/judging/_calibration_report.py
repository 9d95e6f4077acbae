"""A calibration as text."""

from __future__ import annotations

from collections.abc import Iterator

from linenotes.evals._wording import counted
from linenotes.evals.documents._judge_documents import AgreementDocument, BoundedDocument
from linenotes.evals.judging._calibrating import Calibration


def lines(found: Calibration) -> list[str]:
    """Return what is known of a judge, line by line."""
    among = f" by {counted(found.raters, 'rater')}" if found.raters > 1 else ""
    return [
        f"judge      {found.judge}",
        f"metric     {found.metric} of run {found.run[:12]} on {found.dataset}",
        f"labels     {counted(found.labels, 'label')}{among}: n={found.cases} cases, "
        f"{counted(found.samples, 'sample')}",
        *_agreement(found),
        *_means(found),
    ]


def confusion_rows(found: Calibration) -> list[tuple[str, ...]]:
    """Return the confusion matrix with a header; empty where there is none."""
    if found.confusion is None:
        return []
    labels = found.confusion.labels
    header = ("people say", *(f"judge: {label}" for label in labels))
    rows = zip(labels, found.confusion.counts, strict=True)
    return [header, *((label, *map(str, counts)) for label, counts in rows)]


def _agreement(found: Calibration) -> Iterator[str]:
    if found.kappa is not None and found.observed_agreement is not None:
        share = f"{100 * found.observed_agreement:.0f}% of samples"
        yield f"agreement  {share}, kappa {_coefficient(found.kappa)}"
    elif found.alpha is not None:
        yield f"agreement  alpha {_coefficient(found.alpha)}"
    if found.sensitivity is not None:
        yield f"passes     {_number(found.sensitivity, rate=True)}, of what people pass"
    if found.specificity is not None:
        yield f"fails      {_number(found.specificity, rate=True)}, of what people fail"
    if found.alpha_of_raters is not None:
        yield f"raters     alpha {_coefficient(found.alpha_of_raters)} among people"


def _coefficient(found: AgreementDocument) -> str:
    if found.value is None:
        return "not defined: all say the same"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (no interval)"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _means(found: Calibration) -> Iterator[str]:
    if found.bias is None or found.raw is None or found.corrected is None:
        return
    rate = found.confusion is not None
    yield f"bias       {_number(found.bias, rate=rate, sign=True)}, judge less people"
    yield f"judge says {_number(found.raw, rate=rate)}"
    yield (f"corrected  {_number(found.corrected, rate=rate)} ({found.method}), cases like these")


def _number(found: BoundedDocument, *, rate: bool, sign: bool = False) -> str:
    mean, *bounds = (
        None if value is None else _shown(value, rate=rate, sign=sign)
        for value in (found.mean, found.low, found.high)
    )
    unit = (" points" if sign else "%") if rate else ""
    known = None not in bounds
    return f"{mean}{unit}  {'95% ' + ' to '.join(map(str, bounds)) if known else 'no interval'}"


def _shown(value: float, *, rate: bool, sign: bool) -> str:
    plus = "+" if sign else ""
    return f"{100 * value:{plus}.0f}" if rate else f"{value:{plus}.3g}"
