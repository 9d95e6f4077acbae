"""The verdict of a golden test: what was asked beforehand, and what the cases say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from linenotes.evals._wording import counted, named
from linenotes.evals.comparing._comparison import GateVerdict, RunComparison, worst
from linenotes.evals.comparing._comparison_report import power
from linenotes.evals.comparing._comparison_report import verdict as sentence
from linenotes.evals.comparing._differences import told_differences
from linenotes.evals.gating._gate import Decision, Gate, decide
from linenotes.evals.history._quarantine import Quarantine
from linenotes.evals.journal._instruments import instrument_of
from linenotes.evals.journal._plans import Amendment, RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey, Score, ScoreValue
from linenotes.evals.journal._tables import score_table
from linenotes.evals.suite._golden import Golden
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._judging import CaseJudgement
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import Estimate, Target


@dataclass(frozen=True)
class Baseline:
    """The run that is compared with."""

    record: RunRecord
    """Scored by the same test."""
    note: str | None = None
    """What to know of how it was scored."""


@dataclass(frozen=True)
class Verdict:
    """What a golden test says of the version that ran."""

    word: GateVerdict
    fails: bool
    """Whether it fails the session."""
    reasons: tuple[str, ...]
    estimate: Estimate
    """The pass rate."""
    record: RunRecord
    """The run with the test's metric alone."""
    deciding: RunRecord
    """The same without the cases in quarantine."""
    comparisons: tuple[RunComparison, ...] = ()
    """With the baseline: the gate's metric, then its guardrails."""
    base: RunRecord | None = None
    """The run of the baseline, without those either."""
    gate: Gate | None = None
    """What it was compared by."""


def scored_record(
    record: RunRecord, test: GoldenTest, judged: Mapping[str, CaseJudgement]
) -> RunRecord:
    """Return the run with what the test says as its only metric."""
    scores: dict[SampleKey, tuple[Score, ...]] = {}
    for case in judged.values():
        for one in case.of_samples:
            score = one.score(test.metric)
            if score is not None:
                scores[case.case, one.index] = (score,)
    codes = {} if test.code is None else {test.metric: test.code}
    plan = record.plan.amended(Amendment(scorers={test.metric: test.spec}, codes=codes))
    return replace(record, plan=plan, scores=scores)


def reach(
    test: GoldenTest,
    record: RunRecord,
    judged: Mapping[str, CaseJudgement],
    *,
    target: Target,
    quarantine: Quarantine,
    gate: Gate | None = None,
    base: Baseline | RunError | None = None,
) -> Verdict:
    """Return the verdict of a test on a run.

    Args:
        test: the test.
        record: the run with the test's metric.
        judged: what it says of each case.
        target: what the interval of the pass rate speaks of.
        quarantine: the cases that do not decide.
        gate: what must hold against `base`; None where nothing is compared.
        base: the run of the baseline, with the same metric, or why there is none.
    """
    from linenotes.evals.statistics import estimate

    deciding = quarantine.without(record)
    against = quarantine.without(base.record) if isinstance(base, Baseline) else None
    found = estimate(score_table(deciding, test.metric), target=target)
    cases = [case for case in judged.values() if case.case not in quarantine.cases]
    decision = _decision(gate, against, deciding) if gate and against else None
    if decision and isinstance(base, Baseline) and base.note:
        decision = replace(decision, notes=(*decision.notes, base.note))
    lacking = base if isinstance(base, RunError) else None
    of_run = (_of_gate(decision, lacking), _of_execution(record), _of_quarantine(quarantine))
    criteria = _criteria(test.declared, cases, found, of_run)
    asked = [word for word, _, _ in criteria if word is not None]
    why = [line for _, _, lines in criteria for line in lines]
    return Verdict(
        word=worst(asked) if asked else "pass",
        fails=any(fails for _, fails, _ in criteria),
        reasons=(*why, *_gaps(cases), *quarantine.told(judged)),
        estimate=found,
        record=record,
        deciding=deciding,
        comparisons=decision.comparisons if decision else (),
        base=against,
        gate=gate,
    )


def metric_gate(gate: Gate, metric: str, *, family: int) -> Gate:
    """Return a gate on the test's metric, unless it names another, as one of `family` or more."""
    return replace(gate, metric=gate.metric or metric, family=max(family, gate.family))


_Word = tuple[GateVerdict | None, bool, tuple[str, ...]]
"""The verdict by one criterion, None where it is not asked for; whether it fails; and why."""


def _criteria(
    declared: Golden, cases: Sequence[CaseJudgement], found: Estimate, of_run: Sequence[_Word]
) -> Sequence[_Word]:
    """Return what each criterion says; of nothing measured, that alone."""
    if found.mean is None:
        return [("cannot measure", True, ("No sample could be measured.",))]
    return [_of_cases(declared, cases), _of_rate(declared, found), *of_run]


def _of_cases(declared: Golden, cases: Sequence[CaseJudgement]) -> _Word:
    bad: dict[Literal["any", "all"], tuple[set[str], str]] = {
        "any": ({"failing"}, "pass in no sample"),
        "all": ({"failing", "unstable"}, "do not pass in every sample"),
    }
    if declared.of_each_case is None:
        return None, False, ()
    status, how = bad[declared.of_each_case]
    wrong = [case for case in cases if case.status in status]
    if not wrong:
        return "pass", False, ()
    shown = named([f"{case.case} {case.fraction}" for case in wrong])
    return "fail", True, (f"{len(wrong)} of {counted(len(cases), 'case')} {how}: {shown}.",)


def _of_rate(declared: Golden, found: Estimate) -> _Word:
    asked = declared.rate
    if asked is None:
        return None, False, ()
    wanted = f"a pass rate of {100 * asked:.0f}%"
    if found.high is not None and found.high < asked:
        return "fail", True, (f"The pass rate is shown to be below {100 * asked:.0f}%.",)
    if found.low is not None and found.low >= asked:
        return "pass", False, (f"At least {wanted} is shown.",)
    return "inconclusive", False, (f"Neither is {wanted} shown, nor that it is missed.",)


def _of_gate(decision: Decision | None, lacking: RunError | None) -> _Word:
    if decision is not None:
        return decision.verdict, decision.exit_code != 0, _explained(decision)
    if lacking is not None:
        return "cannot measure", True, (str(lacking),)
    return None, False, ()


def _of_execution(record: RunRecord) -> _Word:
    if record.is_whole:
        return None, False, ()
    wanted = len(record.plan.cases) * record.plan.samples
    missing = f"Only {len(record.outcomes)} of {counted(wanted, 'sample')} were executed."
    return "cannot measure", True, (missing,)


def _of_quarantine(quarantine: Quarantine) -> _Word:
    """Fail while one has expired; which, is told with the cases that it holds."""
    return ("fail", True, ()) if quarantine.expired else (None, False, ())


def _decision(gate: Gate, base: RunRecord, candidate: RunRecord) -> Decision:
    if _is_unchanged(base, candidate):
        why = (
            "Same prompts, models, graph and data as the baseline, judged by the same test, and no "
            "call was made."
        )
        return Decision(gate, "unchanged", notes=(why,))
    return decide(gate, base, candidate)


def _is_unchanged(base: RunRecord, candidate: RunRecord) -> bool:
    """Tell whether nothing differs that could have come out otherwise.

    Calls that are made now may: models drift behind their names.
    """
    was, now = base.plan, candidate.plan
    replayed = all(outcome.replayed == outcome.calls for outcome in candidate.outcomes.values())
    same = was.fingerprint == now.fingerprint and was.dataset.digest == now.dataset.digest
    same_test = all(instrument_of(was, one) == instrument_of(now, one) for one in now.metrics)
    return same and replayed and same_test and _scores(base, now) == _scores(candidate, now)


def _scores(record: RunRecord, plan: RunPlan) -> list[tuple[SampleKey, str, ScoreValue | None]]:
    return sorted(
        (key, score.name, score.value)
        for key, scores in record.scores.items()
        for score in scores
        if score.name in plan.metrics
    )


def _explained(decision: Decision) -> tuple[str, ...]:
    told = [sentence(one) for one in decision.comparisons]
    told += [f"Differs: {told_differences(x.base, x.candidate)}." for x in decision.comparisons[:1]]
    told += [power(one) for one in decision.comparisons[:1]]
    return tuple(line for line in (*told, *decision.notes) if line)


def _gaps(cases: Sequence[CaseJudgement]) -> tuple[str, ...]:
    """Say what is missing from the verdict."""
    kinds = Counter(one.kind for case in cases for one in case.of_samples)
    lost = [case.case for case in cases if case.status == "lost"]
    lines = []
    if kinds["lost"]:
        lines.append(f"{counted(kinds['lost'], 'sample')} lost to the infrastructure.")
    if lost:
        lines.append(f"{counted(len(lost), 'case')} without a sample, left out: {named(lost)}.")
    if kinds["broken"]:
        lines.append(f"Not counted: {counted(kinds['broken'], 'sample')} on which the test broke.")
    return tuple(lines)
