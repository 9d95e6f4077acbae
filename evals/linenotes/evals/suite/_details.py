"""What stands under an item of a golden test that is not well: all that a person looks for next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from linenotes.evals._wording import counted, printable
from linenotes.evals.failing._side_by_side import alone, side_by_side
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.suite._judging import CaseJudgement, Judgement


@dataclass(frozen=True)
class Shown:
    """An item whose case is told about."""

    node_id: str
    record: RunRecord


def details(shown: Shown, case: CaseJudgement) -> str:
    """Return fraction, the failing sample beside a passing one, its trace, and how to replay it."""
    example = case.broken or case.example
    lines = [_summary(case)]
    if example is not None:
        lines += ["", f"sample {example.index}: {example.why}", *_ledgers(shown, case, example)]
        lines += ["", f"trace  linenotes trace show {example.trace_id}"]
    lines.append(f"again  {again(shown)}")
    return "\n".join(map(printable, lines))


def again(shown: Shown) -> str:
    """Return the command that runs the item once more, without a call where that is possible."""
    command = f"pytest {shlex.quote(shown.node_id)}"
    if shown.record.plan.recordings.is_on:
        return f"{command} --linenotes-replay"
    return f"{command}   (calls again; --linenotes-record auto keeps the calls for a replay)"


def _summary(case: CaseJudgement) -> str:
    lost = f", {case.lost} lost to the infrastructure" if case.lost else ""
    return f"{case.case}: {case.fraction} {_samples(case)} passed{lost}"


def _samples(case: CaseJudgement) -> str:
    return counted(case.measured, "sample").partition(" ")[2]


def _ledgers(shown: Shown, case: CaseJudgement, example: Judgement) -> Iterator[str]:
    samples = shown.record.samples
    passing = None if case.broken else case.passing
    ledger = samples[case.case, example.index].ledger
    if not ledger.messages:
        return
    yield ""
    if passing is None:
        yield from alone(ledger)
    else:
        yield from side_by_side(ledger, samples[case.case, passing.index].ledger)
