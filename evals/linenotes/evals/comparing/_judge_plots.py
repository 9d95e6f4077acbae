"""How far the judges of a comparison agree with people, as far as labels have shown it.

For passes the judge's two error rates; for numbers what people say by the judge's score. Beside
them stands what the runs are worth by that: all by the same correction, or not at all. It says
nothing of the verdict, which is of the judge's own word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals._wording import counted
from linenotes.evals.comparing._corrected_means import (
    SHARES,
    CorrectedMean,
    bounds_plot,
    bounds_text,
    corrected_means,
)
from linenotes.evals.comparing._plots import IntervalPlot, Scale, labelled
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import plain
from linenotes.evals.documents._judge_documents import BoundedDocument, LabelBinDocument

if TYPE_CHECKING:
    from linenotes.evals.judging._calibrating import Calibration
    from linenotes.evals.judging._calibrations import JudgedMetric

_BY_RATES = (
    "What people would say (Rogan-Gladen), as far as the judge errs here as on the labelled "
    "samples; the verdict is by its own word. Hollow: what the judge says."
)


@dataclass(frozen=True)
class ErrorRate:
    """How often the judge says what people say, of those that they pass, or that they fail."""

    people: str
    """`pass` or `fail`."""
    passed: int
    """Labelled samples that the judge passes."""
    failed: int
    name: str
    """`sensitivity` or `specificity`."""
    text: str
    interval: str
    plot: IntervalPlot


@dataclass(frozen=True)
class ScoreBin:
    """What people say of samples that the judge gave about the same score, in percent."""

    x: float
    y: float
    reach: tuple[float, float] | None
    """The interval, from the left and from the top."""
    said: str


@dataclass(frozen=True)
class JudgePlot:
    """A judge held against people."""

    metric: str
    judge: str
    labels: str
    """What it rests on."""
    rates: tuple[ErrorRate, ...]
    bins: tuple[ScoreBin, ...]
    diagonal: tuple[float, float, float, float] | None
    """Where judge and people say the same: x1, y1, x2, y2."""
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    corrected: tuple[CorrectedMean, ...]
    correction: str
    """How they were corrected, in a sentence."""
    notes: tuple[str, ...]


def judge_plots(report: ComparisonReport) -> tuple[JudgePlot, ...]:
    """Return what is known of each judge of a metric that is compared."""
    found = report.candidates
    compared = {one.metric for candidate in found for one in candidate.deciding}
    compared |= {one.metric for candidate in found for one in candidate.secondary}
    asked = (one for one in report.judges if one.metric in compared)
    return tuple(
        _plot(report, one, one.calibration) for one in asked if one.calibration is not None
    )


def _plot(report: ComparisonReport, one: JudgedMetric, found: Calibration) -> JudgePlot:
    corrected = [*corrected_means(report, one, found)]
    whole = [mean for mean in corrected if isinstance(mean, CorrectedMean)]
    notes = [note for note in corrected if isinstance(note, str)]
    if not found.counts and not found.bins:
        notes.insert(0, "Its error rates were not kept: run `linenotes judge calibrate` again.")
    scale = _scale(found)
    x_ticks = labelled(scale, "number") if found.bins else ()
    ends = (scale.at(scale.low), scale.at(scale.high))
    return JudgePlot(
        metric=one.metric,
        judge=one.judge,
        labels=_labels(found),
        rates=tuple(_error_rates(found)),
        bins=tuple(_score_bin(each, scale) for each in found.bins),
        diagonal=(ends[0], 100 - ends[0], ends[1], 100 - ends[1]) if found.bins else None,
        x_ticks=x_ticks,
        y_ticks=tuple((round(100 - at, 2), text) for at, text in x_ticks),
        corrected=tuple(whole),
        correction=_BY_RATES if found.counts else f"Corrected by {found.method}.",
        notes=tuple(dict.fromkeys(notes)),
    )


def _labels(found: Calibration) -> str:
    raters = f" by {counted(found.raters, 'rater')}" if found.raters > 1 else ""
    return f"{counted(found.labels, 'label')}{raters}, n={found.cases} cases of {found.dataset}"


def _error_rates(found: Calibration) -> Iterator[ErrorRate]:
    both_pass = sum(one.both_pass for one in found.counts)
    both_fail = sum(one.both_fail for one in found.counts)
    if found.sensitivity is not None:
        missed = sum(one.judge_fails for one in found.counts)
        yield _error_rate("pass", (both_pass, missed), "sensitivity", found.sensitivity)
    if found.specificity is not None:
        let_by = sum(one.judge_passes for one in found.counts)
        yield _error_rate("fail", (let_by, both_fail), "specificity", found.specificity)


def _error_rate(
    people: str, counts: tuple[int, int], name: str, found: BoundedDocument
) -> ErrorRate:
    text, interval = plain(found.mean, "points"), bounds_text(found, "points")
    return ErrorRate(
        people=people,
        passed=counts[0],
        failed=counts[1],
        name=name,
        text=text,
        interval=interval,
        plot=bounds_plot(found, SHARES, f"{name}: {text}, 95% interval {interval}.", full=1.0),
    )


def _scale(found: Calibration) -> Scale:
    """Return one scale for both axes, so that what is equal lies on the diagonal."""
    bins = found.bins
    ends = [end for one in bins for end in (one.judge, one.people.mean)]
    bounds = [end for one in bins for end in (one.people.low, one.people.high)]
    return Scale.over([*ends, *bounds])


def _score_bin(one: LabelBinDocument, scale: Scale) -> ScoreBin:
    people = one.people
    bounded = people.low is not None and people.high is not None
    ends = (people.low or 0.0, people.high or 0.0)
    low, high = (round(100 - scale.at(end), 2) for end in ends)
    between = plain(one.low, "number")
    if one.high > one.low:
        between += f" to {plain(one.high, 'number')}"
    return ScoreBin(
        x=scale.at(one.judge),
        y=round(100 - scale.at(people.mean), 2),
        reach=(low, high) if bounded else None,
        said=f"judge {between}: people {plain(people.mean, 'number')} "
        f"({bounds_text(people, 'number')}; n={one.cases} cases)",
    )
