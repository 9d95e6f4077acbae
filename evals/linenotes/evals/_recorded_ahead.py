"""What recordings there are of an evaluation's samples, before it is started.

A recording is found by what is asked, so which of them will be the answer is known only when it
runs: this counts those of the samples that are planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linenotes.datasets import Dataset
from linenotes.evals._evaluation import Arm
from linenotes.project import Project
from linenotes.tracing import RecordingPolicy, recorded_counts, recording_path


@dataclass(frozen=True)
class RecordedAhead:
    """The recordings of one agent's planned samples."""

    agent: str
    path: Path
    samples: int
    """Planned samples that have recordings; versions share them."""
    planned: int
    calls: int
    """Recorded calls of those."""


def recorded_ahead(
    project: Project, arms: Sequence[Arm], dataset: Dataset, policy: RecordingPolicy
) -> tuple[RecordedAhead, ...]:
    """Return what is recorded for each agent; nothing where no recording is to be replayed.

    Raises:
        RecordingError: a file of recordings cannot be read.
    """
    if not policy.replays:
        return ()
    deepest: dict[str, int] = {}
    for arm in arms:
        name = arm.version.agent.name
        deepest[name] = max(arm.samples, deepest.get(name, 0))
    return tuple(_of(project, agent, dataset, range(k)) for agent, k in deepest.items())


def _of(project: Project, agent: str, dataset: Dataset, indices: Iterable[int]) -> RecordedAhead:
    counts = recorded_counts(project, dataset=dataset.name, agent=agent)
    planned = [(case.id, index) for index in indices for case in dataset.cases]
    found = [counts[key] for key in planned if key in counts]
    path = recording_path(project, dataset=dataset.name, agent=agent)
    return RecordedAhead(agent, path, len(found), len(planned), sum(found))
