"""The book of runs: every callback run of one recording, by id, and which of them make spans.

A run becomes a `Task` when LangGraph's metadata say so: a node of a graph, or a function of the
functional API. The graph that a task belongs to opens a `Scope` with its first task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._langgraph import START
from linenotes.tracing.recorder._actors import (
    activation_of,
    is_call,
    is_edge,
    open_scope,
    task_step,
)
from linenotes.tracing.recorder._running_graph import running_graph
from linenotes.tracing.recorder._runs import Run, RunKind, Scope, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from linenotes.tracing.recorder._cached_tasks import CachedTask


class RunLog:
    """The runs of one recording."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.runs: list[Run] = []
        """The runs in the order in which they began, without plumbing."""
        self.roots: list[Run] = []
        self._clock = clock
        self._by_id: dict[UUID, Run] = {}
        self._scopes = 0

    def start_chain(
        self,
        run_id: UUID,
        parent_id: UUID | None,
        name: str,
        inputs: object,
        *,
        tags: Sequence[str],
        details: Mapping[str, object],
    ) -> Run:
        """Note that a graph, a node or anything in between began."""
        parent = self._parent(parent_id, details)
        if parent is None:
            run = self._new("chain", name, None, details, inputs)
            run.graph = running_graph()
            self.roots.append(run)
        elif (step := task_step(tags)) is not None:
            run = self._new_task(parent, name, step, details, inputs)
        elif is_call(parent, details):
            run = self._new_task(parent, name, parent.calls, details, inputs)
            parent.calls += 1
        else:
            run = self._new("chain", name, parent, details, inputs)
            run.is_edge = is_edge(run, tags)
            run.graph = None if run.is_edge else running_graph()
        self._by_id[run_id] = run
        return run

    def start(
        self,
        kind: RunKind,
        run_id: UUID,
        parent_id: UUID | None,
        name: str,
        inputs: object,
        *,
        details: Mapping[str, object],
    ) -> Run:
        """Note that a model, a tool or a retriever began."""
        parent = self._parent(parent_id, details)
        run = self._by_id[run_id] = self._new(kind, name, parent, details, inputs)
        self.runs.append(run)
        return run

    def _parent(self, parent_id: UUID | None, details: Mapping[str, object]) -> Run | None:
        """Return what a run is inside of; callbacks of its own cut it off, metadata tell."""
        if parent_id:
            return self._by_id.get(parent_id)
        place = details.get("langgraph_checkpoint_ns")
        tasks = (run for run in reversed(self.runs) if isinstance(run, Task)) if place else ()
        return next((task for task in tasks if task.namespace == place), None)

    def end(self, run_id: UUID) -> Run:
        """Note that a run ended, well or not."""
        run = self._by_id[run_id]
        run.end_ns = self._clock()
        return run

    def running_tasks(self) -> list[Task]:
        """Return the tasks that have not ended."""
        return [run for run in self.runs if isinstance(run, Task) and run.end_ns is None]

    def clear(self) -> None:
        """Let go of all runs."""
        for run in self._by_id.values():
            run.part()
        self._by_id.clear()
        self.runs, self.roots = [], []

    def _new(
        self,
        kind: RunKind,
        name: str,
        parent: Run | None,
        details: Mapping[str, object],
        inputs: object,
    ) -> Run:
        task = parent.task if parent else None
        return Run(kind, name, parent, self._clock(), details=details, inputs=inputs, task=task)

    def skipped_task(self, parent: Run, skipped: CachedTask) -> Task:
        """Note belatedly that a task had its output from a cache."""
        details = {"langgraph_node": skipped.node, names.FROM_CACHE: True}
        return self._new_task(parent, skipped.node, skipped.step, details, skipped.inputs)

    def open_scope(self, run: Run, first_step: int) -> Scope:
        """Note that `run` is the run of a graph."""
        self._scopes += 1
        run.scope = open_scope(run, number=self._scopes, first_step=first_step)
        return run.scope

    def _new_task(
        self, parent: Run, name: str, step: int, details: Mapping[str, object], inputs: object
    ) -> Task:
        node = str(details.get("langgraph_node") or name)
        opens = parent.scope is None
        scope = parent.scope or self.open_scope(parent, first_step=step + (node == START))
        task = Task(
            "chain",
            name,
            parent,
            self._clock(),
            details=details,
            inputs=inputs,
            within=scope,
            node=node,
            step=step,
            namespace=str(details.get("langgraph_checkpoint_ns") or ""),
            slot=scope.slot(step),
        )
        task.task = task
        task.stage = activation_of(task)
        scope.heard.add((step, node))
        if opens and scope.activation and scope.activation.run is parent:
            self.runs.append(parent)
        self.runs.append(task)
        return task
