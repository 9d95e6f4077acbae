"""Carrying a gate out: sweep after sweep over the cases, until it is decided.

Nothing is run where nothing could differ. Otherwise the candidate, and the base unless it was
measured before, get one more sample of each case at a time, and after each sweep the gate is
looked at. The run ends whole with the samples that it has. A pass that stopped early and is to
become a baseline gets its other samples afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from linenotes.evals._evaluation import Evaluation, Interrupted
from linenotes.evals._report import recording_lines
from linenotes.evals._storing import NotPublished
from linenotes.evals._used_up import BudgetUsedUp
from linenotes.evals._wording import signed
from linenotes.evals.documents._gate_document import gate_document
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.engine._stop import Stop
from linenotes.evals.gating._filling import filled_up
from linenotes.evals.gating._gate import Decision
from linenotes.evals.gating._gate_checks import refuse_what_cannot_be_compared
from linenotes.evals.gating._gate_order import GateOrder, whole_sweeps
from linenotes.evals.gating._gate_report import headline
from linenotes.evals.gating._gate_result import GateResult, expired
from linenotes.evals.gating._kept_gates import KeptGate, gate_begins, gate_ends, kept_gate
from linenotes.evals.gating._remarks import failures_begin, unchecked
from linenotes.evals.history._quarantine import deciding
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._spending import Spending
from linenotes.project import Project, StoreError
from linenotes.tracing import RecordingPolicy


def run_gate(
    order: GateOrder,
    project: Project,
    conduct: Conduct = Conduct(),  # noqa: B008  it is immutable
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> GateResult:
    """Carry a gate out, and return what it says.

    What the store does not take is in the notes: the journal has it, and the decision stands. So
    is what keeps a pass from becoming a baseline. Where a quarantine has expired it fails at once.

    Raises:
        Interrupted: `stop` was asked for; carrying the same gate out goes on with what is kept.
        RunError: the two cannot be compared; nothing was run.
        LinenotesError: something else that the caller can mend; what had finished is kept.
    """
    if (failed := expired(order)) is not None:
        return failed
    if order.is_unchanged and not order.fresh:
        return GateResult(order, Decision(order.gate, "unchanged"), ended_by="nothing to decide")
    return _GateRun(order, project, conduct, progress or Silent(), stop or Stop()).carry_out()


class _GateRun:
    def __init__(
        self, order: GateOrder, project: Project, conduct: Conduct, progress: Progress, stop: Stop
    ) -> None:
        self._order = order
        self._project = project
        self._conduct = conduct
        self._progress = progress
        self._stop = stop
        self._runs = RunStore.of(project)
        self._run_ids: list[str] = []
        self._notes: list[str] = []
        self._lacks_use = False

    def carry_out(self) -> GateResult:
        plans = self._order.plans(self._conduct.recordings or RecordingPolicy.of(self._project))
        refuse_what_cannot_be_compared(self._order, plans[-1].redacted(self._project.redactor))
        before = None if self._order.fresh else kept_gate(self._runs, plans)
        result = self._passed(before) if before and self._order.saves else None
        if result is None:
            result = self._decided(before)
        if not (self._order.saves and result.decision.verdict == "pass" and result.stopped_early):
            return result
        return filled_up(result, self._evaluation, self._runs, self._progress)

    def _passed(self, before: KeptGate) -> GateResult | None:
        """Return what a gate has said that was stopped on its way from a pass to a baseline.

        It has to say the same again: with other criteria, or another base, it is another gate.
        """
        if not before.is_to_be_saved:
            return None
        result = self._reached(before.as_decided())
        again, said = gate_document(result, reason=""), before.said
        if any(again[key] != said.get(key) for key in ("verdict", "planned", "metrics")):
            return None
        self._progress.note(f"This gate has passed: run {before.run_id} goes on to its baseline.")
        return result

    def _decided(self, before: KeptGate | None) -> GateResult:
        stopped = before if before and before.was_stopped(self._order.samples) else None
        if before is not None and self._ended_by_budget(before):
            note = (
                f"The same gate was ended by its budget before, and has decided (run "
                f"{before.run_id}): this one starts anew."
            )
            self._progress.note(note)
            self._notes.append(note)
        try:
            return self._result(self._executed(stopped.plan if stopped else None))
        except NotPublished as error:
            self._notes.append(str(error))
            return self._result([result.record for result in error.results])
        except BudgetUsedUp:
            self._publish()
            return self._result(self._records(), closed=True)
        except Interrupted as error:
            raise Interrupted(self._how_to_go_on(error)) from None

    def _ended_by_budget(self, before: KeptGate) -> bool:
        said, order = before.said, self._order
        asked = (order.base.name, order.gate.target, order.gate.allowed)
        same = (said.get("baseline"), said.get("target"), said.get("margin")) == asked
        return same and said.get("ended_by") == "budget"

    def _executed(self, stopped: RunPlan | None) -> list[RunRecord]:
        order = self._order
        if stopped is not None:
            self._progress.note(f"This gate was stopped: run {stopped.run_id[:12]} goes on.")
            results = self._evaluation.resume(stopped.run_id, next_sweep=self._next_sweep)
        else:
            results = self._evaluation.run(
                order.arms,
                order.dataset,
                order.scorers,
                seed=order.seed,
                next_sweep=self._next_sweep,
            )
        self._notes += recording_lines(results)
        self._lacks_use = any(result.lacks_use for result in results)
        return [result.record for result in results]

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(
            self._project,
            self._conduct,
            target=self._order.gate.target,
            progress=self._progress,
            stop=self._stop,
        )

    def _next_sweep(self, records: Sequence[RunRecord]) -> int | None:
        """Look at what there is, and return the samples that the next look needs."""
        if not self._run_ids:
            self._run_ids = [record.plan.run_id for record in records]
            gate_begins(self._runs, self._run_ids[-1])
        reached, asked = whole_sweeps(records), records[-1].plan.samples
        if reached < asked:
            return asked
        decision = self._order.decide(records)
        if decision.verdict in ("pass", "fail"):
            return None
        later = [k for k in self._order.looks if k > reached]
        if later:
            self._progress.note(f"K={reached}: {_so_far(decision)}; K={later[0]} follows.")
        return later[0] if later else None

    def _result(self, records: Sequence[RunRecord], *, closed: bool = False) -> GateResult:
        result = self._reached(records, closed=closed)
        document = gate_document(result, reason=headline(result))
        saves = self._order.saves and result.decision.verdict == "pass"
        gate_ends(self._runs, records[-1].plan.run_id, document, to_be_saved=saves)
        return result

    def _reached(self, records: Sequence[RunRecord], *, closed: bool = False) -> GateResult:
        decision = self._order.decide(records, closed=closed)
        decided = decision.verdict in ("pass", "fail") and not closed
        return GateResult(
            self._order,
            decision,
            tuple(records),
            ended_by="budget" if closed else "decision" if decided else "samples",
            budget=self._conduct.budget,
            spent=_spent(records),
            uncalibrated=unchecked(self._project, decision),
            lacks_use=self._lacks_use,
            failures_begin=failures_begin(decision, deciding(records[-1], self._order.quarantine)),
            notes=tuple(self._notes),
        )

    def _records(self) -> list[RunRecord]:
        return [self._runs.read(run_id) for run_id in self._run_ids]

    def _publish(self) -> None:
        """Write what was measured within the budget to the store, as far as it takes it."""
        for run_id in self._run_ids:
            try:
                self._evaluation.publish(run_id)
            except StoreError as error:
                self._notes.append(str(error))

    def _how_to_go_on(self, error: Interrupted) -> str:
        if not self._run_ids:
            return str(error)
        kept = sum(len(record.outcomes) for record in self._records())
        return f"Stopped: {kept} samples are kept. The same `linenotes gate` goes on with them."


def _spent(records: Sequence[RunRecord]) -> Spending:
    outcomes = (outcome for record in records for outcome in record.outcomes.values())
    return Spending.total(map(Spending.of, outcomes))


def _so_far(decision: Decision) -> str:
    found = decision.comparisons[0]
    if found.result.delta is None:
        return "nothing measured yet"
    unit = " points" if found.is_rate else ""
    return f"{signed(found.result.delta, rate=found.is_rate)}{unit}, not decided"
