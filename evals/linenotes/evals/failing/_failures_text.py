"""The failures of a run as text: a table of cases, and what they add up to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from linenotes.evals._strips import strip
from linenotes.evals._wording import counted
from linenotes.evals.failing._beginnings import suspicion
from linenotes.evals.failing._case_results import CaseResult
from linenotes.evals.failing._run_failures import FailingCase, RunFailures

_WIDTH = 100
_CASE, _STRIP, _ACTOR = 28, 20, 24
"""Most columns."""
_GAPS = 3 * 4
_REASON = 3
"""Its column, which gets the room that the others leave."""


def heading(found: RunFailures) -> str:
    """Return what the failures are of."""
    plan, results = found.record.plan, found.results
    measured = sum(one.measured for one in results)
    return (
        f"{plan.agent} {plan.version} on {plan.dataset.name}, {found.metric}: "
        f"{counted(len(results), 'case')}, {found.failures} of {counted(measured, 'sample')} failed"
    )


def rows(found: RunFailures) -> list[tuple[str, ...]]:
    """Return the header and a row a case that was looked into."""
    cells = [_row(one) for one in found.cases]
    table = [("case", "samples", "passed", "reason", "begins at"), *cells]
    used = [max(map(len, column)) for column in zip(*table, strict=True)]
    room = max(len("reason"), _WIDTH - sum(used) + used[_REASON] - _GAPS)
    return [(*row[:_REASON], _cut(row[_REASON], room), *row[_REASON + 1 :]) for row in table]


def lines(found: RunFailures) -> list[str]:
    """Return what stands under the table."""
    if not found.failures:
        return ["No failures.", *lost_lines(found)]
    told = [suspicion(found)]
    if found.hidden:
        told.append(f"{counted(found.hidden, 'more case')} with failures not shown: --full.")
    passing = sum(one.status == "passing" for one in found.results)
    unstable = sum(one.status == "unstable" for one in found.results)
    failing = sum(one.status == "failing" for one in found.results)
    told.append(f"{failing} failing, {unstable} unstable, {passing} passing.")
    return [*told, *lost_lines(found), *_ways_on(found)]


def unstable_lines(
    results: Sequence[CaseResult], label: str = "Unstable:", *, most: int = 2
) -> list[str]:
    """Return the strips of unstable cases in a few lines, and how many more of them there are."""
    parts = [f"{one.case} {_cut(strip(one.passes.values()), _STRIP)}" for one in results]
    told = [label] if parts else []
    for number, part in enumerate(parts):
        more = f"  … {len(parts) - number} more"
        if len(told[-1]) + len(part) + len(more) + 2 > _WIDTH and told[-1] != label:
            if len(told) == most:
                return [*told[:-1], told[-1].rstrip() + more]
            told.append("         ")
        told[-1] += f" {part} "
    return [line.rstrip() for line in told]


def _row(one: FailingCase) -> tuple[str, ...]:
    marks = strip(one.result.passes.values())
    return (
        _cut(one.result.case, _CASE),
        _cut(marks, _STRIP),
        one.result.fraction,
        " ".join(one.example.reason.split()) or "–",
        _cut(_begins_at(one), _ACTOR),
    )


def _begins_at(one: FailingCase) -> str:
    suspect = one.example.suspect
    if suspect is None:
        return "–"
    count = one.suspects[suspect.actor]
    return (
        suspect.actor
        if count == len(one.failures)
        else f"{suspect.actor} {count}/{len(one.failures)}"
    )


def lost_lines(found: RunFailures) -> Iterator[str]:
    """Say how many samples neither passed nor failed, if any."""
    lost = sum(len(one.passes) - one.measured for one in found.results)
    if lost:
        yield f"{counted(lost, 'sample')} without a score, shown as ·, neither passed nor failed."


def _ways_on(found: RunFailures) -> Iterator[str]:
    run, case = found.record.plan.run_id[:12], found.cases[0].result.case
    yield f"linenotes failures {run} --case {shlex.quote(case)}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
