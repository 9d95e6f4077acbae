"""What makes a gate impossible, found before anything is called."""

from __future__ import annotations

from linenotes.evals.comparing._comparison import compare_on
from linenotes.evals.gating._gate_order import GateOrder
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.project import RunError


def refuse_what_cannot_be_compared(order: GateOrder, plan: RunPlan) -> None:
    """Refuse a gate that could say nothing; `plan` is the candidate's, as the journal keeps it.

    Raises:
        RunError: a metric is missing, cases have changed, or there is too little to see.
    """
    if order.samples < order.least_samples:
        raise RunError(
            "One sample a case cannot show the noise on exactly these cases. Take more "
            "(--samples 10), or speak of cases like these (--target population)."
        )
    base = order.stored_base or RunRecord(plan)
    compare_on(
        base,
        [RunRecord(plan)],
        order.gate.margins(base.plan),
        target=order.gate.target,
        allow_changed_cases=order.allow_changed_cases,
    )
    if order.stored_base is not None:
        _refuse_another_suite(order, order.stored_base, plan)
        _refuse_single_samples(order, order.stored_base, f"The baseline {order.base.name!r}", plan)


def refuse_thin_runs(order: RunOrder) -> None:
    """Refuse runs that cannot show the noise on exactly these cases.

    Raises:
        RunError: one of them has a single sample a case.
    """
    plan = order.record.plan
    _refuse_single_samples(order, order.record, f"Run {plan.run_id[:12]}", plan)
    _refuse_single_samples(order, order.stored_base, f"The baseline {order.base.name!r}", plan)


def _refuse_another_suite(order: GateOrder, base: RunRecord, plan: RunPlan) -> None:
    known, name = {case.id for case in plan.cases}, order.base.name
    if not any(case in known for case, _ in base.outcomes):
        raise RunError(
            f"The baseline {name!r} has none of the cases that would be run. "
            f"Save it anew: linenotes gate {plan.agent} --save-baseline {name}."
        )


def _refuse_single_samples(
    order: GateOrder | RunOrder, record: RunRecord, name: str, plan: RunPlan
) -> None:
    known = {case.id for case in plan.cases}
    samples = [index for case, index in record.outcomes if case in known]
    if order.gate.target == "dataset" and max(samples, default=1) < 1:
        raise RunError(
            f"{name} has one sample a case, which cannot show the noise on exactly these cases. "
            "Measure one of several samples, or speak of cases like these: --target population."
        )
