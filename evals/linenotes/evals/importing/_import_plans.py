"""What an import is before anything of it is written: what was ordered, its cases and its plan.

The trials of one task are the samples of one case, and what all of them say alike is the case.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from linenotes.datasets import Case, Dataset
from linenotes.evals.journal._plans import IMPORTED, DatasetInPlan, ImportInPlan, RunPlan
from linenotes.evals.journal._runs import RunStore
from linenotes.project import TraceFileError, digest

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.evals.publishing._publisher import Publisher
    from linenotes.tracing import FileFormat, ImportedConversation


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


def start_import(
    publisher: Publisher,
    order: ImportOrder,
    content: str,
    conversations: Sequence[ImportedConversation],
    *,
    sequence: int,
) -> RunPlan:
    """Start the run of an import in the store and return its plan; `content` is the file's digest.

    Raises:
        TraceFileError: a task of the file cannot be a case.
        StoreError: the store does not take the run.
    """
    agent = order.agent or conversations[0].trace.name
    imported = ImportInPlan(
        file=order.path.name,
        identity=order.identity(content),
        samples=len(conversations),
        timed=all(one.timed for one in conversations),
    )
    plan = imported_plan(
        imported,
        Dataset(order.path.stem, _cases(conversations)),
        agent=agent,
        label=order.label,
        content=content,
        samples=max(Counter(one.case for one in conversations).values()),
        metrics=tuple(dict.fromkeys(name for one in conversations for name in one.scores)),
        sequence=sequence,
    )
    return publisher.begin(plan)


def imported_plan(
    imported: ImportInPlan,
    dataset: Dataset,
    *,
    agent: str,
    label: str,
    content: str,
    samples: int,
    metrics: tuple[str, ...],
    sequence: int,
) -> RunPlan:
    """Return the plan of a run that a file holds; `content` is the file's digest."""
    composition = _composition(agent, content)
    return RunPlan(
        run_id=secrets.token_hex(16),
        group=secrets.token_hex(8),
        created=datetime.now(UTC),
        sequence=sequence,
        agent=agent,
        graph=imported.file,
        version=label,
        fingerprint=digest(composition),
        composition=composition,
        prompts={},
        models={},
        commit=None,
        model_id=None,
        dataset=DatasetInPlan(name=dataset.name, digest=dataset.digest),
        cases=dataset.cases,
        samples=samples,
        baseline=False,
        seed=0,
        scorers=tuple(IMPORTED + name for name in metrics),
        metrics=metrics,
        imported=imported,
    )


def imported_before(runs: RunStore, identity: str) -> RunPlan | None:
    """Return the run that an import of this identity made, if there was one."""
    for plan in runs.plans():
        if plan.imported is not None and plan.imported.identity == identity:
            return plan
    return None


def _composition(agent: str, content: str) -> dict[str, JsonValue]:
    """Return what the version is known to be made of: nothing but the file tells."""
    return {"agent": agent, "file": content, "models": {}}


def _cases(conversations: Sequence[ImportedConversation]) -> tuple[Case, ...]:
    return tuple(_case(name, of_case) for name, of_case in by_case(conversations))


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


def by_case(
    conversations: Sequence[ImportedConversation],
) -> Iterable[tuple[str, list[ImportedConversation]]]:
    """Return the conversations of each task, in the order in which the tasks come first."""
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
