"""A LangGraph thread as the callbacks that it was made of, as far as it tells.

A checkpoint keeps what a task wrote and not how. A message of a model among it stands for a call
of a model that was shown what its task was given; a tool's result stands for a run of the tool.
A person's answer to an interrupt comes to the task that asked as a message of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.errors import GraphInterrupt
from langgraph.types import Command, Send

from linenotes.tracing.recorder._content import payload_text
from linenotes.tracing.sources._identities import Sight, identify, messages_within
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._thread import (
    BRANCH,
    ERROR,
    INTERRUPT,
    RESUME,
    SENDS,
    Step,
    ThreadRun,
    ThreadTask,
)

if TYPE_CHECKING:
    from uuid import UUID

    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.sources._blueprint import Blueprint

_START = "__start__"
_ROOT = "__root__"
_PULLED = "branch:to:"
_HANDED_BACK = "__is_handoff_back"
_SAMPLED = ("model_name", "model", "model_provider", "finish_reason", "stop_reason")


def thread_events(runs: Sequence[ThreadRun], blueprint: Blueprint) -> list[Event]:
    """Return what happened in the runs of a thread, in the order in which it happened."""
    identify(sight for run in runs for sight in _sights(run))
    teller = _Teller(blueprint)
    for run in runs:
        for attempt in range(run.attempts):
            teller.run(run, attempt, parent=None)
    return teller.events


def _sights(run: ThreadRun) -> Iterator[Sight]:
    yield Sight("given", [*messages_within(run.inputs)])
    for step in run.steps:
        for task in step.tasks:
            yield Sight("given", [*messages_within(task.given)])
        for task in step.tasks:
            for inner in task.runs:
                yield from _sights(inner)
            yield Sight("said", [*messages_within([value for _, value in task.writes])])
        yield Sight("given", [*messages_within(step.after)])


class _Teller:
    """Makes the events of runs, steps and tasks, each told once an attempt."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.events: list[Event] = []
        self._blueprint = blueprint
        self._known: set[str] = set()
        """The ids of messages that somebody is known to have said."""

    def run(self, run: ThreadRun, attempt: int, parent: UUID | None) -> None:
        """Tell of one attempt of a run: from its start or a resumption to its end or the next."""
        run_id = run_id_for(run.namespace, run.start_ns, attempt)
        played = [*_attempts(run)][attempt]
        at = played[0][0].start_ns if played else run.start_ns
        inputs = run.inputs if attempt == 0 else Command(resume=_answers(played))
        self._tell(
            at,
            lambda listener: listener.on_chain_start(
                None,
                inputs,
                run_id=run_id,
                parent_run_id=parent,
                metadata=self._blueprint.details(run.path),
                name=self._blueprint.name(run.path),
            ),
        )
        self._knows(run.inputs)
        for step, of_step in played:
            self._step(run, step, of_step, run_id)
        self._end_run(run, run_id, played, last=attempt == run.attempts - 1)

    def _end_run(
        self, run: ThreadRun, run_id: UUID, played: Sequence[tuple[Step, int]], *, last: bool
    ) -> None:
        at = played[-1][0].end_ns if played else run.start_ns
        failed = next((e for step, _ in played for t in step.tasks if (e := _failure(t))), None)
        waits = not last or any(task.waits for step, _ in played for task in step.tasks)
        if failed:
            self._tell(at, lambda listener: listener.on_chain_error(failed, run_id=run_id))
        elif waits and run.namespace:
            interrupt = GraphInterrupt()
            self._tell(at, lambda listener: listener.on_chain_error(interrupt, run_id=run_id))
        else:
            outputs = run.outputs if last else played[-1][0].tasks[0].given
            self._tell(at, lambda listener: listener.on_chain_end(outputs, run_id=run_id))

    def _step(self, run: ThreadRun, step: Step, attempt: int, parent: UUID) -> None:
        tasks = [task for task in step.tasks if attempt < task.attempts and _is_told(task)]
        for task in tasks:
            self._start_task(run, step, task, attempt, parent)
        for task in tasks:
            for inner in task.runs:
                if attempt < inner.attempts:
                    self.run(inner, attempt, _task_id(task, attempt))
        for task in tasks:
            if attempt == task.attempts - 1 and not task.waits:
                self._end_task(run, step, task, attempt)
            else:
                self._interrupt_task(step, task, attempt)

    def _start_task(
        self, run: ThreadRun, step: Step, task: ThreadTask, attempt: int, parent: UUID
    ) -> None:
        answers = task.answers[attempt - 1 : attempt] if attempt else []
        given = _with_answer(task.given, answers[0]) if answers else task.given
        self._knows(given)
        metadata: dict[str, object] = {
            **self._blueprint.details(run.path),
            "langgraph_node": task.node,
            "langgraph_checkpoint_ns": task.namespace,
            "langgraph_triggers": ["__pregel_push" if task.pushed else _PULLED + task.node],
        }
        self._tell(
            step.start_ns,
            lambda listener: listener.on_chain_start(
                None,
                given,
                run_id=_task_id(task, attempt),
                parent_run_id=parent,
                tags=[f"graph:step:{step.number}"],
                metadata=metadata,
                name=task.node,
            ),
        )

    def _interrupt_task(self, step: Step, task: ThreadTask, attempt: int) -> None:
        run_id = _task_id(task, attempt)
        asked = next((value for channel, value in task.writes if channel == INTERRUPT), ())
        interrupt = GraphInterrupt(asked if isinstance(asked, list | tuple) else [asked])
        self._tell(step.end_ns, lambda listener: listener.on_chain_error(interrupt, run_id=run_id))

    def _end_task(self, run: ThreadRun, step: Step, task: ThreadTask, attempt: int) -> None:
        run_id = _task_id(task, attempt)
        if error := _failure(task):
            self._tell(step.end_ns, lambda listener: listener.on_chain_error(error, run_id=run_id))
            return
        updates = _updates(task)
        for message in messages_within(updates):
            self._say(step, task, message, run_id)
        sends = [value for channel, value in task.writes if isinstance(value, Send)]
        targets = [
            target
            for target in _targets(task)
            if self._blueprint.is_goto(run.path, task.node, target)
        ]
        if sends and not self._blueprint.sends_by_command(run.path, task.node):
            self._route(step, sends, run_id)
            sends = []
        output: object = updates
        if goto := [*targets, *sends]:
            *others, last = updates or [None]
            output = [*others, Command(update=last, goto=goto)]
        self._tell(step.end_ns, lambda listener: listener.on_chain_end(output, run_id=run_id))

    def _route(self, step: Step, sends: Sequence[Send], parent: UUID) -> None:
        run_id = run_id_for(str(parent), SENDS)
        self._tell(
            step.end_ns,
            lambda listener: listener.on_chain_start(
                None, None, run_id=run_id, parent_run_id=parent, tags=["seq:step:2"], name="edge"
            ),
        )
        self._tell(
            step.end_ns, lambda listener: listener.on_chain_end(list(sends), run_id=run_id)
        )

    def _say(self, step: Step, task: ThreadTask, message: BaseMessage, parent: UUID) -> None:
        """Tell of the model or the tool that a new message comes from."""
        if message.id in self._known:
            return
        self._knows(message)
        run_id = run_id_for(str(parent), message.id or f"{id(message)}")
        if isinstance(message, AIMessage) and _is_sampled(message):
            self._tell(step.start_ns, _start_model(run_id, parent))
            reply = LLMResult(generations=[[ChatGeneration(message=message)]])
            self._tell(step.end_ns, lambda listener: listener.on_llm_end(reply, run_id=run_id))
        elif isinstance(message, ToolMessage) and not _is_handed_back(message):
            self._tell(step.start_ns, _start_tool(run_id, parent, message))
            self._tell(step.end_ns, lambda listener: listener.on_tool_end(message, run_id=run_id))

    def _knows(self, value: object) -> None:
        self._known.update(message.id for message in messages_within(value) if message.id)

    def _tell(self, at_ns: int, tell: Callable[[Listener], None]) -> None:
        self.events.append(Event(at_ns, tell))


def _attempts(run: ThreadRun) -> Iterator[list[tuple[Step, int]]]:
    """Yield the supersteps of each attempt of a run, each with the number of its own attempt."""
    played: list[tuple[Step, int]] = []
    for step in run.steps:
        for attempt in range(step.attempts):
            if attempt:
                yield played
                played = []
            played.append((step, attempt))
    yield played


def _answers(played: Sequence[tuple[Step, int]]) -> object:
    step, attempt = played[0]
    found = [task.answers[attempt - 1] for task in step.tasks if len(task.answers) >= attempt]
    return found[0] if len(found) == 1 else found


def _is_told(task: ThreadTask) -> bool:
    """Tell whether a task calls back: a graph's start only where edges lead on from it."""
    return task.node != _START or any(isinstance(value, Send) for _, value in task.writes)


def _task_id(task: ThreadTask, attempt: int) -> UUID:
    return run_id_for(task.namespace, attempt)


def _failure(task: ThreadTask) -> BaseException | None:
    found = next((value for channel, value in task.writes if channel == ERROR), None)
    if found is None or task.ended:
        return None
    return found if isinstance(found, BaseException) else RuntimeError(str(found))


def _updates(task: ThreadTask) -> list[object]:
    """Return what a task wrote into the state, as one update or as several of the same fields."""
    updates: list[dict[str, object]] = []
    for channel, value in task.writes:
        if channel == _ROOT:
            return [value]
        if channel.startswith(("__", BRANCH, "join:")):
            continue
        if not updates or channel in updates[-1]:
            updates.append({})
        updates[-1][channel] = value
    return list[object](updates)


def _targets(task: ThreadTask) -> list[str]:
    return [c.removeprefix(BRANCH) for c, _ in task.writes if c.startswith(BRANCH)]


def _with_answer(given: object, answer: object) -> object:
    message = HumanMessage(payload_text(answer))
    return {**given, RESUME: message} if isinstance(given, dict) else [given, message]


def _is_sampled(message: AIMessage) -> bool:
    if _is_handed_back(message):
        return False
    named = (message.id or "").startswith(("lc_run--", "run-"))
    told = any(message.response_metadata.get(name) for name in _SAMPLED)
    return bool(named or told or message.usage_metadata)


def _is_handed_back(message: BaseMessage) -> bool:
    return bool(message.response_metadata.get(_HANDED_BACK))


def _start_model(run_id: UUID, parent: UUID) -> Callable[[Listener], None]:
    return lambda listener: listener.on_chat_model_start(
        None, [[]], run_id=run_id, parent_run_id=parent
    )


def _start_tool(
    run_id: UUID, parent: UUID, message: ToolMessage
) -> Callable[[Listener], None]:
    return lambda listener: listener.on_tool_start(
        None,
        "",
        run_id=run_id,
        parent_run_id=parent,
        tool_call_id=message.tool_call_id,
        name=message.name or "tool",
    )
