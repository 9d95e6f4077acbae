"""A gate that is to be carried out: the criteria, and on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals._evaluation import Arm
from linenotes.evals.gating._bases import Base, StoredBase
from linenotes.evals.gating._gate import Decision, Gate, decide_in_looks
from linenotes.evals.gating._gated import Gated
from linenotes.evals.history._quarantine import Quarantine, deciding
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.scorers._scorers import Scorer, as_planned
from linenotes.tracing import RecordingPolicy

MOST_SAMPLES = 10
"""Samples of each case that a gate may take, unless more or fewer are asked for."""


@dataclass(frozen=True)
class GateOrder:
    """A gate, and what it is carried out on."""

    gate: Gate
    base: Base
    candidate: AgentVersion
    dataset: Dataset
    scorers: Sequence[Scorer]
    samples: int = MOST_SAMPLES
    """The most samples of each case."""
    seed: int = 0
    fresh: bool = False
    """Run although nothing differs, and go on with no gate that was stopped."""
    allow_changed_cases: bool = False
    """Compare although cases of one id have other inputs or expectations."""
    quarantine: Quarantine | None = None
    """Cases that are run and shown, and do not decide."""
    saves: bool = False
    """Whether a pass is to become a baseline: a candidate that stopped early then gets its other
    samples after the decision."""

    @property
    def gated(self) -> Gated:
        """The candidate and the cases."""
        return Gated(
            agent=self.candidate.agent.name,
            version=self.candidate.label,
            fingerprint=self.candidate.fingerprint,
            dataset=self.dataset.name,
            digest=self.dataset.digest,
            cases=tuple(case.id for case in self.dataset.cases),
        )

    @property
    def is_unchanged(self) -> bool:
        """Whether the version, the data and the scorers with their code are those of the base."""
        if self.base.fingerprint != self.candidate.fingerprint:
            return False
        if self.stored_base is None:
            return True
        plan = self.stored_base.plan
        own = as_planned(self.scorers)
        specs = tuple(own["scorers"].values())
        same_scorers = (plan.scorers, plan.judges, plan.codes) == (
            specs,
            own["judges"],
            own["codes"],
        )
        return same_scorers and plan.dataset.digest == self.dataset.digest

    @property
    def stored_base(self) -> RunRecord | None:
        """What was measured before; None where the base runs with the candidate."""
        return self.base.record if isinstance(self.base, StoredBase) else None

    @property
    def least_samples(self) -> int:
        """How many samples of a case must be planned for the target."""
        return 1 if self.gate.target == "population" else 2

    @property
    def arms(self) -> list[Arm]:
        """What is run: the candidate, after a base that was not measured before."""
        own = [] if isinstance(self.base, StoredBase) else [self.base.version]
        return [Arm(version, 1) for version in (*own, self.candidate)]

    def plans(self, recordings: RecordingPolicy) -> list[RunPlan]:
        """Return the plans of the arms as they would begin."""
        return [
            RunPlan.of(
                arm.version,
                self.dataset,
                group="",
                samples=arm.samples,
                baseline=False,
                seed=self.seed,
                recordings=recordings,
                **as_planned(self.scorers),
            )
            for arm in self.arms
        ]

    @property
    def looks(self) -> list[int]:
        """The samples of each case after which the gate is looked at."""
        from linenotes.evals.statistics import look_times

        return [*look_times(self.samples)]

    def decide(self, records: Sequence[RunRecord], *, closed: bool = False) -> Decision:
        """Return what the looks at these records say; without more to come they are closed."""
        stored = self.stored_base
        base, candidate = (
            deciding(one, self.quarantine) for one in (stored or records[0], records[-1])
        )
        return decide_in_looks(
            self.gate,
            base,
            candidate,
            planned=self.samples,
            reached=whole_sweeps(records),
            closed=closed,
            base_run="stored" if stored else "interleaved",
            allow_changed_cases=self.allow_changed_cases,
        )


def whole_sweeps(records: Sequence[RunRecord]) -> int:
    """Return how many samples every case of every record has."""
    if not records:
        return 0
    return min(_whole_sweeps(record) for record in records)


def _whole_sweeps(record: RunRecord) -> int:
    cases = [case.id for case in record.plan.cases]
    samples = range(record.plan.samples)
    return next(
        (k for k in samples if any((case, k) not in record.outcomes for case in cases)),
        record.plan.samples,
    )
