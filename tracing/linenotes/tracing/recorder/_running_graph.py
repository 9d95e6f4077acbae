"""The graph that is running, which LangChain's callbacks do not mention.

LangGraph calls the callbacks from the methods `stream` and `astream` of the graph, so the graph
is looked for in the calling frames: a node that is skipped because a cache has its output fires no
callback, and only the graph says which nodes there are. Nothing but the graph's public attributes
is read. Where it is not found, agents go by the names in the metadata, and a message from a cache
has no known sender.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from langgraph.graph import END
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType
    from typing import Any

    Graph = CompiledStateGraph[Any, Any, Any, Any]

_RUNNERS = frozenset({"stream", "astream"})
_HIGHEST = 12
"""Frames between the callback and the graph; there are six."""


def running_graph() -> Graph | None:
    """Return the state graph whose start is being told to the caller of this function."""
    frame: FrameType | None = inspect.currentframe()
    for _ in range(_HIGHEST):
        if frame is None:
            return None
        if frame.f_code.co_name in _RUNNERS:
            graph = frame.f_locals.get("self")
            if isinstance(graph, Pregel):
                return graph if isinstance(graph, CompiledStateGraph) else None
        frame = frame.f_back
    return None


def cached_nodes(graph: Graph) -> frozenset[str]:
    """Return the nodes that LangGraph may skip because it has their output."""
    if graph.cache is None:
        return frozenset()
    nodes = graph.builder.nodes.items()
    return frozenset(name for name, node in nodes if node.cache_policy or graph.cache_policy)


def leads_to(graph: Graph, node: str, targets: Collection[str]) -> bool:
    """Tell whether `node` may be followed by one of `targets`."""
    builder = graph.builder
    if END in targets and _is_last(graph, node):
        return True
    if any((node, target) in builder.edges for target in targets):
        return True
    if any(node in starts and end in targets for starts, end in builder.waiting_edges):
        return True
    branches = builder.branches.get(node, {}).values()
    if any(branch.ends is None or {*branch.ends.values()} & {*targets} for branch in branches):
        return True
    spec = builder.nodes.get(node)
    return spec is not None and bool({*(spec.ends or ())} & {*targets})


def _is_last(graph: Graph, node: str) -> bool:
    builder = graph.builder
    followed = {start for start, _ in builder.edges} | {*builder.branches}
    followed |= {start for starts, _ in builder.waiting_edges for start in starts}
    return node not in followed
