"""How an evaluation is carried out: all that does not change what it measures."""

from __future__ import annotations

from dataclasses import dataclass, field

from linenotes.evals.engine._budget import Budget
from linenotes.project import RunError

DEFAULT_CONCURRENCY = 8


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How the samples of an evaluation are executed.

    Raises:
        RunError: a value that nothing could run with.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    """How many samples are in flight."""
    budget: Budget = field(default_factory=Budget)
    """What the run may spend; then nothing new is started, and what had finished is kept."""

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise RunError(
                f"Concurrency must be at least 1 sample at a time, not {self.concurrency}."
            )
