"""A gate on a run that is there: nothing is executed, and all of its samples decide once."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.evals.comparing._candidate_reports import scored_alike
from linenotes.evals.comparing._differences import behave_alike
from linenotes.evals.gating._bases import StoredBase
from linenotes.evals.gating._gate import Gate
from linenotes.evals.gating._gated import Gated
from linenotes.evals.history._quarantine import Quarantine
from linenotes.evals.journal._records import RunRecord


@dataclass(frozen=True)
class RunOrder:
    """A gate, and the run that it is about, such as results that were measured elsewhere."""

    gate: Gate
    base: StoredBase
    record: RunRecord
    """The candidate."""
    allow_changed_cases: bool = False
    """Compare although cases of one id have other inputs or expectations."""
    quarantine: Quarantine | None = None
    """Cases that do not decide."""

    @property
    def gated(self) -> Gated:
        """The candidate and the cases."""
        plan = self.record.plan
        return Gated(
            agent=plan.agent,
            version=plan.version,
            fingerprint=plan.fingerprint,
            dataset=plan.dataset.name,
            digest=plan.dataset.digest,
            cases=tuple(case.id for case in plan.cases),
        )

    @property
    def stored_base(self) -> RunRecord:
        """What the run is compared with."""
        return self.base.record

    @property
    def samples(self) -> int:
        """The samples of each case that were planned, once."""
        return self.record.plan.samples

    @property
    def is_unchanged(self) -> bool:
        """Whether both are one run, or equal versions with equal scores in every sample."""
        base = self.base.record
        return behave_alike(base.plan, self.record.plan) and scored_alike(base, self.record)
