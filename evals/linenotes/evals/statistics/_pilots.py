"""What a pilot shows of the variance that a later comparison will have.

A case's part of it is scaled so that `spread.se(n, K)` is the pilot's own standard error at the
pilot's own size, with its weights and clusters. So a suite with clusters needs as many more cases
as their likeness costs, if new cases come in such clusters, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.statistics._estimates import unit_totals
from linenotes.evals.statistics._intervals import student_t
from linenotes.evals.statistics._paired import pair_up
from linenotes.evals.statistics._planning import PairedSpread
from linenotes.evals.statistics._tables import ROUNDING, read_scores

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._tables import CaseTable, FloatArray


@dataclass(frozen=True)
class Pilot:
    """The variance that a pilot shows, and its size."""

    spread: PairedSpread
    n_cases: int
    n_clusters: int | None
    """None when the dataset declares no clusters."""
    samples: tuple[int, int]
    """K: the fewest and the most samples of a case."""
    noise_is_known: bool
    """False with one sample a case: noise then counts as a difference between cases."""


def pilot_of_pair(base: pd.DataFrame, candidate: pd.DataFrame) -> Pilot:
    """Return what two runs of the same cases show: nothing about the variance is assumed.

    omega2 = s2(d) - s2A/K_A - s2B/K_B, at least 0 (Miller 2024, "Adding error bars to evals",
    section 5, solved for the variance between cases).

    Raises:
        ValueError: there are fewer than two common cases, or clusters, or no spread at all.
    """
    pairs = pair_up(read_scores(base), read_scores(candidate))
    if not len(pairs):
        raise ValueError("The runs have no scored case in common.")
    n, noise = len(pairs), pairs.noise_variance
    total = _total(pairs.base, pairs.changes)
    spread = PairedSpread(total, 0.0, 0.0)
    if noise is not None:
        between = max(total - n * noise, 0.0)
        spread = PairedSpread(between, _within(pairs.base), _within(pairs.candidate))
    _require_spread(spread)
    (few, most), (other_few, other_most) = pairs.base.sample_range, pairs.candidate.sample_range
    return Pilot(
        spread=spread,
        n_cases=n,
        n_clusters=pairs.base.n_clusters,
        samples=(min(few, other_few), max(most, other_most)),
        noise_is_known=noise is not None,
    )


def pilot_of_run(scores: pd.DataFrame, *, correlation: float) -> Pilot:
    """Return what one run shows of a comparison with a version like it.

    The noise is that of the run, twice. How the true difference varies over cases no single run
    shows: with rates that vary by B in either version and correlate by rho over cases it is
    2 B (1 - rho), the variance of a difference of two equally spread values.

    Raises:
        ValueError: noise cannot be told from cases, since no case has two samples; there are
            fewer than two cases, or clusters, or no spread at all; rho is not from -1 to 1.
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"The correlation {correlation!r} is not between -1 and 1.")
    table = read_scores(scores)
    if not table.repeated:
        raise ValueError("One sample a case cannot tell noise from cases: take 2 or more.")
    n, within = len(table), _within(table)
    noise = n * float((table.shares**2 * table.noise).sum())
    between = max(_total(table, table.means) - noise, 0.0)
    spread = PairedSpread(2 * (1 - correlation) * between, within, within)
    _require_spread(spread)
    return Pilot(spread, n, table.n_clusters, table.sample_range, noise_is_known=True)


def _total(table: CaseTable, values: FloatArray) -> float:
    """Return the variance of a case's value that the mean's standard error speaks of."""
    sums, shares = unit_totals(table, values)
    if len(sums) < 2:  # noqa: PLR2004  a spread needs two
        raise ValueError("One case, or cluster, shows no spread: a pilot needs more.")
    return len(table) * student_t(sums, shares).se ** 2


def _within(table: CaseTable) -> float:
    """Return the variance of one sample within its case, over cases as they weigh."""
    variances = table.noise * table.samples
    return len(table) * float((table.shares**2 * variances).sum())


def _require_spread(spread: PairedSpread) -> None:
    if spread.between + spread.noise(1) <= ROUNDING:
        raise ValueError("The scores show no spread at all, so nothing can be planned from them.")
