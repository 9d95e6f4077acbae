"""A run that was carried out elsewhere: conversations from a file, journalled and published.

The file's content and how it is read are the import's identity, from which its traces have their
ids. So the same file imported again is the same run: what the journal lacks is added, everything
is published once more, and nothing is there twice. The whole file is read before anything is
written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from linenotes.datasets import Case
from linenotes.evals._results import RunResult
from linenotes.evals._storing import publish_run
from linenotes.evals.engine._failures import attribute_text
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.importing._import_plans import (
    ImportOrder,
    by_case,
    imported_before,
    start_import,
)
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.publishing._publisher import Publisher
from linenotes.project import Project, Redactor, RunError, StoreError
from linenotes.tracing import (
    ImportedConversation,
    MlflowStore,
    file_digest,
    open_store,
    read_conversations,
)

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


@dataclass(frozen=True)
class ImportedRun:
    """What came of an import."""

    result: RunResult
    again: bool
    """True when the same file had been imported before, so that nothing was added."""


def import_run(
    order: ImportOrder,
    project: Project | None = None,
    *,
    target: Target = "population",
    progress: Progress | None = None,
) -> ImportedRun:
    """Make a run of the conversations that a file holds.

    Raises:
        TraceFileError: the file is not one that is read; nothing of it was imported.
        LinenotesError: something else that the caller can mend; what had been written is kept,
            and importing again completes it.
    """
    project = project or Project.find()
    progress = progress or Silent()
    content = file_digest(order.path)
    identity = order.identity(content)
    runs = RunStore.of(project)
    known = imported_before(runs, identity)
    conversations = _read(order, identity, progress)
    progress.stage("Opening the store")
    creating = partial(progress.stage, "Creating the store, once")
    with project.redactor.in_force(), open_store(project, on_create=creating) as store:
        _refuse_taken_ids(store, conversations, known)
        conversations = _redacted(conversations)
        publisher = Publisher(store)
        if known is None:
            sequence = runs.next_sequence()
            plan = start_import(publisher, order, content, conversations, sequence=sequence)
            journal = _create(runs, publisher, plan)
        else:
            journal = runs.open(known)  # raises if another process writes it
        with journal, _stopped_on_failure(publisher, journal.plan):
            added = _write(journal, conversations)
            result = _publish(publisher, journal, target, progress)
    return ImportedRun(result, again=known is not None and not added)


@contextmanager
def _stopped_on_failure(publisher: Publisher, plan: RunPlan) -> Iterator[None]:
    """Mark the run as stopped in MLflow when the block fails, so that it does not look running."""
    try:
        yield
    except BaseException:
        publisher.mark_stopped(plan)
        raise


def _create(runs: RunStore, publisher: Publisher, plan: RunPlan) -> Journal:
    with _stopped_on_failure(publisher, plan):
        return Journal.create(runs.path(plan.run_id), plan)


def _read(order: ImportOrder, identity: str, progress: Progress) -> deque[ImportedConversation]:
    progress.stage(f"Reading {order.path.name}")
    return deque(
        read_conversations(
            order.path,
            identity=identity,
            agent=order.agent,
            metric=order.metric,
            file_format=order.file_format,
        )
    )


def _redacted(conversations: Sequence[ImportedConversation]) -> deque[ImportedConversation]:
    """Mask in all trials of a task what any of them gives away as a secret."""
    redactor = Redactor.current()
    masked = {name: iter(redactor.value(trials)) for name, trials in by_case(conversations)}
    # Ids stay apart here; the plan has them redacted, too.
    return deque(replace(next(masked[one.case]), case=one.case) for one in conversations)


def _refuse_taken_ids(
    store: MlflowStore, conversations: Sequence[ImportedConversation], known: RunPlan | None
) -> None:
    """Refuse spans whose trace ids the store has for another run, which would lose that trace."""
    ours = known.run_id if known else None
    taken = store.runs_of([one.trace.trace_id for one in conversations])
    for one in conversations:
        owner = taken.get(one.trace.trace_id, ours)
        if owner != ours:
            where = f"of run {owner[:12]}" if owner else "without a run"
            raise RunError(
                f"{one.place}: trace {one.trace.trace_id} is in the store already, {where}. "
                "Import into another store: LINENOTES_STATE names its folder."
            )


def _write(journal: Journal, conversations: deque[ImportedConversation]) -> int:
    """Write into the journal what it lacks, and return how many conversations that is.

    The conversations are let go one by one: the journal knows them from then on.
    """
    record = journal.record
    named = dict.fromkeys(one.case for one in conversations)
    cases = dict(zip(named, journal.plan.cases, strict=True))  # their ids may be redacted there
    added = 0
    while conversations:
        one = conversations.popleft()
        sample = _sample(one, cases[one.case])
        key = (sample.case.id, sample.index)
        if key not in record.outcomes:
            journal.finished(sample)
            added += 1
        if key not in record.scores:
            scores = tuple(Score(name, value) for name, value in one.scores.items())
            journal.scored(sample, scores)
    return added


def _sample(one: ImportedConversation, case: Case) -> Sample:
    failure = attribute_text(one.trace.error) if one.trace.error else None
    return Sample(case, one.sample, one.trace.response, one.trace, failure)


def _publish(
    publisher: Publisher, journal: Journal, target: Target, progress: Progress
) -> RunResult:
    record = journal.record
    progress.stage("Publishing to MLflow", total=len(record.outcomes))
    try:
        return publish_run(publisher, record, target=target, progress=progress)
    except StoreError as error:
        raise StoreError(
            f"{error} All {len(record.outcomes)} conversations are kept in the journal: importing "
            "the file again publishes them."
        ) from error
