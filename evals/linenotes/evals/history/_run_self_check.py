"""An A/A check of a stored run, or of all samples of a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        if self.result.gate is None:
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
    """Split the samples of a version at random, and put the gate between the halves.

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
