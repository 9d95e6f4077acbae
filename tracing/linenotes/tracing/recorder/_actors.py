"""From LangGraph's metadata to the names of actors.

The actor of a task is its node; inside a subgraph it is the path of nodes down to it. A graph that
`create_agent` named is one actor under that name, whatever nodes it is made of. Nodes that such
agents are made of by convention (`model`, `agent`, `tools`) are not actors inside a subgraph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from linenotes.tracing.recorder._runs import Activation, Run, Scope, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP_TAG = "graph:step:"
_EDGE_TAG = "seq:step:"
_PARTS_OF_AN_AGENT = frozenset({"agent", "model", "tools"})
START = "__start__"


def task_step(tags: Sequence[str]) -> int | None:
    """Return the superstep of a run that is a node's task, None for any other run."""
    for tag in tags:
        if tag.startswith(_STEP_TAG):
            return int(tag.removeprefix(_STEP_TAG))
    return None


def is_edge(run: Run, tags: Sequence[str]) -> bool:
    """Tell whether `run` is a conditional edge of the task that it is in."""
    return (
        run.task is not None
        and run.parent is run.task
        and any(tag.startswith(_EDGE_TAG) and tag != "seq:step:1" for tag in tags)
    )


def open_scope(run: Run, number: int, first_step: int) -> Scope:
    """Return `run` as the run of a graph, with its own activation where the graph is an agent."""
    scope = Scope(run=run, number=number, host=run.task, first_step=first_step)
    agent = run.details.get("lc_agent_name")
    if isinstance(agent, str) and not _is_inside(agent, scope.host):
        scope.activation = _agent_activation(agent, run, scope.host)
    return scope


def _is_inside(agent: str, host: Task | None) -> bool:
    """Tell whether `agent` is the name of an outer graph: metadata is inherited."""
    while host is not None:
        if host.activation and host.activation.agent == agent:
            return True
        host = host.within.host
    return False


def _agent_activation(agent: str, run: Run, host: Task | None) -> Activation:
    if host is None:
        return Activation(actor=agent, run=run, agent=agent)
    outer = host.activation
    if outer is None:
        return Activation(actor=agent, run=run, agent=agent)
    if outer.run is host and outer.agent is None and not outer.sent and not called_by_tool(run):
        outer.actor = _inside(outer.actor.rpartition("/")[0], agent)
        outer.agent = agent
        return outer
    return Activation(actor=_inside(outer.actor, agent), run=run, agent=agent)


def called_by_tool(run: Run) -> bool:
    """Tell whether a graph runs inside a tool, and not as a node or inside a node's function."""
    above = run.parent
    while above is not None and above is not run.task:
        if above.kind == "tool":
            return True
        above = above.parent
    return False


def activation_of(task: Task) -> Activation | None:
    """Return whose activation `task` is: its own, or that of the agent it is a part of."""
    if task.node == START:
        return None
    if task.within.activation:
        return task.within.activation
    outer = task.within.host.activation if task.within.host else None
    if outer is None:
        return Activation(actor=task.node, run=task)
    if task.node in _PARTS_OF_AN_AGENT:
        return outer
    return Activation(actor=_inside(outer.actor, task.node), run=task)


def _inside(outer: str, name: str) -> str:
    return f"{outer}/{name}" if outer else name


def model_name(details: Mapping[str, object]) -> str | None:
    """Return the name of the model that a call asked for, else of the one that answered."""
    return text_detail(details, "ls_model_name", "model", "model_name")


def text_detail(details: Mapping[str, object], *names: str) -> str | None:
    """Return the first of the named details that is a text."""
    found = (details.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
