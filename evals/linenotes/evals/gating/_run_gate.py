"""A gate on a run that is there already, decided once by all of its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals._repeats import repeats
from linenotes.evals._results import RunResult, estimate_all
from linenotes.evals.gating._gate import Decision, decide
from linenotes.evals.gating._gate_checks import refuse_thin_runs
from linenotes.evals.gating._gate_result import GateResult, expired
from linenotes.evals.gating._kept_gates import stopped_by_a_gate
from linenotes.evals.gating._remarks import failures_begin, unchecked
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.history._quarantine import deciding
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.publishing._publisher import Stored
from linenotes.project import Project

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


def decide_run(order: RunOrder, project: Project) -> GateResult:
    """Return what a gate says of a run; nothing is executed.

    Raises:
        RunError: the two cannot be compared.
    """
    if (failed := expired(order)) is not None:
        return failed
    if order.is_unchanged:
        return GateResult(order, Decision(order.gate, "unchanged"), ended_by="nothing to decide")
    refuse_thin_runs(order)
    base, candidate = (deciding(run, order.quarantine) for run in (order.stored_base, order.record))
    decision = decide(order.gate, base, candidate, allow_changed_cases=order.allow_changed_cases)
    looked_at = stopped_by_a_gate(RunStore.of(project), order.record)
    return GateResult(
        order,
        decision,
        (order.record,),
        ended_by="samples",
        uncalibrated=unchecked(project, decision),
        failures_begin=failures_begin(decision, candidate),
        notes=(looked_at,) if looked_at else (),
    )


def stored_result(record: RunRecord, target: Target) -> RunResult:
    """Return what a run has measured that is there already."""
    return RunResult(record, estimate_all(record, target), Stored(0, 0), repeats(record))
