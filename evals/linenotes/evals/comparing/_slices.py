"""A metric by tag: where a change might sit, with the false findings kept few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison

FALSE_SHARE = 0.1
"""q of Benjamini and Hochberg: the share of the slices pointed out that may be false."""


@dataclass(frozen=True)
class SliceChange:
    """The cases with one value of one tag."""

    tag: str
    value: str
    result: Comparison
    q: float | None
    """The p-value adjusted over all slices; None where nothing could be measured."""

    @property
    def stands_out(self) -> bool:
        """Whether to look here."""
        return self.q is not None and self.q < FALSE_SHARE
