"""How an evaluation is carried out: all that does not change what it measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypedDict, get_args

from linenotes.evals.engine._budget import Budget
from linenotes.project import RunError
from linenotes.tracing import RecordingPolicy

DEFAULT_CONCURRENCY = 8
DEFAULT_SAMPLE_TIMEOUT = 3600.0
DEFAULT_SAMPLE_RETRIES = 1
ExecutorName = Literal["local", "ray"]


class ConductOptions(TypedDict, total=False):
    """The fields of `Conduct` but for the recordings, as keyword arguments."""

    concurrency: int
    sample_timeout: float | None
    sample_retries: int
    workers: int
    executor: ExecutorName
    ray_address: str | None
    budget: Budget


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How the samples of an evaluation are executed.

    Raises:
        RunError: a value that nothing could run with.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    """How many samples are in flight, over all workers."""
    recordings: RecordingPolicy | None = None
    """How calls meet recordings. None: as the project's settings say, or for a run that is
    continued as it was started."""
    sample_timeout: float | None = DEFAULT_SAMPLE_TIMEOUT
    """Seconds that a sample may take, with all its waiting. None: as long as it wants."""
    sample_retries: int = DEFAULT_SAMPLE_RETRIES
    """How often a sample is executed again that the infrastructure failed."""
    workers: int = 1
    """How many processes execute samples. 1 with the executor `local`: this process itself."""
    executor: ExecutorName = "local"
    """Where they are: on this machine, or in a Ray cluster."""
    ray_address: str | None = None
    """The Ray cluster to join, such as `auto` or `head:6379`. None: one on this machine."""
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
        if self.workers < 1:
            raise RunError(f"There must be at least 1 worker, not {self.workers}.")
        if self.executor not in get_args(ExecutorName):
            known = ", ".join(map(repr, get_args(ExecutorName)))
            raise RunError(f"There is no executor {self.executor!r}. Name one of {known}.")
        if self.ray_address is not None and self.executor != "ray":
            raise RunError(
                f"The Ray address {self.ray_address!r} needs the executor 'ray': --executor ray."
            )

        if self.is_sharded and self.budget:
            raise RunError(
                "Workers do not share a budget, which is kept where calls are made. Leave out the "
                "limits, also those in [tool.linenotes.budget], or use 1 worker in this process."
            )

    @property
    def is_sharded(self) -> bool:
        """Whether other processes than this one execute the samples."""
        return self.workers > 1 or self.executor != "local"

    @property
    def threads(self) -> int:
        """How many nodes that are not async a process runs at a time, parallel ones included."""
        return max(32, 2 * self.concurrency)
