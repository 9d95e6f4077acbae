"""Traces go to the store while other samples still run, in a thread of their own.

The thread is told of a scored sample by its name only and reads it from the disk, so what waits
costs no memory. A slow store makes nobody wait but the end, and one that fails does not end the
run: what it did not take is written at the end, where a failure is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Self

from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.publishing._publisher import BATCH_TRACES, Publisher, SampleRow
from linenotes.project import StoreError

_PATIENCE = 1.0
"""Seconds that a batch waits to be full."""


class EarlyPublishing:
    """Publishes the samples that it is told of; leaving the block waits for all of them.

    Without a publisher it does nothing.
    """

    def __init__(self, publisher: Publisher | None) -> None:
        self._publisher = publisher
        self._waiting: SimpleQueue[tuple[Journal, SampleKey]] = SimpleQueue()
        self._batch_waits = Event()
        """Set when as much waits as is written at once, or when nothing more will come."""
        self._rows: dict[str, dict[SampleKey, SampleRow]] = defaultdict(dict)
        self._given_up = False
        self._is_over = False
        self.failed = False
        """Whether the store did not take something."""
        self._thread = Thread(target=copy_context().run, args=(self._work,), daemon=True)

    def add(self, journal: Journal, key: SampleKey) -> None:
        """Publish a sample that a run's journal holds with its scores."""
        if self._publisher is not None:
            self._waiting.put((journal, key))
            if self._waiting.qsize() >= BATCH_TRACES:
                self._batch_waits.set()

    def rows(self, record: RunRecord) -> Mapping[SampleKey, SampleRow]:
        """Return the table rows of the run's samples that the store has taken."""
        return self._rows[record.plan.run_id]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._given_up |= kind is not None
        self._is_over = True
        self._batch_waits.set()
        self._thread.join()

    def _work(self) -> None:
        if self._publisher is None:
            return
        try:
            while not self._given_up:
                is_over = self._is_over
                batch = self._next_batch()
                self._write(batch, self._publisher)
                if is_over and not batch:
                    return
        except StoreError:
            self.failed = True

    def _next_batch(self) -> list[tuple[Journal, SampleKey]]:
        """Return what waits, at most a batch of it; wait a while for a whole one."""
        # Woken by each sample, the thread would take the interpreter from the agents as often.
        if not self._is_over and self._waiting.qsize() < BATCH_TRACES:
            self._batch_waits.wait(_PATIENCE)
        self._batch_waits.clear()
        batch: list[tuple[Journal, SampleKey]] = []
        with suppress(Empty):
            while len(batch) < BATCH_TRACES:
                batch.append(self._waiting.get_nowait())
        return batch

    def _write(self, batch: list[tuple[Journal, SampleKey]], publisher: Publisher) -> None:
        keys: dict[str, list[SampleKey]] = defaultdict(list)
        journals = {journal.plan.run_id: journal for journal, _ in batch}
        for journal, key in batch:
            keys[journal.plan.run_id].append(key)
        for run_id, of_run in keys.items():
            rows = publisher.write_traces(journals[run_id].record, of_run)
            self._rows[run_id] |= rows
