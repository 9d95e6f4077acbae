"""What runs are worth by people, as far as what is known of their judge tells.

Passes are corrected by the judge's two error rates, all runs alike. What labels say of a judge of
numbers corrects only the run that was labelled, and only that is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals._wording import counted
from linenotes.evals.comparing._plots import IntervalPlot, Scale
from linenotes.evals.comparing._rows import Unit, plain
from linenotes.evals.documents._judge_documents import BoundedDocument
from linenotes.evals.history._quarantine import deciding
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.evals.judging._judge_errors import corrected_rate

if TYPE_CHECKING:
    from linenotes.evals.comparing._reports import ComparisonReport
    from linenotes.evals.judging._calibrating import Calibration
    from linenotes.evals.judging._calibrations import JudgedMetric

SHARES = Scale(-0.03, 1.03)
"""All of 0 to 100%, with room for a mark at either end."""


@dataclass(frozen=True)
class CorrectedMean:
    """What a run is worth by the judge, and what by people."""

    version: str
    raw: str
    corrected: str
    interval: str
    was: float
    """Where the judge's word stands."""
    plot: IntervalPlot


def corrected_means(
    report: ComparisonReport, one: JudgedMetric, found: Calibration
) -> Iterator[CorrectedMean | str]:
    """Yield what each run that the judge has judged is worth, or why that cannot be said."""
    runs = (report.base, *(candidate.record for candidate in report.candidates))
    for run in {run.plan.run_id: run for run in runs}.values():
        if run.plan.judges.get(one.metric) == one.judge:
            if found.counts and is_rate(run, one.metric):
                yield _by_error_rates(deciding(run, report.quarantine), one.metric, found)
            else:
                yield _as_kept(run, found)


def _by_error_rates(run: RunRecord, metric: str, found: Calibration) -> CorrectedMean | str:
    version = run.plan.version
    if failed := run.failed:
        samples = counted(len(failed), "sample")
        return f"{version} is not corrected: the agent failed in {samples} that no judge saw."
    try:
        mean = corrected_rate(found, score_table(run, metric))
    except ValueError as error:
        return f"{version} is not corrected: {error}"
    people = BoundedDocument(mean=mean.mean, low=mean.low, high=mean.high)
    return _corrected_mean(version, mean.raw, people, SHARES, "points")


def _as_kept(run: RunRecord, found: Calibration) -> CorrectedMean | str:
    """Return the mean that the calibration holds: labels of numbers correct only their own run."""
    if run.plan.run_id != found.run or found.raw is None or found.corrected is None:
        return f"{run.plan.version} is not corrected: the labels are of another run."
    means = (found.raw, found.corrected)
    scale = Scale.over([end for one in means for end in (one.mean, one.low, one.high)])
    return _corrected_mean(run.plan.version, found.raw.mean, found.corrected, scale, "number")


def _corrected_mean(
    version: str, raw: float, people: BoundedDocument, scale: Scale, unit: Unit
) -> CorrectedMean:
    text, interval = plain(people.mean, unit), bounds_text(people, unit)
    said = f"{version}: the judge says {plain(raw, unit)}, corrected {text}, 95% {interval}"
    return CorrectedMean(
        version=version,
        raw=plain(raw, unit),
        corrected=text,
        interval=interval,
        was=scale.at(raw),
        plot=bounds_plot(people, scale, said, full=raw),
    )


def bounds_text(found: BoundedDocument, unit: Unit) -> str:
    """Return the interval of a mean: `80 to 98`."""
    if found.low is None or found.high is None:
        return "no interval"
    low, high = (plain(value, unit).removesuffix("%") for value in (found.low, found.high))
    return f"{low} to {high}"


def bounds_plot(found: BoundedDocument, scale: Scale, said: str, *, full: float) -> IntervalPlot:
    """Return a mean with its interval, and a line at `full`."""
    low = found.mean if found.low is None else found.low
    high = found.mean if found.high is None else found.high
    return IntervalPlot(
        at=scale.at(found.mean),
        low=scale.at(low),
        high=scale.at(high),
        zero=scale.at(full),
        margin=None,
        said=said,
    )
