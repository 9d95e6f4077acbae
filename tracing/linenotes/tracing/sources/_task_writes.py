"""What the writes of a task tell of how it came to them.

A checkpoint keeps what a task wrote and not how. A message of a model among it stands for a call
of a model, a tool's result for a run of the tool, and a node that was woken by nothing but a
Command for that Command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.types import Command, Send

from linenotes.tracing._langgraph import BRANCH, ERROR, HANDED_BACK, PARTS_OF_AN_AGENT, ROOT, START
from linenotes.tracing.sources._checkpoints import is_control
from linenotes.tracing.sources._identities import messages_within
from linenotes.tracing.sources._stored_values import with_pairs
from linenotes.tracing.sources._thread_records import ThreadTask

if TYPE_CHECKING:
    from linenotes.tracing.sources._blueprint import Blueprint
    from linenotes.tracing.sources._thread_records import ThreadRun

_TOLD_BY_MODELS = ("model_name", "model", "model_provider", "finish_reason", "stop_reason")


def updates_of(task: ThreadTask) -> list[object]:
    """Return what a task wrote into the state, as one update or as several of the same fields."""
    updates: list[dict[str, object]] = []
    for channel, value in task.writes:
        if channel == ROOT:
            return [value]
        if is_control(channel):
            continue
        if not updates or channel in updates[-1]:
            updates.append({})
        updates[-1][channel] = value
    return [with_pairs(update) for update in updates]


def sends_of(task: ThreadTask) -> list[Send]:
    """Return the payloads that a task, or an edge of it, sent."""
    return [value for _, value in task.writes if isinstance(value, Send)]


def gotos_of(task: ThreadTask, path: str, blueprint: Blueprint) -> list[str | Send]:
    """Return where a Command of a task led, as far as it is known to have been one."""
    targets = (c.removeprefix(BRANCH) for c, _ in task.writes if c.startswith(BRANCH))
    if task.left_from:
        return [*(t for t in targets if not blueprint.is_edge(path, task.node, t)), *sends_of(task)]
    gotos = [target for target in targets if blueprint.is_goto(path, task.node, target)]
    return [*gotos, *(sends_of(task) if blueprint.sends_by_command(path, task.node) else ())]


def command_to(goto: list[str | Send], update: object, graph: str | None = None) -> Command[Any]:
    """Return the Command of a node that wrote `update` and went to `goto`."""
    return Command(graph=graph, update=update, goto=cast("list[Send]", goto))


def failure_of(task: ThreadTask) -> BaseException | None:
    """Return what a task failed with."""
    found = next((value for channel, value in task.writes if channel == ERROR), None)
    if found is None or task.ended:
        return None
    return found if isinstance(found, BaseException) else RuntimeError(str(found))


def is_sampled(message: BaseMessage) -> bool:
    """Return whether a model said `message`: models leave their name, their usage or their ids."""
    if not isinstance(message, AIMessage) or _is_handed_back(message):
        return False
    named = (message.id or "").startswith(("lc_run--", "run-"))
    told = any(message.response_metadata.get(name) for name in _TOLD_BY_MODELS)
    return bool(named or told or message.usage_metadata)


def results_in(value: object) -> list[ToolMessage]:
    """Return the results of tools in `value`, without those that a library made up."""
    found = (m for m in messages_within(value) if isinstance(m, ToolMessage))
    return [message for message in found if not _is_handed_back(message)]


def tool_around(task: ThreadTask) -> ToolMessage | None:
    """Return the result of the tool that ran the graphs inside a task, if one did."""
    if not task.runs:
        return None
    open_calls = {*_routed_calls(task.given)}
    for message in messages_within(task.given):
        if isinstance(message, AIMessage):
            open_calls.update(call["id"] for call in message.tool_calls)
    open_calls -= {message.tool_call_id for message in results_in(task.given)}
    results = [m for m in results_in(updates_of(task)) if m.tool_call_id in open_calls]
    return results[0] if len(results) == 1 else None


def agent_in(run: ThreadRun) -> str | None:
    """Return the name of the agent that a graph is: the one that all its replies carry."""
    tasks = [task for step in run.steps for task in step.tasks if "." not in task.node]
    if not {task.node for task in tasks} <= {START, *PARTS_OF_AN_AGENT}:
        return None
    replies = (m for task in tasks for m in messages_within(updates_of(task)))
    names = {message.name for message in replies if isinstance(message, AIMessage)}
    return names.pop() if len(names) == 1 else None


def _routed_calls(payload: object) -> Iterator[object]:
    """Yield the ids of the calls that an agent sent to the node that executes them."""
    for part in payload if isinstance(payload, list | tuple) else (payload,):
        call = part.get("tool_call", part) if isinstance(part, dict) else None
        if isinstance(call, dict) and call.get("type") == "tool_call":
            yield call.get("id")


def _is_handed_back(message: BaseMessage) -> bool:
    return bool(message.response_metadata.get(HANDED_BACK))
