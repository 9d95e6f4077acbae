"""A LangGraph thread as it is kept: runs of graphs, their supersteps, and the tasks in each.

A checkpoint is the state before a superstep; what its tasks wrote is pending on it until the next
checkpoint. A graph inside a task has checkpoints of its own, under the namespace `node:task`.
Nothing names the node of a task, but a saver returns pending writes in the order of the tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from langgraph.types import Send

from linenotes.tracing._langgraph import NO_TASK, ROOT, START
from linenotes.tracing.sources._checkpoints import (
    channel_values,
    follows_a_gap,
    graph_path,
    is_control,
    lineage,
    namespace_of,
    node_name,
    ran_inside,
    step_number,
    tasks_to_run,
    time_ns,
)
from linenotes.tracing.sources._last_state import guessed_steps
from linenotes.tracing.sources._stored_values import SharedValues
from linenotes.tracing.sources._thread_records import Step, ThreadRun, ThreadTask, Writes

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.types import StateSnapshot

    from linenotes.tracing.sources._blueprint import Blueprint


def read_thread(kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> list[ThreadRun]:
    """Return the runs of the outermost graph of a thread, the first one first."""
    return _Reader(kept, blueprint).runs("")


class _Reader:
    def __init__(self, kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._shared = SharedValues()
        self._names: dict[str, dict[str, str]] = {}
        self._histories: dict[str, list[StateSnapshot]] = {}
        self._chains: dict[str, list[CheckpointTuple]] = {}
        for one in sorted(kept, key=lambda one: one.checkpoint["id"]):
            self._chains.setdefault(namespace_of(one), []).append(one)

    def runs(self, namespace: str) -> list[ThreadRun]:
        """Return the runs of the graph at a namespace: each begins with an input or after a gap."""
        runs: list[list[CheckpointTuple]] = []
        before: CheckpointTuple | None = None
        for one in lineage(self._chains.get(namespace, [])):
            if one.metadata.get("source") == "input" or follows_a_gap(before, one):
                runs.append([])
            runs[-1].append(one)
            before = one
        return [
            self._run(namespace, chain, previous[-1] if previous else None)
            for previous, chain in zip([None, *runs], runs, strict=False)
        ]

    def _run(
        self, namespace: str, chain: Sequence[CheckpointTuple], before: CheckpointTuple | None
    ) -> ThreadRun:
        first, pairs = chain[0], zip(chain, [*chain[1:], None], strict=True)
        kept = [step for one, after in pairs if (step := self._step(one, after)).tasks]
        return ThreadRun(
            path=graph_path(namespace),
            namespace=namespace,
            inputs=self._shared.fields(channel_values(first).get(START)),
            start_ns=time_ns(first),
            steps=[*self._missing_steps(before, first), *kept],
            outputs=self._state(chain[-1]),
            next=self._next(chain[-1]),
        )

    def _missing_steps(self, before: CheckpointTuple | None, first: CheckpointTuple) -> list[Step]:
        """Return what must have happened before the first checkpoint of a run."""
        if first.metadata.get("source") == "input":
            return []
        known = self._state(before) if before else None
        number = step_number(first)
        return guessed_steps(known, self._state(first), at_ns=time_ns(first), number=number)

    def _step(self, before: CheckpointTuple, after: CheckpointTuple | None) -> Step:
        end = after or before
        return Step(
            number=step_number(before) + 1,
            start_ns=time_ns(before),
            end_ns=time_ns(end),
            tasks=self._tasks(before, after),
            after=self._state(end),
        )

    def _next(self, last: CheckpointTuple) -> ThreadTask | None:
        to_run = tasks_to_run(last, None)
        wrote = any(task_id != NO_TASK for task_id, _, _ in last.pending_writes or ())
        return self._task(last, "", to_run[0], ()) if len(to_run) == 1 and not wrote else None

    def _tasks(self, before: CheckpointTuple, after: CheckpointTuple | None) -> list[ThreadTask]:
        wrote: dict[str, list[tuple[str, object]]] = {}
        for task_id, channel, value in before.pending_writes or ():
            if task_id != NO_TASK:
                wrote.setdefault(task_id, []).append((channel, value))
        nodes = self._nodes_of(before, after, list(wrote))
        return [
            self._task(before, task_id, nodes[task_id], tuple(writes))
            for task_id, writes in wrote.items()
            if task_id in nodes
        ]

    def _task(
        self, before: CheckpointTuple, task_id: str, node: str | Send, writes: Writes
    ) -> ThreadTask:
        name = node_name(node)
        outer = namespace_of(before)
        namespace = f"{outer}|{name}:{task_id}" if outer else f"{name}:{task_id}"
        given = node.arg if isinstance(node, Send) else self._state_read_by(name, before)
        return ThreadTask(
            id=task_id,
            node=name,
            namespace=namespace,
            given=self._shared.fields(given),
            pushed=isinstance(node, Send),
            writes=writes,
            runs=self._runs_inside(namespace, before),
        )

    def _runs_inside(self, namespace: str, before: CheckpointTuple) -> list[ThreadRun]:
        """Return the runs of the graphs inside a task: of this one, where it keeps its memory."""
        outer, _, own = namespace.rpartition("|")
        remembering = "|".join(filter(None, (outer, own.rpartition(":")[0])))
        numbered = (name for name in self._chains if name.startswith(f"{namespace}|"))
        repeated = [name for name in numbered if name.removeprefix(f"{namespace}|").isdigit()]
        runs = [run for name in (namespace, *repeated) for run in self.runs(name)]
        if remembering in self._chains:
            chain = lineage(self._chains[remembering])
            mine = [one for one in chain if ran_inside(one, before)]
            runs += [self._run(remembering, mine, None)] if mine else []
        return runs

    def _nodes_of(
        self, before: CheckpointTuple, after: CheckpointTuple | None, ids: Sequence[str]
    ) -> dict[str, str | Send]:
        """Return what each task ran: a node, or a Send."""
        to_run = tasks_to_run(before, after)
        inside = self._names_inside(namespace_of(before))
        nodes = dict(zip(ids, to_run, strict=False))
        agree = all(
            inside.get(task_id, node_name(node)) == node_name(node)
            for task_id, node in nodes.items()
        )
        if len(ids) == len(to_run) and agree:
            return nodes
        history = self._history(namespace_of(before))
        named = {task.id: task.name for one in history for task in one.tasks}
        return _matched_by_name(ids, to_run, inside | named)

    def _names_inside(self, namespace: str) -> dict[str, str]:
        """Return the names of the tasks that ran graphs: the namespaces of those have them."""
        if namespace not in self._names:
            inside = f"{namespace}|" if namespace else ""
            below = (name.removeprefix(inside) for name in self._chains if name.startswith(inside))
            named = (name.partition("|")[0].rpartition(":") for name in below)
            self._names[namespace] = {task_id: name for name, _, task_id in named if name}
        return self._names[namespace]

    def _history(self, namespace: str) -> list[StateSnapshot]:
        if namespace not in self._histories:
            self._histories[namespace] = self._blueprint.history(namespace)
        return self._histories[namespace]

    def _state_read_by(self, node: str, before: CheckpointTuple) -> object:
        state = self._state(before)
        reads = self._blueprint.reads(graph_path(namespace_of(before)), node)
        if node == START or not isinstance(state, dict) or reads is None:
            return state
        return {name: value for name, value in state.items() if name in reads}

    def _state(self, one: CheckpointTuple) -> object:
        values = channel_values(one)
        if ROOT in values:
            return values[ROOT]
        state = {name: value for name, value in values.items() if not is_control(name)}
        written = one.checkpoint["channel_versions"].keys()
        if any(name not in values and not is_control(name) for name in written):
            state = {**self._merged_state(one), **state}
        return self._shared.fields(state)

    def _merged_state(self, one: CheckpointTuple) -> Mapping[str, object]:
        """Return the state as the graph reads it, where each checkpoint has only what changed."""
        same = (
            snapshot.values
            for snapshot in self._history(namespace_of(one))
            if snapshot.config["configurable"].get("checkpoint_id") == one.checkpoint["id"]
        )
        found = next(same, None)
        return found if isinstance(found, dict) else {}


def _matched_by_name(
    ids: Sequence[str], to_run: Sequence[str | Send], known: Mapping[str, str]
) -> dict[str, str | Send]:
    """Return what each task of a known name ran, where their order tells nothing."""
    left = list(to_run)
    nodes: dict[str, str | Send] = {}
    for task_id in ids:
        mine = (node for node in left if node_name(node) == known.get(task_id))
        if (node := next(mine, None)) is not None:
            nodes[task_id] = node
            left.remove(node)
    return nodes
