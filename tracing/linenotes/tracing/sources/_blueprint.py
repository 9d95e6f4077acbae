"""What a compiled graph can tell of a thread that its checkpoints do not keep.

Without the graph, all of it is unknown: names of agents, what a node reads of the state, which
edges are fixed, and the node of each task.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph.pregel import Pregel

from linenotes.tracing._langgraph import PARTS_OF_AN_AGENT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from langgraph.types import StateSnapshot

Graph = Pregel[Any, Any, Any, Any]
_NAME = "LangGraph"


@dataclass(frozen=True)
class Blueprint:
    """The graphs of a thread by the nodes down to them, as far as they are known."""

    thread_id: str
    graphs: Mapping[str, Graph] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, thread_id: str) -> Blueprint:
        """Return what `graph` and the graphs inside it tell."""
        inside = graph.get_subgraphs(recurse=True)
        known = {path: one for path, one in inside if isinstance(one, Pregel)}
        return cls(thread_id, {"": graph, **known})

    def name(self, path: str) -> str:
        """Return the name of a graph."""
        graph = self.graphs.get(path)
        return (graph.name if graph else None) or path.rpartition("|")[2] or _NAME

    def details(self, path: str) -> dict[str, object]:
        """Return what LangChain would say of a run of a graph, such as the agent's name."""
        graph = self.graphs.get(path)
        config = graph.config if graph else None
        told = dict((config or {}).get("metadata") or {})
        return told if path or "lc_agent_name" in told else told | self._agent_by_parts()

    def _agent_by_parts(self) -> dict[str, object]:
        """Return the name of the whole graph where all its nodes are parts of one agent."""
        nodes = {*getattr(getattr(self.graphs[""], "builder", None), "nodes", ())}
        named = nodes and nodes <= PARTS_OF_AN_AGENT and self.name("") != _NAME
        return {"lc_agent_name": self.name("")} if named else {}

    def reads(self, path: str, node: str) -> Collection[str] | None:
        """Return what a node reads of the state, None where that is not known."""
        graph = self.graphs.get(path)
        found = graph.nodes.get(node) if graph else None
        channels = found.channels if found else None
        return channels if isinstance(channels, list | tuple) else None

    def is_goto(self, path: str, node: str, target: str) -> bool:
        """Return whether only a Command can have led from `node` to `target`."""
        builder = getattr(self.graphs.get(path), "builder", None)
        if builder is None or builder.branches.get(node):
            return False
        return not self.is_edge(path, node, target)

    def is_edge(self, path: str, node: str, target: str) -> bool:
        """Return whether `node` always leads to `target`."""
        builder = getattr(self.graphs.get(path), "builder", None)
        return builder is not None and (node, target) in builder.edges

    def sends_by_command(self, path: str, node: str) -> bool:
        """Return whether only a Command can have sent what `node` sent."""
        builder = getattr(self.graphs.get(path), "builder", None)
        return builder is not None and not builder.branches.get(node)

    def history(self, namespace: str) -> list[StateSnapshot]:
        """Return the states of a graph as it reads them itself, with the names of its tasks."""
        graph = self.graphs.get("")
        if graph is None:
            return []
        place = {"thread_id": self.thread_id, "checkpoint_ns": namespace}
        try:
            return list(graph.get_state_history({"configurable": place}))
        except (ValueError, KeyError):  # a graph that a node calls, and nobody can see
            return []
