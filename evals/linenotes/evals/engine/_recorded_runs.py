"""The recordings of an evaluation's runs: one library for each agent, shared by its versions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from linenotes.evals.engine._engine import Job
from linenotes.evals.engine._failures import attribute
from linenotes.evals.journal._plans import RunPlan
from linenotes.project import LinenotesError, Project
from linenotes.tracing import (
    Library,
    RecordingPolicy,
    RecordingUse,
    open_recordings,
    otlp_target,
    recordings_in_use,
)


class RecordedRuns:
    """Opens libraries as runs need them; leaving the block puts what is new into their files.

    Of nested blocks the outermost counts.
    """

    def __init__(self, project: Project, asked: RecordingPolicy | None) -> None:
        self._project = project
        self._asked = asked
        self._libraries: dict[tuple[str, str, RecordingPolicy], Library] = {}
        self._of_run: dict[str, Library] = {}
        self._open = ExitStack()
        self._blocks = 0

    def __enter__(self) -> Self:
        if not self._blocks:
            self._open.enter_context(recordings_in_use())
        self._blocks += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._blocks -= 1
        if not self._blocks:
            self._libraries.clear()
            self._open.__exit__(kind, error, traceback)

    def jobs(self, plan: RunPlan, jobs: Iterable[Job]) -> list[Job]:
        """Return the jobs of a run with the recordings that its policy asks for.

        Raises:
            RecordingError: the file of recordings cannot be used.
        """
        library = self.library(plan)
        return [replace(job, recordings=library) for job in jobs]

    def use(self, run_id: str) -> RecordingUse | None:
        """Return what became of the calls of a run; None where recordings played no part."""
        library = self._of_run.get(run_id)
        return library.use if library else None

    def library(self, plan: RunPlan) -> Library | None:
        """Return the recordings that the policy of a run asks for; None where it asks for none.

        Raises:
            RecordingError: the file of recordings cannot be used.
        """
        policy = self._asked or plan.recordings
        if not policy.is_on:
            return None
        key = (plan.dataset.name, plan.agent, policy)
        if key not in self._libraries:
            dataset, agent, _ = key
            library = open_recordings(
                self._project,
                policy,
                dataset=dataset,
                agent=agent,
                is_answer=is_answer,
                own_hosts=_own_hosts(self._project),
            )
            self._libraries[key] = self._open.enter_context(library)
        self._of_run[plan.run_id] = self._libraries[key]
        return self._libraries[key]


@contextmanager
def keys_for_replay(project: Project, policy: RecordingPolicy | None) -> Iterator[None]:
    """Stand in for keys that are not set, while nothing is called: clients do not start without.

    What is called for real needs its own, so with live agents nothing is set.
    """
    if policy is None or not policy.is_closed or policy.live:
        yield
        return
    named = {"OPENAI_API_KEY", *(m.api_key_env for m in project.settings.models.values())}
    missing = {name for name in named if not os.environ.get(name)}
    os.environ.update(dict.fromkeys(missing, "a-replay-needs-no-key"))
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


def _own_hosts(project: Project) -> set[str]:
    """Return the hosts of the store and of the collector: agents' models are not there."""
    target = otlp_target(project)
    places = [project.tracking_uri, *([target.endpoint] if target else [])]
    return {host for place in places if (host := urlsplit(place).hostname)}


def is_answer(error: BaseException) -> bool:
    """Tell whether a model or a tool answered with `error`, and nothing failed on the way to it."""
    try:
        return attribute(error).kind == "agent"
    except LinenotesError:
        return False
