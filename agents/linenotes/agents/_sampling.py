"""The sample that is being executed, and the seed that each of its model calls gets.

One seed for all samples would give every case the same first random draw, so each call derives
its own from (seed of the run, case, sample, role, request, ordinal). The ordinal counts equal
requests of one role within the sample: three voters with one prompt stay three, and the order in
which parallel agents happen to call does not matter.
"""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SampleScope:
    """One execution of one case: the identity from which its seeds derive."""

    case: str
    sample: int
    seed: int = 0
    """The seed of the run."""
    _ordinals: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _waits: list[float] = field(default_factory=list, repr=False)

    @property
    def waited(self) -> float:
        """Seconds that its answered model calls waited for endpoints that were busy or failed."""
        return sum(self._waits)

    def wait_for_endpoint(self, seconds: float) -> None:
        """Note how long a model call waited before the attempt that was its last."""
        self._waits.append(seconds)

    def call_seed(self, role: str, request_digest: str) -> int:
        """Return the seed (31 bits) of `role`'s next call with this request."""
        with self._lock:
            ordinal = self._ordinals[role, request_digest]
            self._ordinals[role, request_digest] += 1
        parts = (self.seed, self.case, self.sample, role, request_digest, ordinal)
        identity = "\x1f".join(str(part) for part in parts)
        return zlib.crc32(identity.encode()) & 0x7FFFFFFF


_current: ContextVar[SampleScope | None] = ContextVar("linenotes_sample", default=None)


def current_sample() -> SampleScope | None:
    """Return the sample that this code runs in; None in a user's own script."""
    return _current.get()


@contextmanager
def sample_scope(scope: SampleScope) -> Iterator[SampleScope]:
    """Make `scope` the current sample for the code inside the block and all it starts."""
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)
