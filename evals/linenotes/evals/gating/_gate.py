"""A gate: criteria that are stated before anything runs, and the decision by them.

One primary metric decides against a baseline. Guardrails are metrics that must not drop by their
margins; since all of them must pass, none needs a correction for being one of several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from linenotes.evals.comparing._comparison import DEFAULT_MARGIN, RunComparison, compare_runs
from linenotes.evals.journal._records import RunRecord

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

GateVerdict = Literal["pass", "fail", "unchanged", "inconclusive", "cannot measure"]

_EXIT: dict[GateVerdict, int] = {
    "pass": 0,
    "unchanged": 0,
    "fail": 1,
    "cannot measure": 2,
    "inconclusive": 3,
}


@dataclass(frozen=True)
class Gate:
    """What a candidate must show to be released."""

    baseline: str = "champion"
    """The saved baseline, or the run, that it is compared with."""
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


@dataclass(frozen=True)
class Decision:
    """What a gate says of a candidate."""

    gate: Gate
    verdict: GateVerdict
    comparisons: tuple[RunComparison, ...] = ()
    """Of the primary metric, then of each guardrail; none when nothing had to be compared."""
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 pass or unchanged, 1 fail, 2 cannot measure, 3 otherwise."""
        return self.gate.inconclusive if self.verdict == "inconclusive" else _EXIT[self.verdict]


def decide(gate: Gate, base: RunRecord, candidate: RunRecord) -> Decision:
    """Decide by the samples that there are, all of them, once.

    A drop that is shown in any metric fails; else whatever is not decided leaves it undecided.

    Raises:
        RunError: a metric is missing, or the cases have changed.
    """
    margin = 0.0 if gate.superiority else gate.margin
    asked: list[tuple[str | None, float]] = [(gate.metric, margin), *gate.guardrails.items()]
    comparisons = tuple(
        compare_runs(base, candidate, metric=metric, target=gate.target, margin=allowed)
        for metric, allowed in asked
    )
    return Decision(gate, worst([one.result.verdict for one in comparisons]), comparisons)


def worst(verdicts: list[GateVerdict]) -> GateVerdict:
    """Return the verdict of metrics that must all pass."""
    order: tuple[GateVerdict, ...] = ("fail", "cannot measure", "inconclusive", "unchanged", "pass")
    return min(verdicts, key=order.index)
