"""A LangGraph thread as it is kept: runs of graphs, their supersteps, and the tasks in each.

A checkpoint is the state before a superstep; what its tasks wrote is pending on it until the next
checkpoint. A graph inside a task has checkpoints of its own, under the namespace `node:task`.
Nothing names the node of a task, but a saver returns pending writes in the order of the tasks:
first the nodes that an edge woke, by name, then the Sends, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from langgraph.types import Send

from linenotes.tracing._langgraph import BRANCH, SENDS, START
from linenotes.tracing.sources._last_state import guessed_steps
from linenotes.tracing.sources._stored_values import Shared
from linenotes.tracing.sources._thread_records import Step, ThreadRun, ThreadTask, Writes

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.types import StateSnapshot

    from linenotes.tracing.sources._blueprint import Blueprint

_JOIN = "join:"
ROOT = "__root__"
_SYSTEM = frozenset({"__interrupt__", "__input__"})
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""The task in whose name LangGraph keeps what the user resumes with."""


def read_thread(kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> list[ThreadRun]:
    """Return the runs of the outermost graph of a thread, the first one first."""
    return _Reader(kept, blueprint).runs("")


class _Reader:
    def __init__(self, kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._shared = Shared()
        self._names: dict[str, dict[str, str]] = {}
        self._histories: dict[str, list[StateSnapshot]] = {}
        self._chains: dict[str, list[CheckpointTuple]] = {}
        for one in sorted(kept, key=lambda one: one.checkpoint["id"]):
            self._chains.setdefault(_namespace(one), []).append(one)

    def runs(self, namespace: str) -> list[ThreadRun]:
        """Return the runs of the graph at a namespace: each begins with an input, or unseen."""
        runs: list[list[CheckpointTuple]] = []
        before: CheckpointTuple | None = None
        for one in _in_force(self._chains.get(namespace, [])):
            if one.metadata.get("source") == "input" or _is_unseen(before, one):
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
            path=_path(namespace),
            namespace=namespace,
            inputs=self._shared.fields(_values(first).get(START)),
            start_ns=_time(first),
            steps=[*self._unseen(before, first), *kept],
            outputs=self._state(chain[-1]),
            next=self._next(chain[-1]),
        )

    def _unseen(self, before: CheckpointTuple | None, first: CheckpointTuple) -> list[Step]:
        """Return what must have happened before the first checkpoint of a run."""
        if first.metadata.get("source") == "input":
            return []
        known = self._state(before) if before else None
        number = _number(first)
        return guessed_steps(known, self._state(first), at_ns=_time(first), number=number)

    def _step(self, before: CheckpointTuple, after: CheckpointTuple | None) -> Step:
        end = after or before
        return Step(
            number=_number(before) + 1,
            start_ns=_time(before),
            end_ns=_time(end),
            tasks=self._tasks(before, after),
            after=self._state(end),
        )

    def _next(self, last: CheckpointTuple) -> ThreadTask | None:
        to_run = _to_run(last, None)
        wrote = any(task_id != _NOBODY for task_id, _, _ in last.pending_writes or ())
        return self._task(last, "", to_run[0], ()) if len(to_run) == 1 and not wrote else None

    def _tasks(self, before: CheckpointTuple, after: CheckpointTuple | None) -> list[ThreadTask]:
        wrote: dict[str, list[tuple[str, object]]] = {}
        for task_id, channel, value in before.pending_writes or ():
            if task_id != _NOBODY:
                wrote.setdefault(task_id, []).append((channel, value))
        nodes = self._nodes(before, after, list(wrote))
        return [
            self._task(before, task_id, nodes[task_id], tuple(writes))
            for task_id, writes in wrote.items()
            if task_id in nodes
        ]

    def _task(
        self, before: CheckpointTuple, task_id: str, node: str | Send, writes: Writes
    ) -> ThreadTask:
        name = _name(node)
        outer = _namespace(before)
        namespace = f"{outer}|{name}:{task_id}" if outer else f"{name}:{task_id}"
        given = node.arg if isinstance(node, Send) else self._read_by(name, before)
        return ThreadTask(
            id=task_id,
            node=name,
            namespace=namespace,
            given=self._shared.fields(given),
            pushed=isinstance(node, Send),
            writes=writes,
            runs=self._inside(namespace, before),
        )

    def _inside(self, namespace: str, before: CheckpointTuple) -> list[ThreadRun]:
        """Return the runs of the graphs inside a task: of this one, where it keeps its memory."""
        outer, _, own = namespace.rpartition("|")
        remembering = "|".join(filter(None, (outer, own.rpartition(":")[0])))
        numbered = (name for name in self._chains if name.startswith(f"{namespace}|"))
        repeated = [name for name in numbered if name.removeprefix(f"{namespace}|").isdigit()]
        runs = [run for name in (namespace, *repeated) for run in self.runs(name)]
        if remembering in self._chains:
            chain = _in_force(self._chains[remembering])
            mine = [one for one in chain if _belongs_to(one, before)]
            runs += [self._run(remembering, mine, None)] if mine else []
        return runs

    def _nodes(
        self, before: CheckpointTuple, after: CheckpointTuple | None, ids: Sequence[str]
    ) -> dict[str, str | Send]:
        """Return what each task ran: a node, or a Send."""
        to_run = _to_run(before, after)
        inside = self._names_inside(_namespace(before))
        nodes = dict(zip(ids, to_run, strict=False))
        agree = all(
            inside.get(task_id, _name(node)) == _name(node) for task_id, node in nodes.items()
        )
        if len(ids) == len(to_run) and agree:
            return nodes
        history = self._history(_namespace(before))
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

    def _read_by(self, node: str, before: CheckpointTuple) -> object:
        state = self._state(before)
        reads = self._blueprint.reads(_path(_namespace(before)), node)
        if node == START or not isinstance(state, dict) or reads is None:
            return state
        return {name: value for name, value in state.items() if name in reads}

    def _state(self, one: CheckpointTuple) -> object:
        values = _values(one)
        if ROOT in values:
            return values[ROOT]
        state = {name: value for name, value in values.items() if not is_control(name)}
        written = one.checkpoint["channel_versions"].keys()
        if any(name not in values and not is_control(name) for name in written):
            state = {**self._put_together(one), **state}
        return self._shared.fields(state)

    def _put_together(self, one: CheckpointTuple) -> Mapping[str, object]:
        """Return the state as the graph reads it, where each checkpoint has only what changed."""
        same = (
            snapshot.values
            for snapshot in self._history(_namespace(one))
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
        mine = (node for node in left if _name(node) == known.get(task_id))
        if (node := next(mine, None)) is not None:
            nodes[task_id] = node
            left.remove(node)
    return nodes


def _name(node: str | Send) -> str:
    return node.node if isinstance(node, Send) else node


def _in_force(kept: Sequence[CheckpointTuple]) -> list[CheckpointTuple]:
    """Return the newest checkpoint and those that led to it: forks that were left are left out."""
    by_id = {one.checkpoint["id"]: one for one in kept}
    chain: list[CheckpointTuple] = []
    one = kept[-1] if kept else None
    while one is not None:
        chain.append(one)
        parent = one.parent_config
        one = by_id.pop(parent["configurable"]["checkpoint_id"], None) if parent else None
    return chain[::-1]


def _is_unseen(before: CheckpointTuple | None, one: CheckpointTuple) -> bool:
    """Tell whether supersteps between two checkpoints, or before the first, were not kept."""
    return before is None or _number(one) > _number(before) + 1


def _belongs_to(one: CheckpointTuple, outer: CheckpointTuple) -> bool:
    """Tell whether a graph that remembers its runs was in the task of `outer` at the time."""
    parents = one.metadata.get("parents", {})
    return parents.get(_namespace(outer)) == outer.checkpoint["id"]


def _to_run(before: CheckpointTuple, after: CheckpointTuple | None) -> list[str | Send]:
    """Return what the tasks of a superstep run, in the order of the tasks."""
    pulled = sorted(_woken(before, after) if after else _about_to_run(before))
    return [*pulled, *(send for send in _sent(before) if isinstance(send, Send))]


def _woken(before: CheckpointTuple, after: CheckpointTuple) -> list[str]:
    """Return the nodes that edges woke: those that have seen a new version of a channel."""
    seen = before.checkpoint["versions_seen"]
    now = after.checkpoint["versions_seen"].items()
    return [n for n, versions in now if n not in _SYSTEM and versions and versions != seen.get(n)]


def _about_to_run(last: CheckpointTuple) -> list[str]:
    """Return the nodes that edges have woken where no next checkpoint tells who ran."""
    values = _values(last)
    woken = [name.removeprefix(BRANCH) for name in values if name.startswith(BRANCH)]
    for name, seen in values.items():
        sources, _, target = name.removeprefix(_JOIN).rpartition(":")
        if name.startswith(_JOIN) and isinstance(seen, set) and seen == set(sources.split("+")):
            woken.append(target)
    return [*woken, *([START] if START in values else [])]


def _sent(one: CheckpointTuple) -> Sequence[object]:
    sends = _values(one).get(SENDS)
    return sends if isinstance(sends, list | tuple) else ()


def _values(one: CheckpointTuple) -> Mapping[str, object]:
    return one.checkpoint["channel_values"]


def is_control(channel: str) -> bool:
    """Tell whether a channel is LangGraph's own and no part of the state."""
    return channel.startswith(("__", BRANCH, _JOIN))


def _namespace(one: CheckpointTuple) -> str:
    return str(one.config["configurable"].get("checkpoint_ns", ""))


def _path(namespace: str) -> str:
    """Return a namespace without the ids of tasks: the nodes down to a graph."""
    parts = (part.partition(":")[0] for part in namespace.split("|"))
    return "|".join(part for part in parts if part and not part.isdigit())


def _number(one: CheckpointTuple) -> int:
    return one.metadata.get("step", -1)


def _time(one: CheckpointTuple) -> int:
    return int(datetime.fromisoformat(one.checkpoint["ts"]).timestamp() * 1_000_000) * 1000
