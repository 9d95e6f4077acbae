"""A LangGraph thread as it is kept: runs of graphs, their supersteps, and the tasks in each.

A checkpoint is the state before a superstep; what its tasks wrote is pending on it until the next
checkpoint. A graph inside a task has checkpoints of its own, under the namespace `node:task`.
Nothing names the node of a task, but a saver returns pending writes in the order of the tasks:
first the nodes that an edge woke, by name, then the Sends, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from langgraph.types import Interrupt, Send

from linenotes.tracing.sources._stored_values import Shared

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from linenotes.tracing.sources._blueprint import Blueprint

Writes = tuple[tuple[str, object], ...]
SENDS = "__pregel_tasks"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
ERROR = "__error__"
BRANCH = "branch:to:"
_JOIN = "join:"
START = "__start__"
ROOT = "__root__"
_SYSTEM = frozenset({"__interrupt__", "__input__"})
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""The task in whose name LangGraph keeps what the user resumes with."""


@dataclass(slots=True, eq=False)
class ThreadTask:
    """What one task was given and what it wrote."""

    id: str
    node: str
    namespace: str
    given: object
    pushed: bool
    writes: Writes
    runs: list[ThreadRun] = field(default_factory=list)
    """The graphs that ran inside it."""

    @property
    def answers(self) -> list[object]:
        """What a person answered when the task itself waited for it."""
        found = next((value for channel, value in self.writes if channel == RESUME), None)
        return list(found) if isinstance(found, list | tuple) else []

    def questions(self, attempt: int) -> list[Interrupt]:
        """Return what the task itself asked in an attempt; only the last questions are kept."""
        if attempt != len(self.answers) - self.ended:
            return []
        found = next((value for channel, value in self.writes if channel == INTERRUPT), ())
        asked = found if isinstance(found, list | tuple) else [found]
        return [one for one in asked if isinstance(one, Interrupt)]

    @property
    def left_from(self) -> ThreadRun | None:
        """The graph inside that a Command left for this task's own graph.

        Such a Command is kept as what this task wrote; the task that gave it wrote nothing.
        """
        last = self.runs[-1] if self.runs else None
        return last if self.ended and last and last.next else None

    @property
    def waits(self) -> bool:
        """Tell whether it still waits for a person."""
        return any(c == INTERRUPT for c, _ in self.writes) and not self.ended

    @property
    def ended(self) -> bool:
        """Tell whether it came to its end."""
        return any(channel not in (INTERRUPT, RESUME, ERROR) for channel, _ in self.writes)

    @property
    def attempts(self) -> int:
        """How often it began: again after each answer, its own or one of a graph inside."""
        inside = max((run.attempts for run in self.runs), default=1)
        return max(inside, 1 + len(self.answers))


@dataclass(slots=True, eq=False)
class Step:
    """One superstep."""

    number: int
    start_ns: int
    end_ns: int
    tasks: Sequence[ThreadTask]
    after: object
    """The state that it led to."""

    @property
    def attempts(self) -> int:
        """How often it was tried, because a person was asked."""
        return max((task.attempts for task in self.tasks), default=1)


@dataclass(slots=True, eq=False)
class ThreadRun:
    """One run of a graph, over all its interruptions."""

    path: str
    """The nodes down to the graph, joined by `|`."""
    namespace: str
    inputs: object
    start_ns: int
    steps: Sequence[Step]
    outputs: object
    whole: bool
    """False when its first supersteps were not kept."""
    next: ThreadTask | None = None
    """The one task that was to run next, where it wrote nothing into this graph."""

    @property
    def attempts(self) -> int:
        """How many times it was started or resumed."""
        return 1 + sum(step.attempts - 1 for step in self.steps)


def read_thread(kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> list[ThreadRun]:
    """Return the runs of the outermost graph of a thread, the first one first."""
    return _Reader(kept, blueprint).runs("")


class _Reader:
    def __init__(self, kept: Iterable[CheckpointTuple], blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._shared = Shared()
        self._names: dict[str, dict[str, str]] = {}
        self._chains: dict[str, list[CheckpointTuple]] = {}
        for one in sorted(kept, key=lambda one: one.checkpoint["id"]):
            self._chains.setdefault(_namespace(one), []).append(one)

    def runs(self, namespace: str) -> list[ThreadRun]:
        runs: list[list[CheckpointTuple]] = []
        for one in _in_force(self._chains.get(namespace, [])):
            if not runs or one.metadata.get("source") == "input":
                runs.append([])
            runs[-1].append(one)
        return [self._run(namespace, chain) for chain in runs]

    def _run(self, namespace: str, chain: Sequence[CheckpointTuple]) -> ThreadRun:
        first, path = chain[0], _path(namespace)
        following = [*chain[1:], None]
        pairs = zip(chain, following, strict=True)
        return ThreadRun(
            path=path,
            namespace=namespace,
            inputs=self._shared.fields(_values(first).get(START)),
            start_ns=_time(first),
            steps=[step for one, after in pairs if (step := self._step(one, after)).tasks],
            outputs=self._state(chain[-1]),
            whole=first.metadata.get("source") == "input",
            next=self._next(chain[-1]),
        )

    def _next(self, last: CheckpointTuple) -> ThreadTask | None:
        to_run = _to_run(last, None)
        wrote = any(task_id != _NOBODY for task_id, _, _ in last.pending_writes or ())
        return self._task(last, "", to_run[0], ()) if len(to_run) == 1 and not wrote else None

    def _step(self, before: CheckpointTuple, after: CheckpointTuple | None) -> Step:
        end = after or before
        return Step(
            number=before.metadata.get("step", -1) + 1,
            start_ns=_time(before),
            end_ns=_time(end),
            tasks=self._tasks(before, after),
            after=self._state(end),
        )

    def _tasks(
        self, before: CheckpointTuple, after: CheckpointTuple | None
    ) -> list[ThreadTask]:
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
            runs += [self._run(remembering, mine)] if mine else []
        return runs

    def _nodes(
        self, before: CheckpointTuple, after: CheckpointTuple | None, ids: Sequence[str]
    ) -> dict[str, str | Send]:
        """Return what each task ran: a node, or a Send."""
        to_run = _to_run(before, after)
        known = self._known_names(_namespace(before))
        if len(ids) == len(to_run):
            nodes = dict(zip(ids, to_run, strict=True))
            if all(known.get(task_id, _name(node)) == _name(node) for task_id, node in nodes.items()):
                return nodes
        return _matched_by_name(ids, to_run, known)

    def _known_names(self, namespace: str) -> dict[str, str]:
        """Return what is known of the names of tasks: graphs inside them have them, too."""
        if namespace not in self._names:
            inside = f"{namespace}|" if namespace else ""
            below = (name.removeprefix(inside) for name in self._chains if name.startswith(inside))
            named = (name.partition("|")[0].rpartition(":") for name in below)
            known = {task_id: name for name, _, task_id in named if name}
            self._names[namespace] = known | self._blueprint.task_names(namespace)
        return self._names[namespace]

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
        return self._shared.fields(state)


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


def _time(one: CheckpointTuple) -> int:
    return int(datetime.fromisoformat(one.checkpoint["ts"]).timestamp() * 1_000_000) * 1000
