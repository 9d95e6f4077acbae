"""The requests that a server is replying to, how many it takes at a time, and what went wrong."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from linenotes.evals.testing._exchange import Request
from linenotes.evals.testing._faults import Fault


class Traffic:
    """Counts requests; safe to call from many threads."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._now = 0
        self._seen: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self.most = 0
        """The most requests at the same time that were within the limit."""

    @property
    def faults(self) -> Counter[str]:
        """How often which kind of fault was met; the statuses by their number."""
        with self._lock:
            return Counter(self._faults)

    def seen(self, request: Request) -> int:
        """Count a request, and return how often the same one came before."""
        with self._lock:
            self._seen[request.digest] += 1
            return self._seen[request.digest] - 1

    def note(self, fault: Fault) -> None:
        """Count a fault."""
        name = str(fault.http_status) if fault.kind == "status" else fault.kind
        with self._lock:
            self._faults[name] += 1

    @contextmanager
    def one_more(self) -> Iterator[bool]:
        """Count a request as under way in the block; yield whether that is too many."""
        with self._lock:
            is_too_many = self._limit is not None and self._now >= self._limit
            self._now += not is_too_many
            self.most = max(self.most, self._now)
        try:
            yield is_too_many
        finally:
            with self._lock:
                self._now -= not is_too_many
