"""A comparison in a terminal: the verdict first, then one table, then where to look.

Nothing is wider than it may be, and what there can be many of is cut to what one screen holds,
with a word on how much there is. Texts of prompts and of agents are printed as they are: whoever
prints the lines takes out what a terminal would act on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from textwrap import wrap

from linenotes.evals._wording import SPEAKS_OF, counted, named
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._change_table import change_table
from linenotes.evals.comparing._comparison_report import headline, power
from linenotes.evals.comparing._differences import DiffLine, told_differences
from linenotes.evals.comparing._flips import FlippedCase
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import Figures, plain, unit_of
from linenotes.evals.comparing._slices import SliceChange

WIDTH = 100
_wrapped = partial(wrap, break_on_hyphens=False)  # `one-sided`, `case-07` and `-3` stay whole
_CASES = 3
"""How many cases that improved are shown, and how many that got worse."""
_DIFF_LINES = 12
"""Of all prompts together."""
_SLICES = 4
_TRACE = 11
"""Letters of a trace's id that tell it apart: `tr-` and 8 digits."""
SIGNS = {"kept": "  ", "removed": "- ", "added": "+ ", "skipped": "…"}


def comparison_lines(
    report: ComparisonReport, *, full: bool = False, width: int = WIDTH
) -> list[str]:
    """Return a comparison line by line.

    Args:
        report: what was found.
        full: all cases that changed, all slices, and prompts as they differ, line by line.
        width: the most columns of a line.
    """
    lines = [line for one in report.candidates for line in _verdict_lines(one, width)]
    lines += ["", *_run_lines(report, width)]
    several = len(report.candidates) > 1
    for one in report.candidates:
        if one.verdict == "unchanged" and not full:
            continue
        heading = [f"{one.record.plan.version} against {report.base.plan.version}"]
        lines += ["", *(heading if several else []), *change_table(one, width), ""]
        lines += _case_lines(one, width, most=None if full else 1 if several else _CASES)
        lines += _slice_lines(one, width, full=full)
        if full or not several:
            lines += _prompt_lines(one, width, full=full)
    closing = [part for line in _closing_lines(report) for part in _wrapped(line, width)]
    return [*lines, "", *closing] if closing else lines


def _verdict_lines(candidate: CandidateReport, width: int) -> list[str]:
    head = f"{candidate.verdict.upper()}  "
    return _wrapped(head + headline(candidate), width, subsequent_indent=" " * len(head))


def _run_lines(report: ComparisonReport, width: int) -> Iterator[str]:
    runs = [("base", report.base.plan)]
    runs += [("candidate", one.record.plan) for one in report.candidates]
    for role, plan in runs:
        told = (
            f"{role:<11}{plan.run_id[:12]}  {plan.agent} {plan.version}  "
            f"{counted(len(plan.cases), 'case')}, K={plan.samples}"
        )
        yield from _wrapped(told, width, subsequent_indent=" " * 11)
    for one in report.candidates:
        told = told_differences(report.base.plan, one.record.plan)
        told = f"{one.record.plan.version}: {told}" if len(report.candidates) > 1 else told
        yield from _wrapped(f"differs    {told}", width, subsequent_indent=" " * 11)
    target = report.candidates[0].primary.result.target
    yield f"speaks of  {SPEAKS_OF[target]}, 95% intervals, paired by case"


def _case_lines(candidate: CandidateReport, width: int, *, most: int | None) -> Iterator[str]:
    found = candidate.primary.result
    yield from _wrapped(
        f"{counted(found.improved, 'case')} improved, {found.worsened} got worse, "
        f"{found.unchanged} stayed as they were ({found.method}).",
        width,
    )
    rate = candidate.primary.is_rate
    for improved in (False, True):
        flips = [flip for flip in candidate.flips if flip.improved == improved]
        shown = flips[:most]
        yield from _flip_lines(shown, "better" if improved else "worse", width, rate=rate)
        if len(flips) > len(shown):
            word = "improved" if improved else "got worse"
            yield f"  … {len(flips) - len(shown)} more {word}: --full"
    yield from _flip_lines(candidate.quarantined, "held", width, rate=rate)
    alone = sorted({*found.only_in_base, *found.only_in_candidate})
    if alone:
        cases = counted(len(alone), "case")
        yield from _wrapped(
            f"{cases} scored in only one of the runs, left out: {named(alone)}.", width
        )


def _flip_lines(
    flips: Sequence[FlippedCase], word: str, width: int, *, rate: bool
) -> Iterator[str]:
    """Yield each case in a line, or its example in a second one where names are long."""
    values = [f"{fraction(f.before, rate=rate)} → {fraction(f.after, rate=rate)}" for f in flips]
    examples = [_example(flip, rate=rate) for flip in flips]
    counts, shown = (max(map(len, texts), default=0) for texts in (values, examples))
    head = f"  {word:<6}  "
    longest = max((len(flip.case) for flip in flips), default=0)
    wide = min(longest, width - len(head) - 2 - counts)
    beside = len(head) + wide + counts + shown + 4 <= width
    for flip, value, example in zip(flips, values, examples, strict=True):
        told = f"{head}{_fitted(flip.case, wide)}  {value}"
        if beside or not example:
            yield f"{told}  {example}".rstrip()
        else:
            yield from (told, " " * len(head) + example)


def _fitted(text: str, width: int) -> str:
    """Return `text` in so many columns, cut where it is longer."""
    return (text if len(text) <= width else text[: max(width - 1, 0)] + "…").ljust(width)


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


def _slice_lines(candidate: CandidateReport, width: int, *, full: bool) -> Iterator[str]:
    standing_out = [one for one in candidate.slices if one.stands_out]
    shown = candidate.slices if full else standing_out[:_SLICES]
    for one in shown:
        head = "look here" if one.stands_out else "slice"
        told = f"  {head:<9}  {slice_text(one, rate=candidate.primary.is_rate)}"
        yield from _wrapped(told, width, subsequent_indent=" " * 13)
    if len(standing_out) > len(shown):
        yield f"  … {len(standing_out) - len(shown)} more slices stand out"


def slice_text(one: SliceChange, *, rate: bool) -> str:
    """Return `team=banking: -20 points (95% -35 to -4, n=12)`."""
    figures = Figures.of(one.result, unit_of(rate=rate))
    bounds = f"95% {figures.interval_text}" if figures.interval_text else "no interval"
    return f"{one.tag}={one.value}: {figures.change_text} ({bounds}, n={figures.n})"


def _prompt_lines(candidate: CandidateReport, width: int, *, full: bool) -> Iterator[str]:
    most = _DIFF_LINES // max(1, len(candidate.prompts))
    for change in candidate.prompts:
        yield f"prompt {change.name}: {change.before or 'none'} → {change.after or 'none'}"
        shown = change.lines if full or len(change.lines) <= most else change.lines[: most - 1]
        for line in shown:
            yield from _diff_lines(line, width, full=full)
        if len(change.lines) > len(shown):
            yield f"  … {len(change.lines) - len(shown)} more lines: --full"


def _diff_lines(line: DiffLine, width: int, *, full: bool) -> list[str]:
    text = f"  {SIGNS[line.kind]}{line.text}"
    if not full:
        return [_fitted(text, min(width, len(text)))]
    return _wrapped(text, width, subsequent_indent="    ", drop_whitespace=False) or [text]


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
            f"the judge's. `linenotes judge calibrate` tells."
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
