"""Tasks that LangGraph skipped because a cache had their output.

They fire no callbacks. What they wrote stands in the state of the next task, or in the graph's
output, and nobody is known to have said it; so the nodes that lead there, may be cached and were
not heard are taken to have written it, and their tasks are heard belatedly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from langgraph.graph import END, START

from linenotes.tracing.recorder._content import fields_of
from linenotes.tracing.recorder._running_graph import cached_nodes, leads_to

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from linenotes.tracing.recorder._running_graph import Graph
    from linenotes.tracing.recorder._runs import Run, Scope

_MOST = 8
"""Cached nodes one after the other."""


@dataclass(frozen=True, slots=True)
class CachedTask:
    """What is known of a skipped task."""

    node: str
    step: int
    inputs: Mapping[str, object]
    output: Mapping[str, object]


def skipped_before(
    scope: Scope, node: str, step: int, state: object, is_known: Callable[[str, object], bool]
) -> list[CachedTask]:
    """Return the skipped tasks whose output a task of `node` finds in its `state`."""
    graph = scope.run.graph
    if graph is None or not cached_nodes(graph):
        return []
    if not scope.opened and leads_to(graph, START, {node}):
        return []  # what it finds is the graph's input, or was said in earlier runs
    news = _News.of(fields_of(state), is_known)
    return news.share_out(_writers(graph, scope, node, step)) if news.new else []


def skipped_at_end(
    run: Run, output: object, is_known: Callable[[str, object], bool]
) -> list[CachedTask]:
    """Return the skipped tasks whose output a graph ends with."""
    graph, scope = run.graph, run.scope
    if graph is None or scope is None or not cached_nodes(graph):
        return []
    news = _News.of(fields_of(output), is_known)
    last = max((step for step, _ in scope.heard), default=0)
    for count in range(1, _MOST + 1 if news.new else 1):
        writers = _writers(graph, scope, END, last + count + 1)
        if len({step for step, _ in writers}) == count:
            return news.share_out(writers)
    return []


def _writers(graph: Graph, scope: Scope, node: str, step: int) -> list[tuple[int, str]]:
    """Return the cached nodes, with their supersteps, that lead to `node` and were not heard."""
    found: list[tuple[int, str]] = []
    cached, level = cached_nodes(graph), {node}
    for before in range(step - 1, step - 1 - _MOST, -1):
        level = {
            name
            for name in cached
            if (before, name) not in scope.heard and leads_to(graph, name, level)
        }
        found[:0] = [(before, name) for name in sorted(level)]
        if not level or _is_reached(graph, scope, before, level):
            break
    return found


def _is_reached(graph: Graph, scope: Scope, step: int, nodes: Collection[str]) -> bool:
    """Tell whether a task that was heard, or the graph's start, leads to `nodes` in `step`."""
    earlier = [name for at, name in scope.heard if at == step - 1]
    if not any(at < step for at, _ in scope.heard):
        earlier.append(START)
    return any(leads_to(graph, name, nodes) for name in earlier)


@dataclass(frozen=True, slots=True)
class _News:
    """The fields of a state that hold something nobody is known to have written."""

    old: Mapping[str, object]
    new: Mapping[str, object]

    @classmethod
    def of(cls, state: Mapping[str, object], is_known: Callable[[str, object], bool]) -> _News:
        """Split each field into what is known and what is not."""
        old: dict[str, object] = {}
        new: dict[str, object] = {}
        for name, value in state.items():
            if isinstance(value, list):
                old[name] = [item for item in value if is_known(name, item)]
                new[name] = [item for item in value if not is_known(name, item)]
            else:
                (old if value is None or is_known(name, value) else new)[name] = value
        return cls(old, {name: value for name, value in new.items() if not _is_empty(value)})

    def share_out(self, writers: Sequence[tuple[int, str]]) -> list[CachedTask]:
        """Give each writer one item of each list, and the last one whatever is left."""
        left, state, tasks = dict(self.new), dict(self.old), []
        for step, together in groupby(writers, key=itemgetter(0)):
            before = dict(state)
            for writer in together:
                own = left if writer == writers[-1] else _first_items(left)
                tasks.append(CachedTask(writer[1], step, before, own))
                state = _joined(state, own)
                left = {name: _rest(value) for name, value in left.items()}
        return tasks


def _is_empty(value: object) -> bool:
    return isinstance(value, list) and not value


def _first_items(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value[:1] for name, value in fields.items() if isinstance(value, list) and value}


def _rest(value: object) -> object:
    return value[1:] if isinstance(value, list) else value


def _joined(state: Mapping[str, object], update: Mapping[str, object]) -> dict[str, object]:
    joined = dict(state)
    for name, value in update.items():
        known = state.get(name)
        joined[name] = (
            [*known, *value] if isinstance(known, list) and isinstance(value, list) else value
        )
    return joined
