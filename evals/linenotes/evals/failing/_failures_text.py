"""The failures of a run as text: a table of cases, and what they add up to.

A case by itself is shown as the conversation that failed beside one that passed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from linenotes.evals._strips import strip
from linenotes.evals._wording import counted
from linenotes.evals.failing._case_results import CaseResult
from linenotes.evals.failing._run_failures import (
    FailingCase,
    FailingSample,
    RunFailures,
    run_failures,
    samples_of,
    usual_suspect,
)
from linenotes.evals.failing._side_by_side import alone, side_by_side
from linenotes.evals.failing._suspects import Suspect, Why
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate

_WIDTH = 100
_CASE, _STRIP, _ACTOR = 28, 20, 24
"""Most columns."""
_GAPS = 3 * 4
_REASON = 3
"""Its column, which gets the room that the others leave."""
MEANING: dict[Why, str] = {
    "departs": "the first message that no passing sample has",
    "raised": "the one that raised the error",
    "is missing": "a message that passing samples have and this one lacks",
    "lacks the answer": "the first message without the expected answer",
}


_FEWEST, _CLEAR = 3, 0.6
"""Failures, and the share of them that begins with one agent, from which on it is clear."""
_CASES_OF_A_GATE = 100
"""How many cases are looked into for one sentence."""


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
        return ["No failures.", *_lost(found)]
    told = [_beginning(found)]
    if found.hidden:
        told.append(f"{counted(found.hidden, 'more case')} with failures not shown: --full.")
    passing = sum(one.status == "passing" for one in found.results)
    unstable = sum(one.status == "unstable" for one in found.results)
    failing = sum(one.status == "failing" for one in found.results)
    told.append(f"{failing} failing, {unstable} unstable, {passing} passing.")
    return [*told, *_lost(found), *_ways_on(found)]


def case_lines(found: RunFailures) -> list[str]:
    """Return the one case that was asked for: why it fails, what was said, and what to do next."""
    (result,) = found.results
    head = f"{result.case}  {strip(result.passes.values())}  {result.fraction} passed"
    if not found.cases:
        return [head, "No failures.", *_lost(found)]
    (case,) = found.cases
    example = case.example
    told = [head, f"sample {example.sample}: {example.reason or 'failed, without a reason'}"]
    if example.suspect is not None:
        told.append(f"begins at {example.suspect.actor} (a suspect: {_why(example.suspect)})")
    return [*told, *_conversation(found, case, example), *_commands(found, case, example)]


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


def beginning(found: RunFailures, *, share: float) -> str | None:
    """Return `34 of 41 failures begin at worker`; None where fewer than this share do."""
    usual = usual_suspect(found, share=share)
    if usual is None:
        return None
    actor, count = usual
    looked = " looked into" if found.hidden else ""
    begin = "begins" if count == found.told == 1 else "begin"
    return f"{count} of {counted(found.told, 'failure')}{looked} {begin} at {actor}"


def clear_beginning(record: RunRecord, metric: str) -> str | None:
    """Return with whom most failures begin, as a sentence; None where that is not clear."""
    if not is_rate(record, metric):
        return None
    found = run_failures(record, metric, most=_CASES_OF_A_GATE)
    clear = beginning(found, share=_CLEAR) if found.told >= _FEWEST else None
    return f"{clear}." if clear else None


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


def _beginning(found: RunFailures) -> str:
    usual = found.suspects.most_common(1)
    if not usual:
        return "Where they begin cannot be said: no passing sample to read beside, no plain answer."
    actor, _ = usual[0]
    whys = [
        failure.suspect.why
        for case in found.cases
        for failure in case.failures
        if failure.suspect and failure.suspect.actor == actor
    ]
    meaning = MEANING[max(sorted(set(whys)), key=whys.count)]
    return f"{beginning(found, share=0)} (a suspect: {meaning})."


def _why(suspect: Suspect) -> str:
    return MEANING[suspect.why]


def _lost(found: RunFailures) -> Iterator[str]:
    lost = sum(len(one.passes) - one.measured for one in found.results)
    if lost:
        yield f"{counted(lost, 'sample')} without a score, shown as ·, neither passed nor failed."


def _ways_on(found: RunFailures) -> Iterator[str]:
    run, case = found.record.plan.run_id[:12], found.cases[0].result.case
    yield f"linenotes failures {run} --case {shlex.quote(case)}"


def _conversation(found: RunFailures, case: FailingCase, example: FailingSample) -> Iterator[str]:
    record, name = found.record, case.result.case
    failing = next(samples_of(record, name, [example.sample]), None)
    if failing is None or not failing.ledger.messages:
        return
    suspected = example.suspect.message if example.suspect else None
    beside = [] if example.beside is None else [example.beside]
    passing = next(samples_of(record, name, beside), None)
    yield ""
    if passing is None:
        yield from alone(failing.ledger, suspected=suspected)
    else:
        yield from side_by_side(failing.ledger, passing.ledger, suspected=suspected)


def _commands(found: RunFailures, case: FailingCase, example: FailingSample) -> Iterator[str]:
    if example.trace_id is None:
        return
    yield ""
    yield f"failing  linenotes trace show {example.trace_id}"
    if example.beside is not None:
        beside = found.record.outcomes[case.result.case, example.beside]
        yield f"passing  linenotes trace show {beside.trace_id}"
    if found.record.plan.imported is None:
        yield f"again    {_again(found.record.plan, case.result.case)}"


def _again(plan: RunPlan, case: str) -> str:
    """Return the command that runs a case once more with the prompts of a run."""
    by_path = Path(plan.graph.rpartition(":")[0]).stem == plan.agent
    words = ["linenotes", "run", plan.graph if by_path else plan.agent, "--case", case]
    if plan.dataset.source is not None:
        words += ["--dataset", _near(Path(plan.dataset.source))]
    for name, prompt in plan.prompts.items():
        words += ["--prompt", f"{name}={prompt.version}"]
    return shlex.join(words)


def _near(path: Path) -> str:
    """Return a path from where the command is typed, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
