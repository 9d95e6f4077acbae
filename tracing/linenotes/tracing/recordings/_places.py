"""Where in a graph a call is made: the path of agents and nodes, by names alone.

LangGraph tells the node of a task and its namespace, whose ids differ in every run. Tasks that
Sends started are told apart by their position among the Sends; that position stands only in the
metadata of the task itself, so `Ear` remembers it for what runs further inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import register_configure_hook

from linenotes.tracing._langgraph import PARTS_OF_AN_AGENT, PUSH

if TYPE_CHECKING:
    from uuid import UUID

_UNNAMED = "agent"
_TASK_TAG = "graph:step:"


class Ear(BaseCallbackHandler):
    """Hears which tasks of a sample's graphs were started by Sends."""

    run_inline = True
    ignore_llm = ignore_chat_model = ignore_agent = ignore_retriever = True
    ignore_retry = ignore_custom_event = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._positions: dict[str, int] = {}

    def on_chain_start(
        self,
        serialized: dict[str, object] | None,  # noqa: ARG002  LangChain's signature
        inputs: object,  # noqa: ARG002  as above
        *,
        run_id: UUID,  # noqa: ARG002  as above
        tags: list[str] | None = None,
        metadata: dict[str, object] | None = None,
        **_: object,
    ) -> None:
        """Note the position of a task among the Sends, and that code of a tool runs a graph."""
        if not metadata or not any(tag.startswith(_TASK_TAG) for tag in tags or ()):
            return
        task = _last_part(str(metadata.get("langgraph_checkpoint_ns") or ""))
        position = _position(metadata.get("langgraph_path"))
        if position is not None:
            with self._lock:
                self._positions[task] = position
        inside = graph_inside.get()
        if inside is not None:
            inside()

    def position(self, task: str) -> int | None:
        """Return the position of a task among the Sends that started it and others."""
        return self._positions.get(task)


ear: ContextVar[Ear | None] = ContextVar("linenotes_recordings_ear", default=None)
register_configure_hook(ear, inheritable=True)


graph_inside: ContextVar[Callable[[], None] | None] = ContextVar(
    "linenotes_graph_inside", default=None
)
"""Told when a graph runs inside the call that is being made."""


def metadata_here() -> Mapping[str, object]:
    """Return what LangGraph says of the task that this code runs in."""
    config = var_child_runnable_config.get()
    return (config or {}).get("metadata") or {}


def namespace_here() -> tuple[str, ...]:
    """Return the parts of LangGraph's namespace of the task that this code runs in."""
    namespace = str(metadata_here().get("langgraph_checkpoint_ns") or "")
    return tuple(namespace.split("|")) if namespace else ()


def path_of(parts: tuple[str, ...], heard: Ear | None, *, numbers: bool) -> list[str]:
    """Return the names of the nodes down to a task; with `numbers` also counted subgraphs.

    The nodes that an agent is made of by convention are the agent itself.
    """
    path = []
    for part in parts:
        name, colon, _ = part.partition(":")
        if not colon:
            path += [name] if numbers else []
            continue
        position = heard.position(part) if heard else None
        if position is not None:
            path.append(f"{name}[{position}]")
        elif name not in PARTS_OF_AN_AGENT:
            path.append(name)
    return path


def own_name() -> str:
    """Return the name of the agent that `create_agent` gave this graph, else a general one."""
    name = metadata_here().get("lc_agent_name")
    return name if isinstance(name, str) and name else _UNNAMED


def names_in(path: str) -> set[str]:
    """Return the bare names of all agents that a path goes through."""
    return {part.partition("[")[0].partition("(")[0] for part in path.split("/")}


def _last_part(namespace: str) -> str:
    return namespace.rpartition("|")[2]


def _position(path: object) -> int | None:
    """Return the position that a task's path tells: of a Send, or of a function's call."""
    if not isinstance(path, tuple | list) or not path or path[0] != PUSH:
        return None
    return next((part for part in path[1:3] if type(part) is int), None)
