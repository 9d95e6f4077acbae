"""Which cases of a version are flaky: their classes, what is new, and what is in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.history._quarantine import Quarantine, QuarantinedCase
from linenotes.evals.history._version_history import VersionHistory
from linenotes.evals.journal._tables import score_table
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.journal._records import RunRecord
    from linenotes.evals.statistics import BetaPrior, CaseClass, CaseStability, ChangedCase


@dataclass(frozen=True)
class FlakyCase:
    """One case, over all its samples."""

    stability: CaseStability
    samples: tuple[tuple[bool | None, ...], ...]
    """For each run, oldest first, whether each sample passed; None for one without a score."""
    changed: ChangedCase | None
    """How it differs from its own history; None where that is not shown."""
    quarantined: QuarantinedCase | None
    """Its entry, also when that has expired."""

    @property
    def case(self) -> str:
        """The id of the case."""
        return self.stability.case


@dataclass(frozen=True)
class FlakyReport:
    """The cases of one version, those that call for somebody first."""

    history: VersionHistory
    prior: BetaPrior
    cases: tuple[FlakyCase, ...]
    quarantine: Quarantine

    @property
    def changed(self) -> tuple[FlakyCase, ...]:
        """The cases that are newly unlike their history, the clearest first."""
        return tuple(case for case in self.cases if case.changed)

    def of(self, kind: CaseClass) -> tuple[FlakyCase, ...]:
        """Return the cases of one class."""
        return tuple(case for case in self.cases if case.stability.kind == kind)


def flaky_report(history: VersionHistory, quarantine: Quarantine) -> FlakyReport:
    """Measure how stable each case of a version is.

    Raises:
        RunError: the metric is not a share of passes, or nothing was scored.
    """
    from linenotes.evals.statistics import case_stability, changed_cases, fit_prior

    scores = history.scores()
    run = history.latest.plan.run_id[:12]
    if not len(scores):
        raise RunError(f"Run {run} has no scored sample. `linenotes eval --resume {run}` goes on.")
    if not history.is_rate:
        raise RunError(
            f"{history.metric!r} is not passed or failed, so no case can be flaky in it. "
            "Name a metric that is: --metric."
        )
    prior = fit_prior(scores)
    changes = changed_cases(history.earlier_scores(), history.latest_scores())
    changed = {one.case: one for one in changes}
    entries = {one.case: one for one in quarantine.entries}
    passes = [_passes(run, history) for run in history.runs]
    cases = [
        FlakyCase(
            stability=one,
            samples=tuple(_of_case(found, one.case) for found in passes),
            changed=changed.get(one.case),
            quarantined=entries.get(one.case),
        )
        for one in case_stability(scores, prior=prior)
    ]
    return FlakyReport(history, prior, tuple(sorted(cases, key=_urgency)), quarantine)


_Passes = dict[tuple[str, int], bool | None]


def _passes(run: RunRecord, history: VersionHistory) -> _Passes:
    found: _Passes = dict.fromkeys(run.outcomes)
    scores = score_table(run, history.metric, beside=history.runs)
    keys = zip(scores["case"], scores["sample"], strict=True)
    return found | {k: value == 1 for k, value in zip(keys, scores["value"], strict=True)}


def _of_case(passes: _Passes, case: str) -> tuple[bool | None, ...]:
    return tuple(passes[key] for key in sorted(key for key in passes if key[0] == case))


def _urgency(one: FlakyCase) -> tuple[float, int, str]:
    order: tuple[CaseClass, ...] = ("flaky", "stable fail", "unknown", "stable pass")
    return (one.changed.p if one.changed else 2.0, order.index(one.stability.kind), one.case)
