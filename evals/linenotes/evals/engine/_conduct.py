"""How an evaluation is carried out: all that does not change what it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from linenotes.project import RunError

DEFAULT_CONCURRENCY = 8
ExecutorName = Literal["local", "ray"]


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How the samples of an evaluation are executed.

    Raises:
        RunError: a value that nothing could run with.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    """How many samples are in flight, over all workers."""
    workers: int = 1
    """How many processes execute samples. 1 with the executor `local`: this process itself."""
    executor: ExecutorName = "local"
    """Where they are: on this machine, or in a Ray cluster."""
    ray_address: str | None = None
    """The Ray cluster to join, such as `auto` or `head:6379`. None: one on this machine."""

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise RunError(
                f"Concurrency must be at least 1 sample at a time, not {self.concurrency}."
            )
        if self.workers < 1:
            raise RunError(f"There must be at least 1 worker, not {self.workers}.")
        if self.executor not in get_args(ExecutorName):
            known = ", ".join(map(repr, get_args(ExecutorName)))
            raise RunError(f"There is no executor {self.executor!r}. Name one of {known}.")
        if self.ray_address is not None and self.executor != "ray":
            raise RunError(
                f"The Ray address {self.ray_address!r} needs the executor 'ray': --executor ray."
            )

    @property
    def is_sharded(self) -> bool:
        """Whether other processes than this one execute the samples."""
        return self.workers > 1 or self.executor != "local"

    @property
    def threads(self) -> int:
        """How many nodes that are not async a process runs at a time, parallel ones included."""
        return max(32, 2 * self.concurrency)
