"""The store of an evaluation: used while it can be reached, and done without while it cannot.

The journal is the truth and the store is filled from it, so an evaluation goes on without a store
and publishes at its end, or whenever somebody asks for it. What the store does not get is an error
that carries what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from linenotes.evals._repeats import repeats
from linenotes.evals._report import run_note
from linenotes.evals._results import RunResult, estimate_all
from linenotes.evals.engine._progress import Progress
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.publishing._early_publishing import EarlyPublishing
from linenotes.evals.publishing._publisher import NOTHING_WRITTEN, Publisher, SampleRow, Stored
from linenotes.project import Project, StoreError, StoreOutageError
from linenotes.tracing import open_store

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


class NotPublished(StoreError):  # noqa: N818  it is about what was measured, which is no error
    """What was measured stands in the journal, and the store lacks some of it."""

    def __init__(self, message: str, results: Sequence[RunResult]) -> None:
        super().__init__(message)
        self.results = results
        """What was measured."""


@dataclass(frozen=True)
class Storing:
    """Opens the store of a project, begins runs in it and publishes them."""

    project: Project
    target: Target
    progress: Progress

    @contextmanager
    def opened(self) -> Iterator[Publisher]:
        """Open the store.

        Raises:
            StoreError: it cannot be used.
        """
        self.progress.stage("Opening the store")
        creating = partial(self.progress.stage, "Creating the store, once")
        with open_store(self.project, on_create=creating) as store:
            yield Publisher(store)

    @contextmanager
    def opened_if_up(self) -> Iterator[Publisher | None]:
        """Open the store, or do without one that cannot be reached.

        Raises:
            StoreError: what is wrong with it will not pass by itself.
        """
        with ExitStack() as opened:
            publisher = None
            try:
                publisher = opened.enter_context(self.opened())
            except StoreOutageError as error:
                self._go_on_without(error)
            yield publisher

    def begin(self, publisher: Publisher | None, plans: Sequence[RunPlan]) -> list[RunPlan]:
        """Start the MLflow runs as far as the store can be reached; return the plans with them."""
        if publisher is None:
            return list(plans)
        begun: list[RunPlan] = []
        try:
            for plan in plans:
                begun.append(publisher.begin(plan))  # noqa: PERF401  the next one may fail
        except StoreOutageError as error:
            self._go_on_without(error)
        return [*begun, *plans[len(begun) :]]

    def publish(
        self,
        publisher: Publisher | None,
        records: Sequence[RunRecord],
        early: EarlyPublishing | None = None,
    ) -> list[RunResult]:
        """Write what the store lacks of whole runs; without a publisher the store is opened first.

        Raises:
            NotPublished: the store does not take it.
        """
        written = [early.rows(record) if early else NOTHING_WRITTEN for record in records]
        lacking = sum(len(record.outcomes) for record in records) - sum(map(len, written))
        try:
            with nullcontext(publisher) if publisher else self.opened() as reached:
                if lacking or early is None:  # what was written early has been announced
                    self.progress.stage("Publishing to MLflow", total=lacking or None)
                return [
                    publish_run(
                        reached, record, written=rows, target=self.target, progress=self.progress
                    )
                    for record, rows in zip(records, written, strict=True)
                ]
        except StoreError as error:
            measured = [
                self._measured(record, stored=len(rows))
                for record, rows in zip(records, written, strict=True)
            ]
            raise NotPublished(_not_published(error, records), measured) from error

    def _go_on_without(self, error: StoreOutageError) -> None:
        self.progress.note(f"{error} Until then everything is kept in the journal.")

    def _measured(self, record: RunRecord, *, stored: int) -> RunResult:
        """Return what was measured by a run of which the store has `stored` traces."""
        traces = Stored(len(record.outcomes), stored)
        return RunResult(record, estimate_all(record, self.target), traces, repeats(record))


def publish_run(
    publisher: Publisher,
    record: RunRecord,
    *,
    written: Mapping[SampleKey, SampleRow] = NOTHING_WRITTEN,
    target: Target,
    progress: Progress,
) -> RunResult:
    """Write what the store lacks of a whole run to MLflow, and return what was measured.

    Raises:
        StoreError: the store does not take it.
    """
    estimates = estimate_all(record, target)
    repeated = repeats(record)
    note = run_note(record, estimates, repeated)
    stored = publisher.publish(
        record, estimates, repeated, note=note, written=written, progress=progress
    )
    return RunResult(record, estimates, stored, repeated)


def _not_published(error: StoreError, records: Sequence[RunRecord]) -> str:
    total = sum(len(record.outcomes) for record in records)
    publish = " and ".join(f"`linenotes publish {r.plan.run_id[:12]}`" for r in records)
    return (
        f"{error} Not published: all {total} samples are kept in the journal, and {publish} "
        "stores them without running the agent again."
    )
