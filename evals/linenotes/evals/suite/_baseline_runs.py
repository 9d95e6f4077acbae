"""The run that a gate compares with: a saved baseline, or any run that is named.

It must have been judged by the test as it is now: scores of another test, or of an earlier one of
the name, are measured with another instrument. Where the samples of the run are here, the test
judges them; where only its scores are, nothing can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from linenotes.evals._wording import counted
from linenotes.evals.gating._baselines import OF_TESTS, find_baseline
from linenotes.evals.gating._gate import Gate
from linenotes.evals.journal._instruments import Instrument, instrument_of
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._judging import Body, judge_case
from linenotes.evals.suite._verdicts import Baseline, scored_record
from linenotes.project import Project, RunError


@dataclass(frozen=True)
class _Asked:
    """Which baseline a test is compared with."""

    gate: Gate
    test: GoldenTest
    candidate: RunPlan
    project: Project


def baseline_of(
    gate: Gate, test: GoldenTest, candidate: RunRecord, project: Project, body: Body
) -> Baseline:
    """Return the run that `candidate` is compared with, scored by the same test.

    Raises:
        RunError: there is none, or the test has not judged it and cannot do so now.
    """
    asked = _Asked(gate, test, candidate.plan, project)
    found = _named(asked)
    if gate.metric != test.metric or _is_judged(found.plan, test):
        return Baseline(found)
    whole = found if _can_be_judged(found) else _kept(found, project)
    if whole is None:
        raise RunError(_not_judged(asked, found.plan))
    return Baseline(_judged(whole, test, body), _judged_anew(asked, found))


def name_of_tests(baseline: str) -> str:
    """Return the name under which golden tests keep a baseline."""
    return baseline.removesuffix(OF_TESTS) + OF_TESTS


def _named(asked: _Asked) -> RunRecord:
    """Return the baseline of golden tests, else one of that name, else the run of that name."""
    name, plan, project = asked.gate.baseline, asked.candidate, asked.project
    named = (
        find_baseline(project, one, agent=plan.agent, dataset=plan.dataset.name)
        for one in (name_of_tests(name), name)
    )
    saved = [one for one in named if one is not None]
    scored = [one for one in saved if asked.test.metric in one.plan.metrics]
    if saved:
        return [*scored, *saved][0]
    try:
        return RunStore.of(project).read(name)
    except RunError:
        raise RunError(
            f"There is no baseline {name!r} of {plan.agent} on {plan.dataset.name}, and no such "
            "run. Save this version as it: pytest --update-baseline."
        ) from None


def _is_judged(plan: RunPlan, test: GoldenTest) -> bool:
    return instrument_of(plan, test.metric) == Instrument(test.spec, test.code)


def _can_be_judged(record: RunRecord) -> bool:
    return bool(record.samples) and record.plan.has_conversations


def _kept(saved: RunRecord, project: Project) -> RunRecord | None:
    """Return the run that a baseline was saved from, with its samples; None where it is gone."""
    try:
        found = RunStore.of(project).read(saved.plan.run_id)
    except RunError:
        return None
    was, now = saved.plan, found.plan
    same = (was.fingerprint, was.dataset.digest) == (now.fingerprint, now.dataset.digest)
    if not (same and _can_be_judged(found)) or saved.outcomes.keys() - found.samples.keys():
        return None
    return replace(found, outcomes={key: found.outcomes[key] for key in saved.outcomes})


def _judged(record: RunRecord, test: GoldenTest, body: Body) -> RunRecord:
    samples = [record.samples[key] for key in sorted(record.outcomes)]
    judged = {
        case.id: judge_case(case.id, [s for s in samples if s.case.id == case.id], body).settled()
        for case in record.plan.cases
    }
    return scored_record(record, test, judged)


def _judged_anew(asked: _Asked, found: RunRecord) -> str | None:
    """Say that an edited test has judged the baseline's samples; None of one that never had."""
    if asked.test.metric not in found.plan.metrics:
        return None
    return (
        f"{_edited(asked, found.plan)}, so it has judged the "
        f"{counted(len(found.outcomes), 'sample')} of that run anew. Machines without the run "
        f"cannot do that. {_cure(asked, found.plan)}"
    )


def _not_judged(asked: _Asked, found: RunPlan) -> str:
    name, metric = asked.gate.baseline, asked.test.metric
    run = f"its run {found.run_id[:12]} is not here to be judged anew"
    has = metric in found.metrics
    why = _edited(asked, found) if has else f"The baseline {name!r} has no score {metric!r}"
    return f"{why}, and {run}. {_cure(asked, found)}"


def _edited(asked: _Asked, found: RunPlan) -> str:
    name = asked.gate.baseline
    if asked.test.metric in found.codes:
        return f"The test has changed since it judged the baseline {name!r}"
    return f"Nobody knows by what code of the test the baseline {name!r} was judged"


def _cure(asked: _Asked, base: RunPlan) -> str:
    """Say how the version to beat is judged by the test as it is now."""
    if base.fingerprint == asked.candidate.fingerprint:
        return "Save this version anew: pytest --update-baseline."
    now = asked.candidate
    options = [
        f"--linenotes-prompt {name}={prompt.version}"
        for name, prompt in base.prompts.items()
        if name not in now.prompts or now.prompts[name].text != prompt.text
    ]
    options += [
        f"--linenotes-model {role}={model.model}"
        for role, model in base.models.items()
        if role not in now.models or now.models[role].model != model.model
    ]
    how = f" {' '.join(options)}" if options else f", with the code of {base.version} in place"
    return (
        f"Judge the version to beat anew, from recordings where there are some: pytest "
        f"--update-baseline{how}."
    )
