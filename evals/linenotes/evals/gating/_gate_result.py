"""What a gate has said, and what it took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from linenotes.evals.comparing._completion import deciding_table
from linenotes.evals.engine._budget import Budget
from linenotes.evals.gating._gate import Decision
from linenotes.evals.gating._gate_order import GateOrder, whole_sweeps
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.history._quarantine import deciding
from linenotes.evals.journal._records import Depth, RunRecord
from linenotes.evals.journal._spending import Spending
from linenotes.project import LinenotesError

EndedBy = Literal["decision", "samples", "budget", "nothing to decide", "expired quarantine"]
"""Why a gate took no more samples."""


@dataclass(frozen=True)
class GateResult:
    """What a gate has said, and what it took."""

    order: GateOrder | RunOrder
    decision: Decision
    records: tuple[RunRecord, ...] = ()
    """What was run, as the decision saw it: the candidate last; nothing where nothing was run."""
    ended_by: EndedBy = "decision"
    budget: Budget = field(default_factory=Budget)
    spent: Spending = field(default_factory=Spending)
    """By the end of the gate, whatever came after the decision."""
    uncalibrated: tuple[str, ...] = ()
    """Metrics whose judge nobody has held against people's labels."""
    lacks_use: bool = False
    """Whether recordings were to be used strictly, and some were not."""
    failures_begin: str | None = None
    """With whom most of the candidate's failures begin, where it failed and that is clear."""
    notes: tuple[str, ...] = ()
    """What a user should know of how it was carried out."""
    filled: RunRecord | None = None
    """The candidate with the samples that it got after it had passed early, so that it can be a
    baseline; None where it got none."""
    unfilled: LinenotesError | None = None
    """Why it did not get all of them, although it was to become a baseline."""

    @property
    def candidate(self) -> RunRecord | None:
        """The candidate's run; None where nothing was run."""
        return self.records[-1] if self.records else None

    @property
    def samples(self) -> int:
        """K: the samples that each case had when it was decided."""
        return whole_sweeps(self.records)

    @property
    def stopped_early(self) -> bool:
        """Whether it was decided before all samples that it might have taken."""
        return self.ended_by == "decision" and self.samples < self.order.samples

    @property
    def filled_samples(self) -> int:
        """How many samples the candidate got after the decision."""
        if self.filled is None or self.candidate is None:
            return 0
        return len(self.filled.outcomes) - len(self.candidate.outcomes)

    @property
    def spent_in_all(self) -> Spending:
        """What was spent, also after the decision."""
        if self.filled is None or self.candidate is None:
            return self.spent
        known, outcomes = self.candidate.outcomes, self.filled.outcomes
        later = (Spending.of(one) for key, one in outcomes.items() if key not in known)
        return self.spent + Spending.total(later)

    def depth(self, metric: str) -> Depth:
        """Return how many samples decided: K of a look, or of the cases of a run that was there."""
        for one, looks in zip(self.decision.comparisons, self.decision.looks, strict=False):
            if one.metric == metric:
                return Depth(looks.samples, looks.samples)
        assert self.candidate is not None
        assert self.order.stored_base is not None
        return self._depth(metric, self.candidate, self.order.stored_base)

    def base_depth(self, metric: str) -> Depth | None:
        """Return the same of a stored base; None for one that got its samples with the candidate.

        Cases count that both have, with the samples of theirs that have a score.
        """
        base = self.order.stored_base
        if base is None or self.candidate is None:
            return None
        return self._depth(metric, base, self.candidate)

    def _depth(self, metric: str, record: RunRecord, other: RunRecord) -> Depth:
        runs = [deciding(one, self.order.quarantine) for one in (record, other)]
        own, theirs = ([*deciding_table(one, metric, beside=runs)["case"]] for one in runs)
        shared = {*theirs}
        counts = Counter(case for case in own if case in shared).values()
        return Depth(min(counts, default=0), max(counts, default=0))


def expired(order: GateOrder | RunOrder) -> GateResult | None:
    """Return the failure of a gate on whose dataset a quarantine has expired; else None."""
    problems = order.quarantine.problems if order.quarantine else ()
    if not problems:
        return None
    return GateResult(
        order, Decision(order.gate, "fail", notes=problems), ended_by="expired quarantine"
    )
