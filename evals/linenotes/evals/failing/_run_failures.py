"""Which cases of a run fail, why, and with whose message their failures begin.

Strips and fractions come from the scores that are at hand. What was said is read from the disk, a
case at a time, and only of the worst cases unless all are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from linenotes.evals.failing._case_results import CaseResult, case_results
from linenotes.evals.failing._departures import closest
from linenotes.evals.failing._expected import Unmet, unmet
from linenotes.evals.failing._habits import Habits, habits
from linenotes.evals.failing._suspects import Suspect, suspect
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Sample, SampleKey
from linenotes.evals.journal._tables import is_rate
from linenotes.project import RunError
from linenotes.tracing import Ledger, incidents

WORST_CASES = 20
"""How many cases are looked into unless all are asked for."""
_COMPARED = 10
"""Passing samples of a case that a failing one is compared with."""
_ASKED, _EACH = 10, 3
"""Cases, and passing samples of each, by which it is known how passing samples go."""


@dataclass(frozen=True)
class FailingSample:
    """A sample that failed."""

    sample: int
    trace_id: str | None
    """None where the run does not hold its samples."""
    reason: str
    """What the agent's error or the scorer said, else what was expected; empty if nothing."""
    unmet: Unmet | None
    suspect: Suspect | None
    """None where it cannot be said."""
    beside: int | None
    """The passing sample that is most like it, to be read beside it; None where there is none."""


@dataclass(frozen=True)
class FailingCase:
    """A case of which samples failed."""

    result: CaseResult
    failures: tuple[FailingSample, ...]

    @property
    def suspects(self) -> Counter[str]:
        """Actor to the failures that begin with them."""
        return Counter(one.suspect.actor for one in self.failures if one.suspect)

    @property
    def example(self) -> FailingSample:
        """The failure that is shown: the first that begins as most of them do."""
        usual = next(iter(self.suspects.most_common(1)), ("", 0))[0]
        begins = (one for one in self.failures if one.suspect and one.suspect.actor == usual)
        return next(begins, self.failures[0])


@dataclass(frozen=True)
class RunFailures:
    """The failures of a run by one metric."""

    record: RunRecord
    metric: str
    results: tuple[CaseResult, ...]
    """Of all cases, or of the one that was asked for."""
    cases: tuple[FailingCase, ...]
    """Those that were looked into, the worst first."""

    @property
    def failures(self) -> int:
        """How many samples failed, those of all cases together."""
        return sum(len(one.of(passed=False)) for one in self.results)

    @property
    def told(self) -> int:
        """How many of them were looked into."""
        return sum(len(one.failures) for one in self.cases)

    @property
    def hidden(self) -> int:
        """How many cases with failures were not looked into."""
        return sum(bool(one.of(passed=False)) for one in self.results) - len(self.cases)

    @property
    def suspects(self) -> Counter[str]:
        """Actor to the failures that begin with them."""
        return sum((one.suspects for one in self.cases), Counter[str]())


def run_failures(
    record: RunRecord,
    metric: str | None = None,
    *,
    case: str | None = None,
    most: int | None = WORST_CASES,
) -> RunFailures:
    """Find which cases of a run fail, and with whom their failures begin.

    Args:
        record: the run. Only its own samples are compared with one another.
        metric: passed or failed; by default the run's first one.
        case: the only case to look at.
        most: how many cases are looked into, the worst first; None for all.

    Raises:
        RunError: the run has no such metric or case, or the metric is no share of passes.
    """
    metric = _metric(record, metric)
    everything = results = case_results(record, metric)
    if case is not None:
        results = [one for one in results if one.case == case]
        _require_case(record.plan, case, results)
    worst = sorted((one for one in results if one.of(passed=False)), key=_worst_first)
    usual = _habits(record, metric, everything) if worst else Habits()
    looked_into = tuple(_looked_into(record, metric, one, usual) for one in worst[:most])
    return RunFailures(record, metric, tuple(results), looked_into)


def earlier_habits(store: RunStore, agent: str, metric: str) -> Habits:
    """Return how passing samples of an agent went in its newest run with a metric, if it has one.

    A journal that cannot be read any more tells nothing.
    """
    plans = (plan for plan in reversed(store.plans()) if plan.agent == agent)
    newest = next((plan for plan in plans if metric in plan.metrics), None)
    try:
        record = store.read(newest.run_id) if newest else None
    except RunError:
        return Habits()
    if record is None or metric not in record.plan.metrics or not is_rate(record, metric):
        return Habits()
    return _habits(record, metric, case_results(record, metric))


def samples_of(record: RunRecord, case: str, numbers: Sequence[int]) -> Iterator[Sample]:
    """Yield samples of a case, each read when it is asked for; none of results alone."""
    for number in numbers if record.plan.has_conversations else ():
        if (case, number) in record.samples:
            yield record.samples[case, number]


def _looked_into(record: RunRecord, metric: str, result: CaseResult, usual: Habits) -> FailingCase:
    numbers = result.of(passed=True)[:_COMPARED]
    passing = {one.index: one.ledger for one in samples_of(record, result.case, numbers)}
    failed = [(result.case, number) for number in result.of(passed=False)]
    failures = tuple(_failure(record, metric, key, passing, usual) for key in failed)
    return FailingCase(result, failures)


def _failure(
    record: RunRecord,
    metric: str,
    key: SampleKey,
    passing: Mapping[int, Ledger],
    usual: Habits,
) -> FailingSample:
    said = next((one.rationale for one in record.scores.get(key, ()) if one.name == metric), None)
    error, sample = record.outcomes[key].error, next(samples_of(record, key[0], [key[1]]), None)
    if sample is None:
        return FailingSample(key[1], None, str(error or said or ""), None, None, None)
    ledger, others = sample.ledger, [*passing.values()]
    answer = unmet(sample.expectations, sample.output, metric) if usual.asks and not error else None
    nearest = closest(ledger, others)
    return FailingSample(
        key[1],
        sample.trace_id,
        str(error or said or answer or ""),
        answer,
        suspect(
            ledger,
            others,
            answer,
            raised=_raised(sample) if error else None,
            habits=usual,
        ),
        next((number for number, other in passing.items() if other is nearest), None),
    )


def _raised(sample: Sample) -> str | None:
    """Return in whose hands the agent's error happened, if it was anybody's."""
    return next((one.actor for one in incidents(sample.trace) if one.kind == "error"), None)


def _habits(record: RunRecord, metric: str, results: Sequence[CaseResult]) -> Habits:
    """Read how passing samples go, in those cases that have most of them."""
    most = sorted(results, key=lambda one: -len(one.of(passed=True)))[:_ASKED]
    numbers = {one.case: one.of(passed=True)[:_EACH] for one in most}
    passing = ([*samples_of(record, case, own)] for case, own in numbers.items())
    return habits(passing, metric)


def _metric(record: RunRecord, metric: str | None) -> str:
    run, known = record.plan.run_id[:12], record.plan.metrics
    if not known:
        raise RunError(
            f"Run {run} has no scores. `linenotes score {run} --scorer …` gives it some."
        )
    if metric is not None and metric not in known:
        raise RunError(f"Run {run} has no metric {metric!r}. It has {', '.join(known)}.")
    found = metric or next((one for one in known if is_rate(record, one)), known[0])
    if not is_rate(record, found):
        raise RunError(
            f"{found!r} is not passed or failed, so no sample fails in it. "
            "Name a metric that is: --metric."
        )
    return found


def _require_case(plan: RunPlan, case: str, found: Sequence[CaseResult]) -> None:
    if not found:
        raise RunError(
            f"Run {plan.run_id[:12]} on {plan.dataset.name!r} has no case {case!r}. "
            f"`linenotes failures {plan.run_id[:12]}` lists those that fail."
        )


def _worst_first(one: CaseResult) -> tuple[float, int, str]:
    return one.passed / one.measured, -one.measured, one.case
