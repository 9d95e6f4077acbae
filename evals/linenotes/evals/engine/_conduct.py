"""How an evaluation is carried out: all that does not change what it measures."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.project import RunError
from linenotes.tracing import RecordingPolicy

DEFAULT_CONCURRENCY = 8


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

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise RunError(
                f"Concurrency must be at least 1 sample at a time, not {self.concurrency}."
            )
