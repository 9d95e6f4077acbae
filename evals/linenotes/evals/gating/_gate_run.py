"""Carrying a gate out: sweep after sweep over the cases, until it is decided.

Nothing is run where nothing could differ. Otherwise the candidate, and the base unless it was
measured before, get one more sample of each case at a time, and after each sweep the gate is
looked at. The run ends whole with the samples that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from linenotes.evals._evaluation import Evaluation, Interrupted
from linenotes.evals._report import recording_lines
from linenotes.evals._storing import NotPublished
from linenotes.evals._used_up import BudgetUsedUp
from linenotes.evals.comparing._comparison import compare_on
from linenotes.evals.documents._gate_document import gate_document
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.engine._stop import Stop
from linenotes.evals.failing._beginnings import clear_beginning
from linenotes.evals.gating._gate import Decision
from linenotes.evals.gating._gate_order import GateOrder, GateResult, whole_sweeps
from linenotes.evals.gating._gate_report import headline
from linenotes.evals.gating._kept_gates import gate_begins, gate_ends, stopped_gate
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._spending import Spending
from linenotes.evals.judging._calibrations import judged_metrics, uncalibrated
from linenotes.project import Project, RunError, StoreError
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

    What the store does not take is in the notes: the journal has it, and the decision stands.

    Raises:
        Interrupted: `stop` was asked for; carrying the same gate out goes on with what is kept.
        RunError: the two cannot be compared; nothing was run.
        LinenotesError: something else that the caller can mend; what had finished is kept.
    """
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
        self._refuse_what_cannot_be_compared(plans[-1])
        stopped = None
        if not self._order.fresh:
            stopped = stopped_gate(self._runs, plans, samples=self._order.samples)
        try:
            return self._result(self._executed(stopped))
        except NotPublished as error:
            self._notes.append(str(error))
            return self._result([result.record for result in error.results])
        except BudgetUsedUp:
            self._publish()
            return self._result(self._records(), closed=True)
        except Interrupted as error:
            raise Interrupted(self._how_to_go_on(error)) from None

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
        decision = self._order.decide(records, closed=closed)
        decided = decision.verdict in ("pass", "fail") and not closed
        result = GateResult(
            self._order,
            decision,
            tuple(records),
            ended_by="budget" if closed else "decision" if decided else "samples",
            budget=self._conduct.budget,
            spent=_spent(records),
            uncalibrated=self._uncalibrated(decision),
            lacks_use=self._lacks_use,
            failures_begin=self._failures_begin(decision, records[-1]),
            notes=tuple(self._notes),
        )
        document = gate_document(result, reason=headline(result))
        gate_ends(self._runs, records[-1].plan.run_id, document)
        return result

    def _uncalibrated(self, decision: Decision) -> tuple[str, ...]:
        first = decision.comparisons[0]
        judged = judged_metrics(self._project, (first.base, first.candidate))
        return uncalibrated(judged, [one.metric for one in decision.comparisons])

    def _failures_begin(self, decision: Decision, candidate: RunRecord) -> str | None:
        own, found = set(candidate.plan.metrics), decision.comparisons
        failed = [x.metric for x in found if x.result.verdict == "fail" and x.metric in own]
        quarantine = self._order.quarantine
        deciding = quarantine.without(candidate) if quarantine else candidate
        return clear_beginning(deciding, failed[0]) if failed else None

    def _refuse_what_cannot_be_compared(self, plan: RunPlan) -> None:
        """Find what is wrong before anything is called.

        Raises:
            RunError: a metric is missing, cases have changed, or there is too little to see.
        """
        order = self._order
        if order.samples < order.least_samples:
            raise RunError(
                "One sample a case cannot show the noise on exactly these cases. Take more "
                "(--samples 10), or speak of cases like these (--target population)."
            )
        kept = plan.redacted(self._project.redactor)
        base = order.stored_base or RunRecord(kept)
        compare_on(
            base,
            [RunRecord(kept)],
            order.gate.margins(base.plan),
            target=order.gate.target,
            allow_changed_cases=order.allow_changed_cases,
        )
        if order.stored_base is not None:
            _refuse_thin_base(order, order.stored_base, kept)

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


def _refuse_thin_base(order: GateOrder, base: RunRecord, plan: RunPlan) -> None:
    name, known = order.base.name, {case.id for case in plan.cases}
    samples = [index for case, index in base.outcomes if case in known]
    if not samples:
        raise RunError(
            f"The baseline {name!r} has none of the cases that would be run. "
            f"Save it anew: linenotes gate {plan.agent} --save-baseline {name}."
        )
    if order.gate.target == "dataset" and max(samples) < 1:
        raise RunError(
            f"The baseline {name!r} has one sample a case, which cannot show the noise on "
            "exactly these cases. Save one of several samples, or speak of cases like these: "
            "--target population."
        )


def _spent(records: Sequence[RunRecord]) -> Spending:
    outcomes = (outcome for record in records for outcome in record.outcomes.values())
    return Spending.total(map(Spending.of, outcomes))


def _so_far(decision: Decision) -> str:
    found = decision.comparisons[0]
    if found.result.delta is None:
        return "nothing measured yet"
    scale, unit = (100, " points") if found.is_rate else (1, "")
    return f"{scale * found.result.delta:+.3g}{unit}, not decided"
