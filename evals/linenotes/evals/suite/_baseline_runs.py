"""The run that a gate compares with: a saved baseline, or any run that is named."""

from __future__ import annotations

from linenotes.evals.gating._baselines import find_baseline
from linenotes.evals.gating._gate import Gate
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._judging import Body, judge_case
from linenotes.evals.suite._verdicts import scored_record
from linenotes.project import Project, RunError


def baseline_of(
    gate: Gate, test: GoldenTest, candidate: RunRecord, project: Project, body: Body
) -> RunRecord:
    """Return the run that `candidate` is compared with, scored by the same test.

    A run whose samples are kept is judged here; a saved baseline has only the scores that it was
    saved with.

    Raises:
        RunError: there is none, or the test's metric is not among its scores.
    """
    found = _named(gate.baseline, candidate, project)
    if gate.metric != test.metric or test.metric in found.plan.metrics:
        return found
    if not found.samples:
        raise RunError(
            f"Baseline {gate.baseline!r} has no score {test.metric!r}: it was saved before the "
            "test was there. Save it anew with a version to beat: pytest --update-baseline."
        )
    return _judged(found, test, body)


def _named(name: str, candidate: RunRecord, project: Project) -> RunRecord:
    plan = candidate.plan
    saved = find_baseline(project, name, agent=plan.agent, dataset=plan.dataset.name)
    if saved is not None:
        return saved
    try:
        return RunStore.of(project).read(name)
    except RunError:
        raise RunError(
            f"There is no baseline {name!r} of {plan.agent} on {plan.dataset.name}, and no such "
            "run. Save this version as it: pytest --update-baseline."
        ) from None


def _judged(record: RunRecord, test: GoldenTest, body: Body) -> RunRecord:
    samples = [record.samples[key] for key in sorted(record.outcomes)]
    judged = {
        case.id: judge_case(case.id, [s for s in samples if s.case.id == case.id], body).settled()
        for case in record.plan.cases
    }
    return scored_record(record, test, judged)
