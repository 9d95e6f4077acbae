"""How good one run is: a mean, or a rate over repeats, with its interval.

Every interval names its target. `population`: how would it do on cases like these? Cases are
drawn, so the spread between cases counts. `dataset`: how does it do on exactly these cases? Only
the noise of sampling counts, which cannot be seen with a single sample a case.

Binary scores always get Wilson's interval on an effective n, however few the cases: simulated at
a rate of .97, flipped signs cover .37 (15 cases, 1 sample) to .72 (25, 5), this one .93 to .98.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from linenotes.evals.statistics._intervals import (
    FEW_UNITS,
    Bounds,
    Evidence,
    SignFlips,
    StudentT,
    shrunk_design_effect,
    student_t,
    t_critical,
    wilson,
    z_critical,
)
from linenotes.evals.statistics._tables import ROUNDING, CaseTable, read_scores

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._tables import FloatArray

Target = Literal["population", "dataset"]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, its target, and what it rests on."""

    mean: float | None
    """None when nothing was scored."""
    low: float | None
    """None when these data bound nothing; `notes` says why."""
    high: float | None
    target: Target
    confidence: float
    n_cases: int
    n_clusters: int | None
    """None when the dataset declares no clusters."""
    samples: tuple[int, int]
    """K: the fewest and the most scored samples of a case."""
    se: float | None
    """The standard error for this target."""
    within: float | None
    """W: the mean variance inside a case. None with one sample a case, and for pass@k, pass^k."""
    between: float | None
    """B: the variance between cases that noise does not explain; chance can make it negative."""
    icc: float | None
    """B/(B+W), with B at least 0: how alike the samples of one case are."""
    method: str
    notes: tuple[str, ...] = ()


def estimate(
    scores: pd.DataFrame, *, target: Target = "population", confidence: float = 0.95
) -> Estimate:
    """Return the mean score of a run, cases weighing the same or as the dataset declares.

    Methods: Wilson 1927 on an effective n for binary scores (design effect: Kish 1965), else
    Student's t with cluster-robust errors, or flipped signs (Hartigan 1969) below 30 units.
    """
    table = read_scores(scores)
    measured = _measure(table, target=target, confidence=confidence)
    return measured if not table.repeated else _with_variance_split(measured, table)


def pass_at(scores: pd.DataFrame, k: int, *, confidence: float = 0.95) -> Estimate:
    """Return pass@k: the chance that at least one of k samples of a case passes.

    Per case 1 - C(K-c, k)/C(K, k) with c of K passed (Chen et al. 2021, "Evaluating large
    language models trained on code", equation 1), averaged over cases.

    Raises:
        ValueError: a case has fewer than k samples, or the scores are not binary.
    """
    table = _repeats(scores, k, name="pass@k")
    failed = table.samples * (1 - table.means)
    return _rate_of_k(table, 1 - _all_of_k(failed, table.samples, k), k, confidence)


def pass_hat(scores: pd.DataFrame, k: int, *, confidence: float = 0.95) -> Estimate:
    """Return pass^k: the chance that all of k samples of a case pass.

    Per case C(c, k)/C(K, k) with c of K passed (Yao et al. 2024, "tau-bench", section 4),
    averaged over cases.

    Raises:
        ValueError: a case has fewer than k samples, or the scores are not binary.
    """
    table = _repeats(scores, k, name="pass^k")
    passed = table.samples * table.means
    return _rate_of_k(table, _all_of_k(passed, table.samples, k), k, confidence)


def _repeats(scores: pd.DataFrame, k: int, *, name: str) -> CaseTable:
    table = read_scores(scores)
    fewest = int(table.samples.min()) if len(table) else k
    if not table.binary:
        raise ValueError(f"{name} needs scores of 0 and 1.")
    if not 1 <= k <= fewest:
        raise ValueError(f"{name} with k={k} needs k samples of every case; one has {fewest}.")
    return table


def _all_of_k(hits: FloatArray, samples: FloatArray, k: int) -> FloatArray:
    return np.asarray(special.comb(np.rint(hits), k) / special.comb(samples, k))


def _rate_of_k(table: CaseTable, rates: FloatArray, k: int, confidence: float) -> Estimate:
    """Estimate a rate over k samples: a case then holds K/k trials of it, and one at k = K."""
    trials = replace(table, means=rates, samples=table.samples / k)
    measured = _measure(trials, target="population", confidence=confidence)
    return measured if not len(table) else replace(measured, samples=table.sample_range)


def _measure(table: CaseTable, *, target: Target, confidence: float) -> Estimate:
    measured = Estimate(
        mean=None,
        low=None,
        high=None,
        target=target,
        confidence=confidence,
        n_cases=len(table),
        n_clusters=table.n_clusters,
        samples=(0, 0),
        se=None,
        within=None,
        between=None,
        icc=None,
        method="not measured",
        notes=("No sample was scored.",),
    )
    if not len(table):
        return measured
    measured = replace(measured, mean=table.mean, samples=table.sample_range)
    if target == "dataset":
        return _on_these_cases(measured, table)
    return _on_such_cases(measured, table)


def _on_such_cases(measured: Estimate, table: CaseTable) -> Estimate:
    sums, shares = unit_totals(table, table.means)
    kind = "case" if table.clusters is None else "cluster"
    if len(sums) < 2:  # noqa: PLR2004  a spread needs two
        note = f"One {kind} says nothing about the spread between {kind}s."
        return replace(measured, notes=(note,))
    spread = student_t(sums, shares)
    measured = replace(measured, se=spread.se, notes=())
    if table.binary:
        bounds, method = _wilson_of_units(table, shares, spread, measured.confidence)
        return replace(measured, low=bounds.low, high=bounds.high, method=method)
    if len(sums) >= FEW_UNITS:
        method = "t over cases" if table.clusters is None else "cluster t"
        return _bounded(measured, spread, method, span=table.span)
    method = f"few {kind}s: " + ("sign flips" if table.clusters is None else "wild cluster flips")
    return _bounded(measured, SignFlips(sums, shares), method, span=table.span)


def _bounded(measured: Estimate, evidence: Evidence, method: str, *, span: float) -> Estimate:
    if measured.se is None or measured.se <= ROUNDING * span:
        note = "The scores show no spread, so nothing bounds their mean."
        return replace(measured, method="not measured", notes=(note,))
    bounds = evidence.bounds(measured.confidence)
    few = "So few units leave the mean without bounds at this confidence."
    notes = () if bounds.low is not None else (few,)
    return replace(measured, low=bounds.low, high=bounds.high, method=method, notes=notes)


def _wilson_of_units(
    table: CaseTable, shares: FloatArray, spread: StudentT, confidence: float
) -> tuple[Bounds, str]:
    """Return Wilson's interval on the n of independent trials worth as much as these samples.

    The design effect is how many times larger the variance is than that of as many independent
    trials. It lies between 1 and the samples a unit holds, and is the latter when all agree.
    """
    rate, units = table.mean, len(shares)
    trials = 1 / float((table.shares**2 / table.samples).sum())
    worst = trials * float((shares**2).sum())
    if worst < 1 + 1e-9:
        return wilson(rate, trials, z_critical(confidence)), "Wilson"
    independent = rate * (1 - rate) / trials
    agree = spread.se <= ROUNDING
    seen = worst if agree else min(max(spread.se**2 / independent, 1.0), worst)
    n = trials / shrunk_design_effect(seen, worst, len(table))
    unit = "cases" if table.clusters is None else "clusters"
    return wilson(rate, n, t_critical(units - 1, confidence)), f"Wilson on effective n of {unit}"


def _on_these_cases(measured: Estimate, table: CaseTable) -> Estimate:
    if not table.repeated:
        note = "One sample a case cannot show the noise on exactly these cases: take 2 or more."
        return replace(measured, notes=(note,))
    noise = table.shares**2 * table.noise
    measured = replace(measured, se=float(noise.sum()) ** 0.5, notes=borrowed_noise(table))
    if table.binary:
        bounds = _wilson_of_strata(table, float(noise.sum()), measured.confidence)
        return replace(measured, low=bounds.low, high=bounds.high, method="Wilson on effective n")
    df = welch_satterthwaite(noise, table.samples)
    t = StudentT(table.mean, float(noise.sum()) ** 0.5, df)
    bounded = _bounded(measured, t, "t over samples within cases", span=table.span)
    return replace(bounded, notes=measured.notes + bounded.notes)


def _wilson_of_strata(table: CaseTable, variance: float, confidence: float) -> Bounds:
    """Return Wilson's interval for fixed cases, whose sum is never wider than a binomial's.

    So the design effect lies between 0 and 1 (Hoeffding 1956, "On the distribution of the
    number of successes in independent trials"), and is 1 when no case shows any noise.
    """
    rate = table.mean
    trials = 1 / float((table.shares**2 / table.samples).sum())
    agree = variance <= ROUNDING**2
    seen = 1.0 if agree else min(variance * trials / (rate * (1 - rate)), 1.0)
    n = trials / shrunk_design_effect(seen, 1.0, len(table))
    return wilson(rate, n, z_critical(confidence))


def _with_variance_split(measured: Estimate, table: CaseTable) -> Estimate:
    """Add the split of one-way analysis of variance: B = s2(case means) - W * mean(1/K)."""
    within = table.within
    if len(table) < 2:  # noqa: PLR2004  a spread needs two
        return replace(measured, within=within)
    between = float(table.means.var(ddof=1)) - within * float((1 / table.samples).mean())
    total = max(between, 0.0) + within
    icc = max(between, 0.0) / total if total > 0 else None
    return replace(measured, within=within, between=between, icc=icc)


def unit_totals(table: CaseTable, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, for each unit of inference, the sum of share times value and the sum of shares."""
    shares = table.shares
    sums = np.bincount(table.units, weights=shares * values)
    return np.asarray(sums, float), np.asarray(np.bincount(table.units, weights=shares), float)


def welch_satterthwaite(variances: FloatArray, samples: FloatArray) -> float:
    """Return the degrees of freedom of a sum of estimated variances (Satterthwaite 1946)."""
    freedom = np.maximum(samples - 1, 1)
    if not variances.any():
        return float(freedom.sum())
    return float(variances.sum() ** 2 / (variances**2 / freedom).sum())


def borrowed_noise(*tables: CaseTable) -> tuple[str, ...]:
    """Say how many cases have a single sample and so borrow the noise of the others."""
    single = max(int((table.samples == 1).sum()) for table in tables)
    return (f"{single} cases with a single sample borrow the others' noise.",) if single else ()
