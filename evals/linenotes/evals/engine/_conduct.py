"""How an evaluation is carried out: all that does not change what it measures."""

from __future__ import annotations

from dataclasses import dataclass, field

from linenotes.evals.engine._budget import Budget
from linenotes.project import RunError
from linenotes.tracing import RecordingPolicy

DEFAULT_CONCURRENCY = 8
DEFAULT_SAMPLE_TIMEOUT = 3600.0
DEFAULT_SAMPLE_RETRIES = 1


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How the samples of an evaluation are executed.

    Raises:
        RunError: a value that nothing could run with.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    """How many samples are in flight."""
    recordings: RecordingPolicy | None = None
    """How calls meet recordings. None: as the project's settings say, or for a run that is
    continued as it was started."""
    sample_timeout: float | None = DEFAULT_SAMPLE_TIMEOUT
    """Seconds that a sample may take, with all its waiting. None: as long as it wants."""
    sample_retries: int = DEFAULT_SAMPLE_RETRIES
    """How often a sample is executed again that the infrastructure failed."""
    budget: Budget = field(default_factory=Budget)
    """What the run may spend; then nothing new is started, and what had finished is kept."""

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise RunError(
                f"Concurrency must be at least 1 sample at a time, not {self.concurrency}."
            )
        if self.sample_timeout is not None and not self.sample_timeout > 0:
            raise RunError(
                f"A sample needs more than 0 seconds, not {self.sample_timeout:g}. "
                "None gives it all the time it wants."
            )
        if self.sample_retries < 0:
            raise RunError(f"A sample is retried 0 or more times, not {self.sample_retries}.")
