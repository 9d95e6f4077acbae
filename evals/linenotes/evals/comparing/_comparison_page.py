"""A comparison as one HTML file that needs nothing else: no server, no network, no script.

The verdict is what a person sees first, then the change with its interval, then what it is made
of. The page is drawn from the same rows as the text. All that cases, prompts and agents said is
escaped, and the page forbids itself every request and every style but its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING

from linenotes.evals._wording import SPEAKS_OF, counted, named
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._change_table import said
from linenotes.evals.comparing._comparison_report import consequence, headline, power
from linenotes.evals.comparing._comparison_text import fraction, judge_lines
from linenotes.evals.comparing._differences import told_differences
from linenotes.evals.comparing._flips import FlippedCase
from linenotes.evals.comparing._judge_plots import JudgePlot, judge_plots
from linenotes.evals.comparing._plots import (
    CostPlot,
    IntervalPlot,
    Scale,
    change_ticks,
    cost_plot,
    interval_plot,
    scale_of_changes,
)
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import ChangeRow, Figures, change_rows, plain, unit_of
from linenotes.evals.comparing._slices import SliceChange
from linenotes.tracing import house_style, policy_digest, visible

if TYPE_CHECKING:
    from jinja2 import Template

_SHOWN_CASES = 12
"""Cases that got worse, and that improved, which are shown unfolded."""
_MOST_CASES = 200
"""More of either are not listed: the JSON has them."""
_WIDEST_LABEL = 24
_USED_FIRST = ("cost a sample", "tokens a sample", "seconds a sample")


def comparison_page(report: ComparisonReport) -> str:
    """Return a comparison as an HTML document."""
    style = house_style() + _part("comparison.css")
    html = _template().render(
        page=_Page(report), style=style, style_digest=policy_digest(style), most=_MOST_CASES
    )
    return html.encode("utf-8", "replace").decode()  # half a character cannot be written


@dataclass(frozen=True)
class _CandidateView:
    """What the template reads of one candidate."""

    found: CandidateReport

    @property
    def plan(self) -> object:
        return self.found.record.plan

    @property
    def differences(self) -> str:
        return told_differences(self.found.primary.base, self.found.record.plan)

    @cached_property
    def rows(self) -> tuple[ChangeRow, ...]:
        return change_rows(self.found)

    @property
    def is_measured(self) -> bool:
        return self.found.verdict not in ("unchanged", "cannot measure")

    @cached_property
    def deciding(self) -> ChangeRow:
        """The row that the verdict comes from: the primary metric, unless a guardrail is worse."""
        return next((row for row in self.rows if row.said == self.found.verdict), self.rows[0])

    @property
    def meaning(self) -> str:
        """What follows from the verdict, in a sentence."""
        if self.is_measured:
            decisive = self.found.deciding
            return consequence(next(one for one in decisive if one.metric == self.deciding.name))
        return headline(self.found).partition(": ")[2]

    def plot(self, row: ChangeRow) -> IntervalPlot | None:
        """Return the plot of a row; those in points share a scale, the others have their own."""
        return interval_plot(row, self._scale(row))

    def _scale(self, row: ChangeRow) -> Scale:
        if row.figures is None or row.figures.unit != "points":
            return scale_of_changes([row])
        return self._points

    @cached_property
    def _points(self) -> Scale:
        rows = [row for row in self.rows if row.figures and row.figures.unit == "points"]
        return scale_of_changes(rows)

    @property
    def slices(self) -> tuple[tuple[SliceChange, ChangeRow, IntervalPlot | None], ...]:
        rows = [self._slice_row(one) for one in self.found.slices]
        scale = scale_of_changes(rows)
        plots = [interval_plot(row, scale) for row in rows]
        return tuple(zip(self.found.slices, rows, plots, strict=True))

    def _slice_row(self, one: SliceChange) -> ChangeRow:
        figures = Figures.of(one.result, unit_of(rate=self.found.primary.is_rate))
        name = f"{one.tag}={one.value}"
        return ChangeRow(name, "secondary", figures, "look here" if one.stands_out else "", "open")

    @property
    def groups(self) -> tuple[tuple[str, str, tuple[FlippedCase, ...]], ...]:
        """Cases that got worse, that improved, and what decides nothing: title, tone, cases."""
        flips = self.found.flips
        worse = tuple(flip for flip in flips if not flip.improved)
        better = tuple(flip for flip in flips if flip.improved)
        held = self.found.quarantined
        return (
            ("Got worse", "bad", worse),
            ("Improved", "good", better),
            ("In quarantine", "open", held),
        )

    def unfolded(self, cases: tuple[FlippedCase, ...]) -> tuple[FlippedCase, ...]:
        return cases[:_SHOWN_CASES]

    def folded(self, cases: tuple[FlippedCase, ...]) -> tuple[FlippedCase, ...]:
        return cases[_SHOWN_CASES:_MOST_CASES]

    def fraction(self, values: tuple[float, ...]) -> str:
        return fraction(values, rate=self.found.primary.is_rate)

    def ends(self, flip: FlippedCase) -> tuple[float, float]:
        """Return where a case was before and where it is after, in percent."""
        before, after = (sum(values) / len(values) for values in (flip.before, flip.after))
        return self._cases.at(before), self._cases.at(after)

    @cached_property
    def _cases(self) -> Scale:
        return Scale.over([0.0, 1.0] if self.found.primary.is_rate else self._means)

    @property
    def case_ends(self) -> tuple[str, str]:
        """The labels at the ends of the scale of the cases."""
        unit = unit_of(rate=self.found.primary.is_rate)
        ends = (0.0, 1.0) if unit == "points" else (min(self._means), max(self._means))
        return plain(ends[0], unit), plain(ends[1], unit)

    @cached_property
    def _means(self) -> list[float]:
        flips = (*self.found.flips, *self.found.quarantined)
        return [sum(v) / len(v) for flip in flips for v in (flip.before, flip.after)]

    @property
    def alone(self) -> str:
        result = self.found.primary.result
        alone = sorted({*result.only_in_base, *result.only_in_candidate})
        if not alone:
            return ""
        cases = counted(len(alone), "case")
        return f"{cases} scored in only one of the runs, left out: {named(alone)}."


@dataclass(frozen=True)
class _Page:
    """What the template reads."""

    report: ComparisonReport

    @cached_property
    def candidates(self) -> tuple[_CandidateView, ...]:
        return tuple(_CandidateView(one) for one in self.report.candidates)

    @property
    def base(self) -> object:
        return self.report.base.plan

    @property
    def title(self) -> str:
        names = ", ".join(one.record.plan.version for one in self.report.candidates)
        return f"{self.report.verdict.upper()}: {names} against {self.report.base.plan.version}"

    @property
    def samples(self) -> str:
        """K: of the base, and of the candidates where they have others."""
        runs = [self.report.base, *(one.record for one in self.report.candidates)]
        return " and ".join(dict.fromkeys(str(run.plan.samples) for run in runs))

    @property
    def speaks_of(self) -> str:
        return SPEAKS_OF[self.report.candidates[0].primary.result.target]

    @property
    def power(self) -> str:
        return power(self.report.candidates[0].primary)

    @property
    def savings(self) -> tuple[str, ...]:
        told = (line for one in self.report.candidates for line in one.primary.savings)
        return tuple(dict.fromkeys(told))

    def first_plot(self, view: _CandidateView) -> IntervalPlot | None:
        """Return the plot of what decides; candidates share a scale where the unit is one."""
        return interval_plot(view.deciding, self._first_scale(view))

    def ticks(self, view: _CandidateView) -> tuple[tuple[float, str], ...]:
        """Return the axis under this plot."""
        figures = view.deciding.figures
        return change_ticks(self._first_scale(view), figures.unit) if figures else ()

    def _first_scale(self, view: _CandidateView) -> Scale:
        rows = [one.deciding for one in self.candidates]
        units = {row.figures.unit for row in rows if row.figures}
        return scale_of_changes(rows if len(units) == 1 else [view.deciding])

    @cached_property
    def judges(self) -> tuple[JudgePlot, ...]:
        """How the judges agree with people."""
        return judge_plots(self.report)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What to know of judges and of cases that decide nothing."""
        return (*judge_lines(self.report), *self.report.held)

    @cached_property
    def costs(self) -> CostPlot | None:
        """Score against what a sample costs, or uses where no price is known."""
        versions = [self.report.base.plan.version]
        versions += [one.record.plan.version for one in self.report.candidates]
        scores = [view.rows[0] for view in self.candidates]
        for name in _USED_FIRST:
            used = [row for view in self.candidates for row in view.rows if row.name == name]
            if len(used) == len(scores) and (plot := cost_plot(versions, scores, used)):
                return plot
        return None


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": _short, "visible": visible}
    environment.globals |= {"plain": plain, "said": said}
    return environment.from_string(_part("comparison.html.j2"))


def _short(label: str) -> str:
    """Return a label as there is room for it over a column; it is whole at the top of the page."""
    return label if len(label) <= _WIDEST_LABEL else f"{label[: _WIDEST_LABEL - 1]}…"


@cache
def _part(name: str) -> str:
    return resources.files("linenotes.evals.comparing").joinpath(name).read_text(encoding="utf-8")
