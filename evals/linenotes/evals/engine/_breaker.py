"""What follows when the infrastructure fails samples: they are tried again, or the run ends.

A failed sample is executed again after a pause, which keeps its place among those in flight: the
more samples fail in a row, the longer the pauses, so that an endpoint under too much load gets less
of it, whoever made its client. When an endpoint is gone, every sample of a version fails, and the
run ends. One bad case does not end it, and versions with other endpoints do not hide it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.evals.engine._metered_sample import Unfinished
from linenotes.evals.engine._stop import Stop
from linenotes.evals.engine._time_limit import OutOfTimeError
from linenotes.evals.journal._samples import Failure, Sample
from linenotes.evals.journal._spending import Spending
from linenotes.project import ModelError

if TYPE_CHECKING:
    from linenotes.evals.engine._engine import Job

_DISTINCT = 3
"""Fewer cases than these may be to blame themselves."""
_HOPELESS = 10
"""So many times the patience ends a run whatever the cases."""
_LONGEST_PAUSE = 30.0


@dataclass
class Breaker:
    """Counts, for each version, the samples in a row that the infrastructure failed."""

    patience: int
    """How many of several cases end the run."""
    retries: int = 0
    """How often a sample is executed again."""
    stop: Stop = field(default_factory=Stop)
    """Once it is asked, nothing is executed again."""
    jitter: Callable[[], float] = random.random
    _failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Version to the cases of the samples that failed since one did not."""
    _tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Version to the tries that failed since one did not: they pace those that follow."""

    async def persist(
        self,
        job: Job,
        run: Callable[[], Awaitable[Sample | Unfinished]],
        *,
        lost: Callable[[Sample], None] = lambda _: None,
    ) -> Sample | Unfinished:
        """Return the sample of `job`, executed by `run` until it is whole or that is hopeless.

        What is executed again goes to `lost`, since it was paid for. It is unfinished when a stop
        is asked before that.
        """
        for _ in range(self.retries):
            sample = await run()
            if isinstance(sample, Unfinished) or not _may_be_mended(sample.error):
                self._tries[job.run_id] = 0
                return sample
            lost(sample)
            self._tries[job.run_id] += 1
            if await self.stop.asked_within(self._pause(job)):
                return Unfinished(Spending())
        return await run()

    def note(self, job: Job, sample: Sample) -> None:
        """Count a sample.

        Raises:
            ModelError: the endpoint is gone.
        """
        failed = self._failed[job.run_id]
        if sample.error is None or sample.error.kind != "infrastructure":
            failed.clear()
            return
        failed.append(job.case.id)
        if self._is_gone(failed):
            reason = str(sample.error).rstrip(".")
            raise ModelError(
                f"The model's endpoint failed {len(failed)} samples in a row: {reason}. "
                "What had finished is kept. Check that the endpoint is up, and continue with "
                f"`linenotes eval --resume {job.run_id[:12]} --retry-errors`."
            )

    def _is_gone(self, failed: list[str]) -> bool:
        if len(failed) < self.patience:
            return False
        return len(set(failed)) >= _DISTINCT or len(failed) >= _HOPELESS * self.patience

    def _pause(self, job: Job) -> float:
        times = min(self._tries[job.run_id], 10)
        return min(_LONGEST_PAUSE, 2.0 ** (times - 1)) * (1 - 0.5 * self.jitter())


def _may_be_mended(error: Failure | None) -> bool:
    """Say whether another try may help; one that used up its time would use it up again."""
    return (
        error is not None
        and error.kind == "infrastructure"
        and error.type != OutOfTimeError.__name__
    )
