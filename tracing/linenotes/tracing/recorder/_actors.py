"""From LangGraph's metadata to the names of actors.

The actor of a task is its node; inside a subgraph it is the path of nodes down to it. A graph that
`create_agent` named is one actor under that name, whatever nodes it is made of. Nodes that such
agents are made of by convention (`model`, `agent`, `tools`) are not actors inside a subgraph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from linenotes.tracing._langgraph import PARTS_OF_AN_AGENT, START
from linenotes.tracing.recorder._runs import Activation, Run, Scope, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP_TAG = "graph:step:"
_EDGE_TAG = "seq:step:"
_AGENTS = frozenset({"langchain_create_agent", "deepagents"})
_HOOKS = (".before_agent", ".before_model", ".after_model", ".after_agent")
_UNNAMED = "LangGraph"


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


def is_call(parent: Run, details: Mapping[str, object]) -> bool:
    """Tell whether a run is a function of the functional API that another one calls."""
    task, path = parent.task, details.get("langgraph_path")
    if task is None or task is not parent or not isinstance(path, tuple | list):
        return False
    by_task = len(path) > 1 and isinstance(path[1], tuple | list)
    return by_task and details.get("langgraph_checkpoint_ns") != task.namespace


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
    if outer.run is host and outer.agent is None and not outer.sent and not tool_around(run):
        outer.actor = _inside(outer.actor.rpartition("/")[0], agent)
        outer.agent = agent
        return outer
    return Activation(actor=_inside(outer.actor, agent), run=run, agent=agent)


def _is_part(node: str) -> bool:
    return node in PARTS_OF_AN_AGENT or node.endswith(_HOOKS)


def _is_agent(run: Run) -> bool:
    """Tell whether a graph is one agent: by who built it, or as all its nodes are parts of one."""
    if run.details.get("ls_integration") in _AGENTS:
        return True
    return run.graph is not None and all(_is_part(node) for node in run.graph.builder.nodes)


def tool_around(run: Run) -> Run | None:
    """Return the run of the tool that a graph runs inside of, if it does."""
    above = run.parent
    while above is not None and above is not run.task:
        if above.kind == "tool":
            return above
        above = above.parent
    return None


def activation_of(task: Task) -> Activation | None:
    """Return whose activation `task` is: its own, or that of the agent it is a part of."""
    if task.node == START:
        return None
    scope = task.within
    part = _is_part(task.node)
    if scope.activation is None and part:
        scope.activation = _unnamed_agent(scope)
    outer = scope.host.activation if scope.host else None
    if scope.activation:
        found = scope.activation
    elif outer and part:
        found = outer
    else:
        found = Activation(actor=_inside(outer.actor if outer else "", task.node), run=task)
    found.namespace = found.namespace or task.namespace
    return found


def _unnamed_agent(scope: Scope) -> Activation | None:
    """Return the activation of a graph that is an agent by its parts, and has no name."""
    tool = tool_around(scope.run)
    outer = scope.host.activation if scope.host else None
    if tool and outer:
        return Activation(actor=_inside(outer.actor, tool.name), run=scope.run)
    if outer is None and _is_agent(scope.run):
        name = scope.run.name if scope.run.name != _UNNAMED else "agent"
        return Activation(actor=name, run=scope.run)
    return None


def is_agents_model(task: Task) -> bool:
    """Tell whether `task` is the node of an agent of `create_agent` that calls its model."""
    return task.node == "model" and task.details.get("ls_integration") in _AGENTS


def _inside(outer: str, name: str) -> str:
    return f"{outer}/{name}" if outer else name


def model_name(details: Mapping[str, object]) -> str | None:
    """Return the name of the model that a call asked for, else of the one that answered."""
    return text_detail(details, "ls_model_name", "model", "model_name")


def text_detail(details: Mapping[str, object], *names: str) -> str | None:
    """Return the first of the named details that is a text."""
    for name in names:
        value = details.get(name)
        if isinstance(value, str) and value:
            return value
    return None
