"""A comparison as Markdown, for a pull request or the summary of a CI job.

What agents, prompts and cases say is text: nothing of it becomes a heading, a link, a picture or
the end of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from linenotes.evals._wording import SPEAKS_OF, counted
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._change_table import said
from linenotes.evals.comparing._comparison_report import headline, power
from linenotes.evals.comparing._comparison_text import (
    SIGNS,
    fraction,
    judge_lines,
    slice_text,
)
from linenotes.evals.comparing._differences import PromptChange, told_differences
from linenotes.evals.comparing._flips import Example, FlippedCase
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import change_rows, plain
from linenotes.tracing import visible

_CASES = 10
"""How many cases are listed of those that improved, and of those that got worse."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$@-])")


def comparison_markdown(report: ComparisonReport) -> str:
    """Return a comparison as Markdown, the verdict first."""
    parts = [_candidate(report, one) for one in report.candidates]
    return "\n".join([*chain.from_iterable(parts), *_closing(report), ""])


def _candidate(report: ComparisonReport, candidate: CandidateReport) -> Iterator[str]:
    base, plan = report.base.plan, candidate.record.plan
    yield f"### {candidate.verdict.upper()}: {_text(plan.agent)} {_text(plan.version)}"
    yield from ("", _text(headline(candidate)), "")
    yield from _metrics(candidate)
    found = candidate.primary.result
    yield (
        f"{counted(found.improved, 'case')} improved, {found.worsened} got worse, "
        f"{found.unchanged} stayed as they were."
    )
    yield ""
    yield from _cases(candidate)
    for one in candidate.slices:
        if one.stands_out:
            yield f"- Look here: {_text(slice_text(one, rate=candidate.primary.is_rate))}"
    yield ""
    yield f"What differs: {_text(told_differences(base, plan))}"
    yield ""
    for change in candidate.prompts:
        yield from _prompt(change)
    runs = f"Base run `{base.run_id[:12]}`, candidate run `{plan.run_id[:12]}`"
    yield from (f"{runs}, n={found.n_cases}, K={base.samples} and {plan.samples}.", "")


def _metrics(candidate: CandidateReport) -> Iterator[str]:
    versions = (candidate.primary.base.version, candidate.record.plan.version)
    yield f"| | {_text(versions[0])} | {_text(versions[1])} | change | 95% interval | |"
    yield "|---|--:|--:|--:|---|---|"
    for row in change_rows(candidate):
        if (found := row.figures) is None:
            yield f"| {_text(row.name)} | | | | | {_text(row.said)} |"
            continue
        means = (plain(found.before, found.unit), plain(found.after, found.unit))
        cells = (row.name, *means, found.change_text, found.interval_text or "none", said(row))
        yield f"| {' | '.join(_text(cell) for cell in cells)} |"
    yield ""


def _cases(candidate: CandidateReport) -> Iterator[str]:
    worse = [flip for flip in candidate.flips if not flip.improved]
    better = [flip for flip in candidate.flips if flip.improved]
    shown = (*worse[:_CASES], *better[:_CASES], *candidate.quarantined)
    if not shown:
        return
    rate = candidate.primary.is_rate
    yield "| case | | before | after | read | beside |"
    yield "|---|---|--:|--:|---|---|"
    for flip in shown:
        yield _case(flip, rate=rate, held=flip in candidate.quarantined)
    if left := len(candidate.flips) + len(candidate.quarantined) - len(shown):
        yield f"| … {left} more | | | | | |"
    yield ""


def _case(flip: FlippedCase, *, rate: bool, held: bool) -> str:
    word = "improved" if flip.improved else "got worse"
    word += ", in quarantine" if held else ""
    values = (fraction(flip.before, rate=rate), fraction(flip.after, rate=rate))
    examples = (_example(flip.low), _example(flip.high))
    return f"| {' | '.join((_text(flip.case), word, *values, *examples))} |"


def _example(example: Example) -> str:
    return f"`{example.trace_id}`" if example.trace_id else ""


def _prompt(change: PromptChange) -> Iterator[str]:
    versions = f"{change.before or 'none'} → {change.after or 'none'}"
    diff = [SIGNS[line.kind] + visible(line.text) for line in change.lines]
    yield f"<details><summary>prompt {_text(change.name)}: {_text(versions)}</summary>"
    fence = _fence(diff)
    yield from ("", f"{fence}diff", *diff, fence, "", "</details>", "")


def _fence(lines: Sequence[str]) -> str:
    """Return a fence that none of the lines can end."""
    runs = (len(run) for line in lines for run in re.findall("`+", line))
    return "`" * max(3, 1 + max(runs, default=0))


def _closing(report: ComparisonReport) -> Iterator[str]:
    first = report.candidates[0]
    speaks = f"Intervals speak of {SPEAKS_OF[first.primary.result.target]}."
    yield f"{speaks} {power(first.primary)}".rstrip()
    told = (line for one in report.candidates for line in one.primary.savings)
    for line in (*judge_lines(report), *report.held, *dict.fromkeys(told)):
        yield from ("", _text(line))


def _text(text: str) -> str:
    """Return `text` as one line of Markdown that shows it as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))
