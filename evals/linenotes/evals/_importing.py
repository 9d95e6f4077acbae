"""A run that was carried out elsewhere: conversations from a file, journalled and published.

The file's content and how it is read are the import's identity, from which its traces have their
ids. So the same file imported again is the same run: what the journal lacks is added, everything
is published once more, and nothing is there twice. The whole file is read before anything is
written.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from linenotes.agents import VersionCard
from linenotes.datasets import Case, Dataset
from linenotes.evals._evaluation import publish_run
from linenotes.evals._failures import attribute_text
from linenotes.evals._journal import Journal
from linenotes.evals._plans import DatasetInPlan, ImportInPlan, RunPlan
from linenotes.evals._progress import Progress, Silent
from linenotes.evals._publisher import Publisher
from linenotes.evals._results import RunResult
from linenotes.evals._runs import RunStore
from linenotes.evals._samples import Sample, Score
from linenotes.project import Project, Redactor, RunError, StoreError, TraceFileError, digest
from linenotes.tracing import ImportedConversation, MlflowStore, open_store, read_conversations
from linenotes.tracing import file_digest as digest_of

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.evals.statistics import Target
    from linenotes.tracing import FileFormat


@dataclass(frozen=True)
class ImportedRun:
    """What came of an import."""

    result: RunResult
    again: bool
    """True when the same file had been imported before, so that nothing was added."""


@dataclass(frozen=True)
class ImportOrder:
    """A file, and how it is to be read."""

    path: Path
    agent: str | None = None
    """Who says the assistant messages that have no name. None stands for `agent`, or the agent
    that spans name."""
    name: str | None = None
    """The version's label; None stands for the file's name."""
    metric: str = "reward"
    """The name of the reward."""
    file_format: FileFormat = "auto"

    @property
    def label(self) -> str:
        """What a person calls the version in a table."""
        return self.name or self.path.stem

    def identity(self, content: str) -> str:
        """Return what sets the import of this content apart from all others."""
        return digest([content, self.agent, self.label, self.metric, self.file_format])


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
    content = digest_of(order.path)
    identity = order.identity(content)
    runs = RunStore.of(project)
    known = next((p for p in runs.plans() if p.imported and p.imported.identity == identity), None)
    conversations = _read(order, identity, progress)
    progress.stage("Opening the store")
    creating = partial(progress.stage, "Creating the store, once")
    with project.redactor.in_force(), open_store(project, on_create=creating) as store:
        _refuse_taken_ids(store, conversations, known)
        conversations = _redacted(conversations)
        publisher = Publisher(store)
        if known is None:
            journal = _create(runs, publisher, _begin(publisher, order, content, conversations))
        else:
            journal = runs.open(known)  # another process may be writing it
        with journal, _stopped_on_failure(publisher, journal.plan.run_id):
            added = _write(journal, conversations)
            result = _publish(publisher, journal, target, progress)
    return ImportedRun(result, again=known is not None and not added)


@contextmanager
def _stopped_on_failure(publisher: Publisher, run_id: str) -> Iterator[None]:
    """No run is left that seems to be going on."""
    try:
        yield
    except BaseException:
        publisher.mark_stopped(run_id)
        raise


def _create(runs: RunStore, publisher: Publisher, plan: RunPlan) -> Journal:
    with _stopped_on_failure(publisher, plan.run_id):
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
    masked = {name: iter(redactor.value(trials)) for name, trials in _by_case(conversations)}
    # Ids stay apart here; the plan has them redacted, too.
    return deque(replace(next(masked[one.case]), case=one.case) for one in conversations)


def _refuse_taken_ids(
    store: MlflowStore, conversations: Sequence[ImportedConversation], known: RunPlan | None
) -> None:
    """Spans bring their trace ids along, and writing over another run's trace would lose it."""
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


def _begin(
    publisher: Publisher,
    order: ImportOrder,
    content: str,
    conversations: Sequence[ImportedConversation],
) -> RunPlan:
    agent = order.agent or conversations[0].trace.name
    composition: dict[str, JsonValue] = {"agent": agent, "file": content, "models": {}}
    dataset = Dataset(order.path.stem, _cases(conversations))
    card = VersionCard(
        agent=agent,
        label=order.label,
        fingerprint=digest(composition),
        params={"agent": agent, "version": order.label, "imported": order.path.name},
    )
    group = secrets.token_hex(8)
    model_id = publisher.log_version(card)
    run_id = publisher.start_run(card, dataset, group=group, numbers={}, model_id=model_id)
    metrics = tuple(dict.fromkeys(name for one in conversations for name in one.scores))
    return RunPlan(
        run_id=run_id,
        group=group,
        created=datetime.now(UTC),
        agent=agent,
        graph=order.path.name,
        version=order.label,
        fingerprint=card.fingerprint,
        composition=composition,
        prompts={},
        models={},
        commit=None,
        model_id=model_id,
        dataset=DatasetInPlan(name=dataset.name, digest=dataset.digest),
        cases=dataset.cases,
        samples=max(Counter(one.case for one in conversations).values()),
        baseline=False,
        seed=0,
        scorers=tuple(f"imported:{name}" for name in metrics),
        metrics=metrics,
        imported=ImportInPlan(
            file=order.path.name,
            identity=order.identity(content),
            samples=len(conversations),
            timed=all(one.timed for one in conversations),
        ),
    )


def _cases(conversations: Sequence[ImportedConversation]) -> tuple[Case, ...]:
    return tuple(_case(name, of_case) for name, of_case in _by_case(conversations))


def _case(name: str, trials: Sequence[ImportedConversation]) -> Case:
    try:
        return Case(
            id=name,
            inputs=_shared([one.inputs for one in trials]),
            expectations=_shared([one.expectations for one in trials]),
        )
    except ValidationError as error:
        wrong = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise TraceFileError(
            f"{trials[0].place}: the task {name!r:.80} cannot be a case: {wrong}. Mend it there."
        ) from None


def _by_case(
    conversations: Sequence[ImportedConversation],
) -> Iterable[tuple[str, list[ImportedConversation]]]:
    trials: dict[str, list[ImportedConversation]] = {}
    for one in conversations:
        trials.setdefault(one.case, []).append(one)
    return trials.items()


def _shared(trials: Sequence[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """Return what all trials of a task say alike: only that is of the task."""
    first = trials[0]
    return {
        key: value
        for key, value in first.items()
        if all(key in trial and trial[key] == value for trial in trials)
    }


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
