"""Samples of one version dealt at random to two runs, over and over.

Two halves of a case's samples are distributed like the samples of two runs, sample for sample, so
that they can be looked at after each sweep as two runs would be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from linenotes.evals.statistics._tables import CaseTable, FloatArray


@dataclass(frozen=True, eq=False)
class Splits:
    """Pairs of runs by split, case and sample; 0 beyond a case's samples."""

    base: FloatArray
    candidate: FloatArray
    samples: FloatArray
    """Samples a case in either run, the same in all pairs."""

    def at(self, samples: int) -> Splits:
        """Return what there is when each case has so many samples, or all of its own."""
        counts = np.minimum(self.samples, samples)
        return Splits(self.base[:, :, :samples], self.candidate[:, :, :samples], counts)

    @property
    def repeated(self) -> bool:
        """Whether some case has two samples in either run."""
        return bool((self.samples > 1).any())

    @property
    def means(self) -> tuple[FloatArray, FloatArray]:
        """Of each case's samples in base and candidate, by split and case."""
        base, candidate = self.base.sum(axis=2), self.candidate.sum(axis=2)
        return base / self.samples, candidate / self.samples

    @property
    def variances(self) -> tuple[FloatArray, FloatArray]:
        """The same of the unbiased variances within cases; 0 for a single sample."""
        freedom, there = np.maximum(self.samples - 1, 1), self._there
        arms = zip((self.base, self.candidate), self.means, strict=True)
        squares = [(((arm - mean[:, :, None]) * there) ** 2).sum(axis=2) for arm, mean in arms]
        return squares[0] / freedom, squares[1] / freedom

    def lowered(self, amount: float) -> Splits:
        """Return the same with each score of the candidate lowered by so much."""
        return replace(self, candidate=self.candidate - amount * self._there)

    @property
    def _there(self) -> npt.NDArray[np.bool_]:
        """Which samples each case has."""
        return np.asarray(np.arange(self.base.shape[2]) < self.samples[:, None])


def deal(
    values: Sequence[FloatArray], samples: FloatArray, splits: int, rng: np.random.Generator
) -> Splits:
    """Draw, `splits` times, two samples without replacement of each case's values."""
    arms = np.zeros((2, splits, len(values), int(samples.max())))
    for i, (of_case, half) in enumerate(zip(values, samples.astype(int), strict=True)):
        drawn = rng.permuted(np.tile(of_case, (splits, 1)), axis=1)
        arms[:, :, i, :half] = drawn[:, :half], drawn[:, half : 2 * half]
    return Splits(arms[0], arms[1], samples)


def drops(splits: Splits, table: CaseTable, rng: np.random.Generator) -> Callable[[float], Splits]:
    """Return what lowers the candidate, by a share of what it can be lowered.

    Passes become failures, anywhere alike; scores between 0 and 1 shrink in proportion; others
    all lose the same.
    """
    if table.binary:
        fates = rng.random(splits.candidate.shape, dtype=np.float32)
        return lambda share: replace(splits, candidate=splits.candidate * (fates >= share))
    if table.bounded:
        return lambda share: replace(splits, candidate=splits.candidate * (1 - share))
    return lambda share: splits.lowered(share * table.span)
