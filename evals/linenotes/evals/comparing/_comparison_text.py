"""A comparison in a terminal: the verdict first, then one table, then where to look.

Nothing is wider than 100 columns, and what there can be many of is cut to what one screen holds,
with a word on how much there is. Texts of prompts and of agents are printed as they are: whoever
prints the lines takes out what a terminal would act on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Literal

from linenotes.evals._wording import SPEAKS_OF, counted, named, sized
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._comparison_report import headline, power
from linenotes.evals.comparing._differences import DiffLine, told_differences
from linenotes.evals.comparing._flips import FlippedCase
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import ChangeRow, Figures, change_rows, plain, unit_of
from linenotes.evals.comparing._slices import SliceChange

WIDTH = 100
_CASES = 3
"""How many cases that improved are shown, and how many that got worse."""
_DIFF_LINES = 12
"""Of all prompts together."""
_SLICES = 4
_TRACE = 11
"""Letters of a trace's id that tell it apart: `tr-` and 8 digits."""
_Side = Literal["left", "right"]
SIGNS = {"kept": "  ", "removed": "- ", "added": "+ ", "skipped": "…"}


def comparison_lines(report: ComparisonReport, *, full: bool = False) -> list[str]:
    """Return a comparison line by line.

    Args:
        report: what was found.
        full: all cases that changed, all slices, and prompts as they differ, line by line.
    """
    lines = [line for one in report.candidates for line in _verdict_lines(one)]
    lines += ["", *_run_lines(report)]
    several = len(report.candidates) > 1
    for one in report.candidates:
        if one.verdict == "unchanged" and not full:
            continue
        heading = [f"{one.record.plan.version} against {report.base.plan.version}"]
        lines += ["", *(heading if several else []), *_table(one), ""]
        lines += _case_lines(one, most=None if full else 1 if several else _CASES)
        lines += [*_slice_lines(one, full=full), *_prompt_lines(one, full=full, several=several)]
    closing = [part for line in _closing_lines(report) for part in wrap(line, WIDTH)]
    return [*lines, "", *closing] if closing else lines


def _verdict_lines(candidate: CandidateReport) -> list[str]:
    head = f"{candidate.verdict.upper()}  "
    return wrap(head + headline(candidate), WIDTH, subsequent_indent=" " * len(head))


def _run_lines(report: ComparisonReport) -> Iterator[str]:
    runs = [("base", report.base.plan)]
    runs += [("candidate", one.record.plan) for one in report.candidates]
    for role, plan in runs:
        yield (
            f"{role:<11}{plan.run_id[:12]}  {plan.agent} {plan.version}  "
            f"{counted(len(plan.cases), 'case')}, K={plan.samples}"
        )
    for one in report.candidates:
        told = told_differences(report.base.plan, one.record.plan)
        told = f"{one.record.plan.version}: {told}" if len(report.candidates) > 1 else told
        yield from wrap(f"differs    {told}", WIDTH, subsequent_indent=" " * 11)
    target = report.candidates[0].primary.result.target
    yield f"speaks of  {SPEAKS_OF[target]}, 95% intervals, paired by case"


def _table(candidate: CandidateReport) -> Iterator[str]:
    versions = (candidate.primary.base.version, candidate.record.plan.version)
    rows = change_rows(candidate)
    measured = [_cells(row) for row in rows if row.figures]
    cells = [("", *versions, "change", "95%", ""), *measured]
    widths = [
        min(most, max(map(len, column)))
        for most, column in zip(_WIDEST, zip(*cells, strict=True), strict=True)
    ]
    gaps = 2 * (len(widths) - 1)
    widths[0] = max(_SHORTEST, min(widths[0], WIDTH - gaps - sum(widths[1:])))
    for row in cells:
        yield "  ".join(map(_fitted, row, widths, _ALIGNED)).rstrip()
    yield from (f"{row.name}: {row.said}." for row in rows if row.figures is None)


_WIDEST = (40, 12, 12, 12, 24, 30)
"""Columns; a longer cell is cut, and names of metrics make room for the rest."""
_SHORTEST = 12
_ALIGNED: tuple[_Side, ...] = ("left", "right", "right", "right", "left", "left")


def _cells(row: ChangeRow) -> tuple[str, ...]:
    found = row.figures
    assert found is not None
    unit = found.unit
    change = found.change_text.removesuffix(" points")
    return (
        row.name,
        plain(found.before, unit),
        plain(found.after, unit),
        change,
        found.interval_text or "no interval",
        said(row),
    )


def said(row: ChangeRow) -> str:
    """Say what follows for a row, and what part it has in the verdict."""
    if row.role == "decides":
        return f"{row.said}, decides"
    if row.role == "guardrail":
        assert row.figures is not None
        assert row.margin is not None
        margin = sized(row.margin, rate=row.figures.unit == "points")
        return f"{row.said}, guards {margin}"
    return row.said


def _fitted(text: str, width: int, side: _Side = "left") -> str:
    text = text if len(text) <= width else text[: max(width - 1, 0)] + "…"
    return text.rjust(width) if side == "right" else text.ljust(width)


def _case_lines(candidate: CandidateReport, *, most: int | None) -> Iterator[str]:
    found = candidate.primary.result
    yield (
        f"{counted(found.improved, 'case')} improved, {found.worsened} got worse, "
        f"{found.unchanged} stayed as they were ({found.method})."
    )
    rate = candidate.primary.is_rate
    for improved in (False, True):
        flips = [flip for flip in candidate.flips if flip.improved == improved]
        shown = flips[:most]
        yield from _flip_lines(shown, "better" if improved else "worse", rate=rate)
        if len(flips) > len(shown):
            word = "improved" if improved else "got worse"
            yield f"  … {len(flips) - len(shown)} more {word}: --full"
    yield from _flip_lines(candidate.quarantined, "held", rate=rate)
    alone = sorted({*found.only_in_base, *found.only_in_candidate})
    if alone:
        cases = counted(len(alone), "case")
        yield from wrap(f"{cases} scored in only one of the runs, left out: {named(alone)}.", WIDTH)


def _flip_lines(flips: Sequence[FlippedCase], word: str, *, rate: bool) -> Iterator[str]:
    told = [
        f"{fraction(flip.before, rate=rate)} → {fraction(flip.after, rate=rate)}  "
        f"{_example(flip, rate=rate)}".rstrip()
        for flip in flips
    ]
    room = WIDTH - 12 - max(map(len, told), default=0)
    wide = min(room, max((len(flip.case) for flip in flips), default=0))
    for flip, rest in zip(flips, told, strict=True):
        yield f"  {word:<6}  {_fitted(flip.case, wide)}  {rest}"


def _example(flip: FlippedCase, *, rate: bool) -> str:
    if flip.low.trace_id is None or flip.high.trace_id is None:
        return ""
    low, high = ("failed", "passed") if rate else ("lowest", "highest")
    return f"{low} {flip.low.trace_id[:_TRACE]}  {high} {flip.high.trace_id[:_TRACE]}"


def fraction(values: Sequence[float], *, rate: bool) -> str:
    """Return the samples of a case as `2/5`, or their mean where they are no passes."""
    if rate:
        return f"{sum(values):.0f}/{len(values)}"
    return plain(sum(values) / len(values), unit_of(rate=False))


def _slice_lines(candidate: CandidateReport, *, full: bool) -> Iterator[str]:
    standing_out = [one for one in candidate.slices if one.stands_out]
    shown = candidate.slices if full else standing_out[:_SLICES]
    for one in shown:
        head = "look here" if one.stands_out else "slice"
        yield f"  {head:<9}  {slice_text(one, rate=candidate.primary.is_rate)}"
    if len(standing_out) > len(shown):
        yield f"  … {len(standing_out) - len(shown)} more slices stand out"


def slice_text(one: SliceChange, *, rate: bool) -> str:
    """Return `team=banking: -20 points (95% -35 to -4, n=12)`."""
    figures = Figures.of(one.result, unit_of(rate=rate))
    bounds = f"95% {figures.interval_text}" if figures.interval_text else "no interval"
    return f"{one.tag}={one.value}: {figures.change_text} ({bounds}, n={figures.n})"


def _prompt_lines(candidate: CandidateReport, *, full: bool, several: bool) -> Iterator[str]:
    if several and not full:
        return
    most = _DIFF_LINES // max(1, len(candidate.prompts))
    for change in candidate.prompts:
        yield f"prompt {change.name}: {change.before or 'none'} → {change.after or 'none'}"
        shown = change.lines if full or len(change.lines) <= most else change.lines[: most - 1]
        for line in shown:
            yield from _diff_lines(line, full=full)
        if len(change.lines) > len(shown):
            yield f"  … {len(change.lines) - len(shown)} more lines: --full"


def _diff_lines(line: DiffLine, *, full: bool) -> list[str]:
    text = f"  {SIGNS[line.kind]}{line.text}"
    if not full:
        return [_fitted(text, min(WIDTH, len(text)))]
    return wrap(text, WIDTH, subsequent_indent="    ", drop_whitespace=False) or [text]


def _closing_lines(report: ComparisonReport) -> Iterator[str]:
    first = report.candidates[0]
    if any(one.verdict != "unchanged" for one in report.candidates):
        yield from dict.fromkeys(note for one in report.candidates for note in _notes(one))
        if first.guardrails:
            yield "A pass needs all guardrails; that one broke is tested with Holm's correction."
        yield from _corrections(report)
        yield from filter(None, [power(first.primary)])
        yield from judge_lines(report)
    yield from report.held
    yield from dict.fromkeys(line for one in report.candidates for line in one.primary.savings)


def judge_lines(report: ComparisonReport) -> Iterator[str]:
    """Say which judges may be biased, and how to find out."""
    for metric in report.uncalibrated:
        yield (
            f"{metric}: nobody has held its judge against people's labels, so a difference may be "
            f"the judge's. `linenotes judge calibrate LABELS --metric {metric}` does."
        )


def _corrections(report: ComparisonReport) -> Iterator[str]:
    """Say what keeps chance from being called a finding among so many numbers."""
    if sum(len(one.secondary) for one in report.candidates) > 1:
        yield "What does not decide: other metrics carry Holm's correction."
    if any(one.slices for one in report.candidates):
        yield "Slices decide nothing: of those called better or worse one in ten may be chance."


def _notes(candidate: CandidateReport) -> tuple[str, ...]:
    found = candidate.primary.result
    if candidate.verdict in ("unchanged", "cannot measure"):
        return ()
    return found.notes
