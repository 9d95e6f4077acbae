"""What a candidate that passed early still needs to become a baseline: all samples of each case.

A gate that stops early on a pass has stopped on a good day, so what it has seen by then flatters
the version. The samples that were planned and not needed are therefore taken after the decision,
which they do not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from linenotes.evals._evaluation import Evaluation, Interrupted
from linenotes.evals._report import recording_lines
from linenotes.evals._results import RunResult
from linenotes.evals._storing import NotPublished
from linenotes.evals._used_up import BudgetUsedUp
from linenotes.evals.engine._progress import Progress
from linenotes.evals.gating._gate_result import GateResult
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.project import LinenotesError, RunError


def filled_up(
    result: GateResult, evaluation: Evaluation, runs: RunStore, progress: Progress
) -> GateResult:
    """Let the candidate of a gate that passed early have all planned samples, and publish them.

    Where that does not come to its end, the result says why; what there is by then is kept.
    """
    assert result.candidate is not None
    run_id, wanted = result.candidate.plan.run_id, result.order.samples
    progress.note(
        f"PASS at K={result.samples}. Its other samples, up to {wanted} of each case, follow, so "
        "that the early stop does not flatter the baseline."
    )
    try:
        found = evaluation.resume(run_id, samples=wanted, growing={run_id})
    except NotPublished as error:
        return _with(replace(result, notes=(*result.notes, str(error))), error.results)
    except LinenotesError as error:
        return _without(result, runs.read(run_id), error)
    return _with(result, found)


def _with(result: GateResult, found: Sequence[RunResult]) -> GateResult:
    assert result.candidate is not None
    run_id = result.candidate.plan.run_id
    grown = [one for one in found if one.record.plan.run_id == run_id]
    return replace(
        result,
        filled=grown[0].record,
        notes=(*result.notes, *recording_lines(grown)),
        lacks_use=result.lacks_use or any(one.lacks_use for one in grown),
    )


def _without(result: GateResult, record: RunRecord, error: LinenotesError) -> GateResult:
    kept = len(record.outcomes)
    wanted = len(record.plan.cases) * result.order.samples
    told = f"{kept} of the {wanted} samples that keep an early stop from flattering a baseline"
    why: LinenotesError
    match error:
        case BudgetUsedUp():
            why = RunError(
                f"It passed, and is not saved: the budget ended with {told}. The same command "
                f"with{error.enough.options} goes on with them."
            )
        case Interrupted():
            why = Interrupted(
                f"Stopped: it passed, and {told} are kept. The same `linenotes gate` goes on."
            )
        case _:
            why = error
    return replace(result, filled=record, unfilled=why)
