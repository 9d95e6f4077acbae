"""What one LangGraph checkpoint says: of which graph it is, its state, and which tasks run next.

A checkpoint names no tasks. They follow from its channels: first the nodes that an edge woke, by
name, then the Sends, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from langgraph.types import Send

from linenotes.tracing._langgraph import BRANCH, INPUT, INTERRUPT, JOIN, SENDS, START

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

_NO_NODES = frozenset({INPUT, INTERRUPT})
"""What LangGraph keeps beside the nodes, by the channels that they have seen."""


def node_name(node: str | Send) -> str:
    """Return the node that a task runs."""
    return node.node if isinstance(node, Send) else node


def lineage(kept: Sequence[CheckpointTuple]) -> list[CheckpointTuple]:
    """Return the newest checkpoint and those that led to it: forks that were left are left out."""
    by_id = {one.checkpoint["id"]: one for one in kept}
    chain: list[CheckpointTuple] = []
    one = kept[-1] if kept else None
    while one is not None:
        chain.append(one)
        parent = one.parent_config
        one = by_id.pop(parent["configurable"]["checkpoint_id"], None) if parent else None
    return chain[::-1]


def follows_a_gap(before: CheckpointTuple | None, one: CheckpointTuple) -> bool:
    """Return whether supersteps between two checkpoints, or before the first, were not kept."""
    return before is None or step_number(one) > step_number(before) + 1


def ran_inside(one: CheckpointTuple, outer: CheckpointTuple) -> bool:
    """Return whether a graph that remembers its runs was in the task of `outer` at the time."""
    parents = one.metadata.get("parents", {})
    return parents.get(namespace_of(outer)) == outer.checkpoint["id"]


def tasks_to_run(before: CheckpointTuple, after: CheckpointTuple | None) -> list[str | Send]:
    """Return what the tasks of a superstep run, in the order of the tasks."""
    pulled = sorted(_woken(before, after) if after else _about_to_run(before))
    return [*pulled, *(send for send in _sent(before) if isinstance(send, Send))]


def _woken(before: CheckpointTuple, after: CheckpointTuple) -> list[str]:
    """Return the nodes that edges woke: those that have seen a new version of a channel."""
    seen = before.checkpoint["versions_seen"]
    now = after.checkpoint["versions_seen"].items()
    return [n for n, versions in now if n not in _NO_NODES and versions and versions != seen.get(n)]


def _about_to_run(last: CheckpointTuple) -> list[str]:
    """Return the nodes that edges have woken where no next checkpoint tells who ran."""
    values = channel_values(last)
    woken = [name.removeprefix(BRANCH) for name in values if name.startswith(BRANCH)]
    for name, seen in values.items():
        sources, _, target = name.removeprefix(JOIN).rpartition(":")
        if name.startswith(JOIN) and isinstance(seen, set) and seen == set(sources.split("+")):
            woken.append(target)
    return [*woken, *([START] if START in values else [])]


def _sent(one: CheckpointTuple) -> Sequence[object]:
    sends = channel_values(one).get(SENDS)
    return sends if isinstance(sends, list | tuple) else ()


def channel_values(one: CheckpointTuple) -> Mapping[str, object]:
    """Return the values of its channels, those of LangGraph's own among them."""
    return one.checkpoint["channel_values"]


def is_control(channel: str) -> bool:
    """Return whether a channel is LangGraph's own and no part of the state."""
    return channel.startswith(("__", BRANCH, JOIN))


def namespace_of(one: CheckpointTuple) -> str:
    """Return the checkpoint namespace; empty for the outermost graph."""
    return str(one.config["configurable"].get("checkpoint_ns", ""))


def graph_path(namespace: str) -> str:
    """Return a namespace without the ids of tasks: the nodes down to a graph."""
    parts = (part.partition(":")[0] for part in namespace.split("|"))
    return "|".join(part for part in parts if part and not part.isdigit())


def step_number(one: CheckpointTuple) -> int:
    """Return the superstep that led to a checkpoint; -1 for an input."""
    return one.metadata.get("step", -1)


def time_ns(one: CheckpointTuple) -> int:
    """Return when it was written, in nanoseconds since the epoch."""
    return int(datetime.fromisoformat(one.checkpoint["ts"]).timestamp() * 1_000_000) * 1000
