"""An A/A check of a stored run, or of all samples of a version, and what it says as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals._wording import SPEAKS_OF, counted, named, sized
from linenotes.evals.history._quarantine import Quarantine
from linenotes.evals.history._version_history import VersionHistory
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import SelfCheck, Target


@dataclass(frozen=True)
class RunSelfCheck:
    """What a gate on one metric does when nothing has changed."""

    history: VersionHistory
    result: SelfCheck
    quarantined: tuple[str, ...] = ()
    """Cases that are left out, as a gate leaves them out."""

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 as designed, 1 too many alarms, 2 or 3 not to be said."""
        if self.result.false_alarms is None:
            return 2
        return {"as designed": 0, "too many alarms": 1, "too few samples to say": 3}[
            self.result.finding
        ]


def check_gate(
    history: VersionHistory,
    *,
    target: Target,
    margin: float,
    samples: int | None = None,
    quarantine: Quarantine | None = None,
) -> RunSelfCheck:
    """Split the samples of a version at random, and compare the halves as a gate would.

    Args:
        history: one run, or all of a version.
        target: what the gate speaks of.
        margin: its margin, in the metric's own unit.
        samples: how many samples of a case a half has; None for half of what there is.
        quarantine: cases that do not gate.

    Raises:
        RunError: nothing was scored, or so few samples a half cannot be compared.
    """
    from linenotes.evals.statistics import self_check

    scores, held = history.scores(), frozenset[str]()
    if quarantine is not None:
        held = quarantine.cases & set(scores["case"])
        scores = quarantine.scores_without(scores)
    if not len(scores):
        raise RunError(f"Run {history.latest.plan.run_id[:12]} has no scored sample to split.")
    try:
        found = self_check(scores, target=target, margin=margin, samples=samples)
    except ValueError as error:
        raise RunError(str(error)) from None
    return RunSelfCheck(history, found, tuple(sorted(held)))


def self_check_lines(check: RunSelfCheck) -> list[str]:
    """Return the check, line by line."""
    found, history = check.result, check.history
    plan = history.latest.plan
    told = [
        f"{plan.agent} {plan.version} on {plan.dataset.name}, {history.metric}: "
        f"{_cases(found)} of {counted(len(history.runs), 'run')}",
        f"speaks of  {SPEAKS_OF[found.target]}",
        "",
    ]
    told += _measured(check) if found.false_alarms is not None else _unmeasured(check)
    if check.quarantined:
        cases = counted(len(check.quarantined), "case")
        told.append(f"{cases} in quarantine, left out: {named(check.quarantined)}.")
    return [*told, *history.notes]


def _cases(found: SelfCheck) -> str:
    clusters = "" if found.n_clusters is None else f" in {counted(found.n_clusters, 'cluster')}"
    return counted(found.n_cases, "case") + clusters


def _unmeasured(check: RunSelfCheck) -> list[str]:
    cure = "take more: linenotes eval --resume RUN --samples K"
    if check.result.target == "dataset":
        cure += ", or --target population, which takes half as many"
    return [f"CANNOT MEASURE. {' '.join(check.result.notes)} So {cure}.", *_left_out(check.result)]


def _measured(check: RunSelfCheck) -> list[str]:
    found, rate = check.result, check.history.is_rate
    assert found.false_alarms is not None
    assert found.low is not None
    assert found.high is not None
    assert found.passes is not None
    undecided = 1 - found.passes - found.false_alarms
    alarms = (
        f"{found.finding.upper()}. Nothing has changed between two halves, and the gate says fail "
        f"in {_percent(found.false_alarms)} of {found.splits:,} splits (95% {_percent(found.low)} "
        f"to {_percent(found.high)}; designed for at most {_percent(found.nominal)}), pass in "
        f"{_percent(found.passes, 0)}, inconclusive in {_percent(undecided, 0)}."
    )
    return [
        alarms,
        _detects(found, rate=rate),
        *_left_out(found),
    ]


def _detects(found: SelfCheck, *, rate: bool) -> str:
    low, high = found.samples
    halves = f"{low}" if low == high else f"{low} to {high}"
    at = f"with halves of {halves} samples a case and a margin of {sized(found.margin, rate=rate)}"
    if found.detects is None:
        return f"It detects no drop with 80% power, {at}: add cases or samples."
    drop = sized(found.detects, rate=rate)
    return f"The smallest drop that it detects with 80% power is {drop}, {at}."


def _left_out(found: SelfCheck) -> list[str]:
    if not found.left_out:
        return []
    cases = counted(len(found.left_out), "case")
    return [f"{cases} with too few samples to split, left out: {named(found.left_out)}."]


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f}%"
