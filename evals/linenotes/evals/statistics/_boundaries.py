"""Critical values of a one-sided test that is looked at several times.

Look k sees the statistic Z_k of all data so far. Whatever the data are, paired, clustered or
against a stored run, the statistics of the looks are jointly normal with

    Cov(Z_j, Z_k) = sqrt(I_j / I_k),    I = 1/SE2, the information

(the canonical joint distribution: Jennison and Turnbull 2000, "Group sequential methods", section
3.1). A spending function says how much of alpha may be used up by the time t, and each critical
value is the one that uses up just that (Lan and DeMets 1983). The integrals over the paths that
have crossed nothing yet are taken look by look (Armitage, McPherson and Rowe 1969), by
Gauss-Legendre quadrature. Everything here works on many trials side by side, one a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from linenotes.evals.statistics._tables import FloatArray

_FARTHEST = 7.0
"""Standard errors beyond which nothing is expected."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)
_LEAST_GROWTH = 1.02
"""A look that adds less information is taken to have added so much. That only raises the critical
value, and keeps the step to it wider than the distance of two nodes."""
_HALVINGS = 40


def linear_spending(time: float, alpha: float) -> float:
    """Return alpha t: as much of alpha as of the calls (Kim and DeMets 1987, with rho = 1)."""
    return alpha * time


def obrien_fleming_spending(time: float, alpha: float) -> float:
    """Return 2 - 2 Phi(z_{alpha/2} / sqrt(t)): hardly anything early (Lan and DeMets 1983)."""
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / time**0.5))


def pocock_spending(time: float, alpha: float) -> float:
    """Return alpha ln(1 + (e - 1) t): nearly equal critical values (Lan and DeMets 1983)."""
    return float(alpha * np.log1p((np.e - 1) * time))


def critical_values(information: FloatArray, spent: FloatArray) -> FloatArray:
    """Return what Z must exceed at each look, for tests that have used up `spent` by then.

    Args:
        information: 1/SE2 at each look (columns), for each trial (rows).
        spent: the part of alpha that is used up by each look, in all.

    A look at which nothing is spent has the critical value infinity.
    """
    walk = _Walk.start(len(information))
    found = []
    for known, more in zip(information.T, np.diff(spent, prepend=0.0), strict=True):
        reached = walk.reached(known)
        found.append(walk.critical(reached, more))
        walk = walk.on(reached, found[-1])
    return np.stack(found, axis=1)


def crossing_chances(information: FloatArray, critical: FloatArray) -> FloatArray:
    """Return the chance, without any effect, to exceed a critical value at each look or before."""
    walk, crossed = _Walk.start(len(information)), []
    for known, bound in zip(information.T, critical.T, strict=True):
        reached = walk.reached(known)
        crossed.append(walk.chance_above(reached, bound))
        walk = walk.on(reached, bound)
    return np.cumsum(np.stack(crossed, axis=1), axis=1)


@dataclass(frozen=True, eq=False)
class _Walk:
    """Where the statistic of each trial may stand at a look, if it has crossed nothing so far."""

    information: FloatArray
    places: FloatArray
    """Values of Z, one trial a row."""
    chances: FloatArray
    """Their probabilities, which add up to that of having crossed nothing."""

    @classmethod
    def start(cls, trials: int) -> _Walk:
        """Return where trials stand before anything is known."""
        return cls(np.zeros(trials), np.zeros((trials, 1)), np.ones((trials, 1)))

    def reached(self, information: FloatArray) -> FloatArray:
        """Return the information at the next look, which must have grown."""
        return np.maximum(information, self.information * _LEAST_GROWTH)

    def chance_above(self, information: FloatArray, bound: FloatArray) -> FloatArray:
        """Return the chance to cross `bound` at the next look."""
        means, spread = self._next(information)
        beyond = special.ndtr((means - bound[:, None]) / spread[:, None])
        return np.asarray((self.chances * beyond).sum(axis=1))

    def critical(self, information: FloatArray, chance: float) -> FloatArray:
        """Return the bound that is crossed at the next look with `chance`."""
        low, high = (np.full(len(information), end) for end in (-_FARTHEST, _FARTHEST))
        if chance <= 0:
            return np.full(len(information), np.inf)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            too_low = self.chance_above(information, middle) > chance
            low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
        return high

    def on(self, information: FloatArray, bound: FloatArray) -> _Walk:
        """Return where trials stand that do not cross `bound` at the next look."""
        half = (np.minimum(bound, _FARTHEST) + _FARTHEST)[:, None] / 2
        places = half * (_NODES + 1) - _FARTHEST
        means, spread = self._next(information)
        steps = (places[:, :, None] - means[:, None, :]) / spread[:, None, None]
        density = np.exp(-(steps**2) / 2) @ self.chances[:, :, None]
        scale = spread[:, None] * (2 * np.pi) ** 0.5
        return _Walk(information, places, half * _WEIGHTS * density[:, :, 0] / scale)

    def _next(self, information: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the mean of the next Z for each place, and its standard deviation."""
        share = self.information / information
        return self.places * np.sqrt(share)[:, None], np.sqrt(1 - share)
