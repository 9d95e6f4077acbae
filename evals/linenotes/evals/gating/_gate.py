"""A gate: criteria that are stated before anything runs, and the decision by them.

One primary metric decides against a baseline. Guardrails are metrics that must not drop by their
margins; where a metric leaves out samples that the agent failed, the share of those it completed is
one. All must pass, so that a pass needs no correction for their number; a drop in any of them
fails, which does. A decision is made once, by all samples (`decide`), or after each sweep over the
cases (`decide_in_looks`): then every metric is decided at its own look, and what is decided stays
so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from linenotes.evals.comparing._comparison import (
    DEFAULT_MARGIN,
    GateVerdict,
    RunComparison,
    compare_on,
    deciding_margins,
    primary_metric,
    worst,
)
from linenotes.evals.comparing._completion import deciding_table
from linenotes.evals.comparing._exit_codes import exit_code
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import BaseRun, SequentialComparison, Target


@dataclass(frozen=True)
class Gate:
    """What a candidate must show to be released.

    Raises:
        RunError: a margin is negative, or there is no gate in the family.
    """

    baseline: str = "champion"
    """The saved baseline, the run, or the version (`@v1`), that it is compared with."""
    margin: float = DEFAULT_MARGIN
    """The drop of the primary metric that must be ruled out, in the metric's own unit."""
    target: Target = "dataset"
    """Exactly these golden cases, or cases like these."""
    superiority: bool = False
    """Pass only what is shown to be better; the margin then says nothing."""
    metric: str | None = None
    """The one that decides; None stands for the baseline's primary metric."""
    guardrails: Mapping[str, float] = field(default_factory=dict)
    """Further metrics, each with the drop of it that must be ruled out."""
    inconclusive: Literal[0, 1, 3] = 3
    """The exit code of an inconclusive decision."""
    family: int = 1
    """How many gates decide together, this one among them: where a drop in any of them fails, they
    share the level at which it is shown (Bonferroni). A pass needs no correction: all must pass."""

    def __post_init__(self) -> None:
        if self.family < 1:
            raise RunError(f"A family has 1 gate or more, not {self.family!r}.")
        for margin in (self.margin, *self.guardrails.values()):
            if not margin >= 0:
                raise RunError(f"A margin is a drop, so it is 0 or more, not {margin!r}.")

    @property
    def allowed(self) -> float:
        """The drop of the primary metric that a pass rules out; 0 where it must be better."""
        return 0.0 if self.superiority else self.margin

    def margins(self, base: RunPlan) -> dict[str, float]:
        """Return each metric with the drop that must be ruled out, the one that decides first.

        Raises:
            RunError: `base` has no metric, or the one that decides is a guardrail, too.
        """
        primary = self.metric or primary_metric(base)
        return deciding_margins(primary, self.allowed, self.guardrails)


@dataclass(frozen=True)
class Decision:
    """What a gate says of a candidate."""

    gate: Gate
    verdict: GateVerdict
    comparisons: tuple[RunComparison, ...] = ()
    """Of the primary metric, then of each guardrail, at last of what the agent completed, where
    that decides; none when nothing had to be compared."""
    notes: tuple[str, ...] = ()
    looks: tuple[SequentialComparison, ...] = ()
    """Of each comparison, the looks after the sweeps; none when all samples decided at once."""

    @property
    def exit_code(self) -> int:
        """What a command ends with."""
        gate = self.gate
        return exit_code(self.verdict, margin=gate.allowed, inconclusive=gate.inconclusive)


def decide(
    gate: Gate, base: RunRecord, candidate: RunRecord, *, allow_changed_cases: bool = False
) -> Decision:
    """Decide by the samples that there are, all of them, once.

    A drop that is shown in any metric fails; else whatever is not decided leaves it undecided.

    Raises:
        RunError: a metric is missing, or the cases have changed.
    """
    margins = gate.margins(base.plan)
    (comparisons,) = compare_on(
        base,
        [candidate],
        margins,
        target=gate.target,
        allow_changed_cases=allow_changed_cases,
        family=gate.family,
    )
    verdict = worst(one.result.verdict for one in comparisons)
    return Decision(gate, verdict, tuple(comparisons))


def decide_in_looks(
    gate: Gate,
    base: RunRecord,
    candidate: RunRecord,
    *,
    planned: int,
    reached: int,
    closed: bool = False,
    base_run: BaseRun,
    allow_changed_cases: bool = False,
) -> Decision:
    """Decide by the looks that there were, each after a sweep over the cases.

    Args:
        gate: the criteria.
        base: what there is.
        candidate: what might replace it.
        planned: how many samples of each case there are to be at most.
        reached: how many there are of every case.
        closed: there will be no more, whatever they would say; a last look takes in all.
        base_run: whether the base was whole before, or gets its samples with the candidate.
        allow_changed_cases: compare although cases of one id have other inputs or expectations.

    Raises:
        RunError: a metric is missing, or the cases have changed.
    """
    from linenotes.evals.statistics import compare_in_looks

    margins = gate.margins(base.plan)
    (at_once,) = compare_on(
        base, [candidate], margins, target=gate.target, allow_changed_cases=allow_changed_cases
    )
    both, looks = (base, candidate), []
    for one in at_once:
        before, after = (deciding_table(run, one.metric, beside=both) for run in both)
        found = compare_in_looks(
            before,
            after,
            planned=planned,
            reached=reached,
            closed=closed,
            base_run=base_run,
            target=gate.target,
            margin=one.result.margin,
            metrics=len(at_once) * gate.family,
        )
        looks.append(found)
    comparisons = tuple(
        replace(one, result=found.result) for one, found in zip(at_once, looks, strict=True)
    )
    verdict = worst(one.result.verdict for one in comparisons)
    return Decision(gate, verdict, comparisons, looks=tuple(looks))
