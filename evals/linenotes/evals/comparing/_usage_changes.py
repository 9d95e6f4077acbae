"""What a sample costs and how long it takes in one version and in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison


@dataclass(frozen=True)
class UsageChange:
    """How much of something a sample uses, as a change from base to candidate."""

    name: Literal["cost", "tokens", "seconds"]
    """`cost` is in US dollars."""
    result: Comparison | None
    """Paired by case, like a score; None where it cannot be compared."""
    note: str = ""
    """Why it cannot be compared."""
