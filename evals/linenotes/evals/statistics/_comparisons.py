"""Two runs compared: the difference with its interval, and one of four verdicts.

A margin is declared beforehand. `pass`: "worse by the margin or more" is rejected. `fail`: "not
worse" is rejected. Both can be rejected, when it is worse by less than the margin; that passes.
Neither: `inconclusive`, with what would decide. `cannot measure`: no evidence for this target.
Higher scores are better; the margin is in the score's own unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from linenotes.evals.statistics._deciding import what_would_decide
from linenotes.evals.statistics._estimates import Target
from linenotes.evals.statistics._paired import (
    PairedEvidence,
    Pairs,
    evidence_on_such_cases,
    evidence_on_these_cases,
    odds_ratio,
    pair_up,
)
from linenotes.evals.statistics._planning import detectable_change
from linenotes.evals.statistics._tables import CaseTable, read_amounts, read_scores

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["pass", "fail", "inconclusive", "cannot measure"]

FEW_FOR_NOMINAL_ALPHA = 100
SMALL_SUITE_ALPHA = 0.8
"""Small suites are tested at .8 of the nominal alpha: .04 for .05."""


@dataclass(frozen=True)
class Comparison:
    """A candidate against a base, over the cases that both have."""

    delta: float | None
    """Mean change, candidate less base; None without a common case."""
    low: float | None
    high: float | None
    target: Target
    confidence: float
    n_cases: int
    n_clusters: int | None
    """None when the dataset declares no clusters."""
    base_mean: float | None
    """Over the common cases, like `candidate_mean`."""
    candidate_mean: float | None
    se: float | None
    margin: float
    """The drop that a pass rules out; 0 when a pass must show that it is better."""
    alpha: float
    """The level of each one-sided test behind the verdict."""
    verdict: Verdict
    p_worse_by_margin: float | None
    """Against "worse by the margin or more": below alpha is a pass."""
    p_not_worse: float | None
    """Against "not worse": below alpha is a fail."""
    p_no_difference: float | None
    """Two-sided, against "no difference"."""
    method: str
    improved: int
    """Cases whose mean rose."""
    worsened: int
    unchanged: int
    odds_ratio: float | None
    """Of passing, candidate to base; None when undefined or not binary."""
    detectable_change: float | None
    """The change that this suite detects with 80% power."""
    cases_to_decide: int | None
    """Only when inconclusive: cases needed at this K, if the change stays what it is."""
    samples_to_decide: int | None
    """The same for samples a case, of these cases; None when more samples cannot help."""
    only_in_base: tuple[str, ...]
    only_in_candidate: tuple[str, ...]
    compared_with_base: int = 1
    """How many candidates share Holm's correction of the p-values."""
    family: int = 1
    """How many decisions share the level at which a drop is shown, this one among them."""
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> Literal["better", "worse"] | None:
        """The direction of a difference that is shown, whatever its size; None if none is."""
        if self.p_no_difference is None or self.p_no_difference >= 1 - self.confidence:
            return None
        assert self.delta is not None
        return "better" if self.delta > 0 else "worse"

    @property
    def is_worse(self) -> bool:
        """True when "not worse" is rejected, also where the margin makes that a pass."""
        return self.p_not_worse is not None and self.p_not_worse < self.alpha

    @property
    def drop_level(self) -> float:
        """What the p-value of a drop by itself must be below: this decision's share of alpha."""
        return self.alpha / self.family


def compare_scores(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    target: Target = "population",
    margin: float = 0.05,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two runs, paired by case.

    Args:
        base: what there is, as `case, sample, value[, cluster, weight]`; its weights count,
            and its clusters, or the candidate's where it has none.
        candidate: what might replace it.
        target: cases like these (population), or exactly these (dataset, two samples a case).
        margin: the drop that a pass must rule out, in the score's own unit; with 0 a pass must
            show that the candidate is better (superiority).
        confidence: of the interval; the tests are at 1 - confidence, less below 100 units.

    Raises:
        ValueError: a table is malformed, or the margin is negative.
    """
    judged, pairs = judge(
        read_scores(base),
        read_scores(candidate),
        target=target,
        margin=margin,
        confidence=confidence,
    )
    return explained(judged, pairs)


def compare_amounts(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    target: Target = "population",
    confidence: float = 0.95,
) -> Comparison:
    """Compare what two runs used, such as seconds: numbers from 0 on, with no upper bound.

    The same as `compare_scores`, which takes numbers up to 1 for scores that end there.

    Raises:
        ValueError: a table is malformed.
    """
    tables = (read_amounts(base), read_amounts(candidate))
    judged, pairs = judge(*tables, target=target, margin=0.0, confidence=confidence)
    return explained(judged, pairs)


def judge(
    base: CaseTable, candidate: CaseTable, *, target: Target, margin: float, confidence: float
) -> tuple[Comparison, Pairs]:
    """Compare and test; what to say about the outcome comes after any correction."""
    if margin < 0:
        raise ValueError(f"The margin {margin!r} is negative.")
    pairs = pair_up(base, candidate)
    compared = describe(pairs, (base, candidate), target, margin, confidence)
    problem = unmeasurable(pairs, target)
    if problem:
        return replace(compared, notes=(problem,)), pairs
    return tested(compared, evidence_for(pairs, target), binary=pairs.binary), pairs


def describe(
    pairs: Pairs,
    tables: tuple[CaseTable, CaseTable],
    target: Target,
    margin: float,
    confidence: float,
) -> Comparison:
    """Say all that needs no test."""
    base, candidate = tables
    shared = len(pairs) > 0
    return Comparison(
        delta=pairs.mean_change if shared else None,
        low=None,
        high=None,
        target=target,
        confidence=confidence,
        n_cases=len(pairs),
        n_clusters=pairs.base.n_clusters,
        base_mean=pairs.base.mean if shared else None,
        candidate_mean=pairs.base.mean + pairs.mean_change if shared else None,
        se=None,
        margin=margin,
        alpha=verdict_level(pairs.n_units, confidence),
        verdict="cannot measure",
        p_worse_by_margin=None,
        p_not_worse=None,
        p_no_difference=None,
        method="not measured",
        improved=int((pairs.changes > 0).sum()),
        worsened=int((pairs.changes < 0).sum()),
        unchanged=int((pairs.changes == 0).sum()),
        odds_ratio=odds_ratio(pairs) if shared else None,
        detectable_change=None,
        cases_to_decide=None,
        samples_to_decide=None,
        only_in_base=tuple(sorted(set(base.cases) - set(candidate.cases))),
        only_in_candidate=tuple(sorted(set(candidate.cases) - set(base.cases))),
    )


def verdict_level(units: int, confidence: float) -> float:
    """Return the level of the one-sided tests for so many cases or clusters."""
    few = units < FEW_FOR_NOMINAL_ALPHA
    return round((1 - confidence) * (SMALL_SUITE_ALPHA if few else 1), 12)


def unmeasurable(pairs: Pairs, target: Target) -> str | None:
    if not len(pairs):
        return "The runs have no scored case in common."
    if target == "dataset" and pairs.noise_variance is None:
        return "One sample a case cannot show the noise on exactly these cases: take 2 or more."
    if target == "population" and pairs.n_units < 2:  # noqa: PLR2004  a spread needs two
        unit = "case" if pairs.base.clusters is None else "cluster"
        return f"One {unit} says nothing about other {unit}s."
    return None


def evidence_for(pairs: Pairs, target: Target) -> PairedEvidence:
    """Return the evidence of pairs that can be measured."""
    if target == "population":
        return evidence_on_such_cases(pairs)
    assert pairs.noise_variance is not None
    return evidence_on_these_cases(pairs, pairs.noise_variance)


def tested(compared: Comparison, evidence: PairedEvidence, *, binary: bool) -> Comparison:
    """Return the comparison with its interval, its tests and their verdict."""
    zero, bounds = evidence.zero, evidence.around.bounds(compared.confidence)
    p_worse = zero.p_not_better
    if compared.margin > 0:
        p_worse = evidence.around.p_above(-compared.margin)
    exact = "" if zero.method == evidence.method else f"; at zero: {zero.method}"
    possible = bounds.within(-1.0, 1.0) if binary else bounds
    return replace(
        compared,
        low=possible.low,
        high=possible.high,
        se=evidence.se,
        p_worse_by_margin=p_worse,
        p_not_worse=zero.p_not_worse,
        p_no_difference=zero.p_no_difference,
        verdict=verdict_by(p_worse, zero.p_not_worse, compared.alpha),
        method=evidence.method + exact,
        detectable_change=detectable_change(evidence.guarded_se, alpha=1 - compared.confidence),
        notes=evidence.notes,
    )


def verdict_by(p_worse_by_margin: float, p_not_worse: float, alpha: float) -> Verdict:
    """Return what the two one-sided tests say; a drop smaller than the margin passes."""
    if p_worse_by_margin < alpha:
        return "pass"
    return "fail" if p_not_worse < alpha else "inconclusive"


def explained(judged: Comparison, pairs: Pairs, *, drops: int = 1) -> Comparison:
    """Add what to know about the verdict and, when there is none, what would bring one.

    `drops` is how many tests for a drop share alpha.
    """
    if judged.se is None:
        return judged
    noted = replace(judged, notes=judged.notes + _remarks(judged))
    if judged.verdict != "inconclusive":
        return noted
    needs = what_would_decide(
        pairs,
        evidence_for(pairs, judged.target),
        margin=judged.margin,
        alpha=judged.alpha,
        target=judged.target,
        drops=drops * judged.family,
    )
    notes = noted.notes if needs.note is None else (*noted.notes, needs.note)
    return replace(noted, cases_to_decide=needs.cases, samples_to_decide=needs.samples, notes=notes)


def _remarks(judged: Comparison) -> tuple[str, ...]:
    remarks = []
    if judged.low is None or judged.high is None:
        remarks.append("So few units leave the difference without bounds at this confidence.")
    elif (judged.low > 0 or judged.high < 0) != (judged.shown is not None):
        remarks.append("The interval and the exact test differ at the edge; the test decides.")
    return tuple(remarks)
