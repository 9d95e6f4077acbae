"""A LangGraph thread as the callbacks that it was made of, as far as it tells.

Each attempt of a run, from its start or a resumption to its end or the next interruption, is told
as a run of its own, the later ones resumed with what a person answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command, Send

from linenotes.tracing._langgraph import BRANCH, PUSH, SENDS, START
from linenotes.tracing.sources._identities import Sight, identify, messages_within
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._task_writes import (
    agent_in,
    failure_of,
    going,
    gotos_of,
    is_sampled,
    results_in,
    sends_of,
    tool_around,
    updates_of,
)
from linenotes.tracing.sources._thread_records import Step, ThreadRun, ThreadTask

if TYPE_CHECKING:
    from uuid import UUID

    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.sources._blueprint import Blueprint


def thread_events(runs: Sequence[ThreadRun], blueprint: Blueprint) -> list[Event]:
    """Return what happened in the runs of a thread, in the order in which it happened."""
    identify(sight for run in runs for sight in _sights(run))
    teller = _Teller(blueprint)
    for run in runs:
        for attempt in range(run.attempts):
            teller.run(run, attempt, parent=None, host=None)
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
    """Makes the events of runs, supersteps and tasks, attempt by attempt."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.events: list[Event] = []
        self._blueprint = blueprint
        self._at = 0
        self._left: ParentCommand | None = None
        """By which the innermost graph was left last."""
        self._known: set[str] = set()
        """The ids of messages that somebody is known to have said."""

    def run(
        self, run: ThreadRun, attempt: int, *, parent: UUID | None, host: ThreadTask | None
    ) -> None:
        """Tell of one attempt of a run, inside of the task `host`."""
        run_id = run_id_for(run.namespace, run.start_ns, attempt)
        played = [*_attempts(run)][attempt]
        self._at = played[0][0].start_ns if played else run.start_ns
        inputs = run.inputs
        if attempt and host is None:
            inputs = Command(resume=_resumed_with(_answers(run, attempt)))
        self._knows(run.inputs)
        self._start(
            run_id,
            parent,
            inputs,
            name=self._blueprint.name(run.path),
            metadata=self._details(run) | {"thread_id": self._blueprint.thread_id},
        )
        for step, of_step in played:
            self._step(run, step, of_step, run_id)
        if host and host.left_from is run and attempt == run.attempts - 1:
            self._leave(run, host, run_id)
        else:
            self._end_run(run, run_id, played, last=attempt == run.attempts - 1)

    def _details(self, run: ThreadRun) -> dict[str, object]:
        if run.path in self._blueprint.graphs:
            return self._blueprint.details(run.path)
        agent = agent_in(run)
        return {"lc_agent_name": agent} if agent else {}

    def _end_run(
        self, run: ThreadRun, run_id: UUID, played: Sequence[tuple[Step, int]], *, last: bool
    ) -> None:
        tasks = played[-1][0].tasks if played else ()
        failed = next((error for task in tasks if (error := failure_of(task))), None)
        if last and failed:
            self._fail(run_id, failed)
        elif run.namespace and (not last or any(task.waits for task in tasks)):
            self._fail(run_id, GraphInterrupt())
        else:
            self._end(run_id, run.outputs if last else tasks[0].given)

    def _leave(self, run: ThreadRun, host: ThreadTask, run_id: UUID) -> None:
        """Tell of the Command by which the next task of a run left it for the graph around it."""
        assert run.next is not None
        goto = gotos_of(host, run.path.rpartition("|")[0], self._blueprint)
        leaver = run.next
        task_id = run_id_for(leaver.namespace, "left")
        number = run.steps[-1].number + 1 if run.steps else 1
        self._start_task(run, leaver, number, task_id, run_id)
        self._say(leaver, updates_of(host), task_id, goto)
        *_, update = updates_of(host) or [None]
        left = ParentCommand(going(goto, update, Command.PARENT))
        self._fail(task_id, left)
        self._fail(run_id, left)
        self._left = left

    def _step(self, run: ThreadRun, step: Step, attempt: int, parent: UUID) -> None:
        self._at = step.start_ns
        tasks = [task for task in step.tasks if attempt < task.attempts and _is_told(task)]
        for task in tasks:
            self._start_task(run, task, step.number, _task_id(task, attempt), parent)
        for task in tasks:
            self._inside(task, attempt)
        self._at = step.end_ns
        for task in tasks:
            if attempt == task.attempts - 1 and not task.waits:
                self._end_task(run, task, _task_id(task, attempt))
            else:
                self._fail(_task_id(task, attempt), GraphInterrupt(task.questions(attempt)))

    def _inside(self, task: ThreadTask, attempt: int) -> None:
        """Tell of the graphs inside a task, inside of the tool that ran them if one did."""
        parent = _task_id(task, attempt)
        if result := tool_around(task):
            tool_id = run_id_for(str(parent), result.tool_call_id)
            self._start_tool(tool_id, parent, result)
            parent = tool_id
        for inner in task.runs:
            if attempt < inner.attempts:
                self.run(inner, attempt, parent=parent, host=task)

    def _start_task(
        self, run: ThreadRun, task: ThreadTask, number: int, run_id: UUID, parent: UUID
    ) -> None:
        self._knows(task.given)
        metadata = {
            **self._details(run),
            "langgraph_node": task.node,
            "langgraph_checkpoint_ns": task.namespace,
            "langgraph_triggers": [PUSH if task.pushed else BRANCH + task.node],
        }
        tags = [f"graph:step:{number}"]
        self._start(run_id, parent, task.given, name=task.node, metadata=metadata, tags=tags)

    def _end_task(self, run: ThreadRun, task: ThreadTask, run_id: UUID) -> None:
        if error := (self._left if task.left_from else failure_of(task)):
            self._fail(run_id, error)
            return
        updates = updates_of(task)
        goto = gotos_of(task, run.path, self._blueprint)
        self._say(task, updates, run_id, goto)
        sends = [send for send in sends_of(task) if send not in goto]
        if sends:
            edge_id = run_id_for(str(run_id), SENDS)
            self._start(edge_id, run_id, None, name="edge", tags=["seq:step:2"])
            self._end(edge_id, sends)
        *others, last = updates or [None]
        self._end(run_id, [*others, going(goto, last)] if goto else updates)

    def _say(self, task: ThreadTask, updates: object, parent: UUID, goto: list[str | Send]) -> None:
        """Tell of the models and the tools that the new messages of a task come from."""
        in_view, around = [*messages_within(task.given)], tool_around(task)
        for message in [*messages_within(updates)]:
            if message.id in self._known:
                continue
            self._knows(message)
            if is_sampled(message):
                self._call_model(message, in_view, parent)
            elif (
                isinstance(message, ToolMessage) and results_in(message) and (message.name or goto)
            ):
                handed: object = message
                if goto:
                    handed = going(goto, {"messages": [message]})
                self._run_tool(message, parent, handed, started=around is not None)
            in_view.append(message)

    def _call_model(self, reply: BaseMessage, prompt: Sequence[BaseMessage], parent: UUID) -> None:
        run_id, shown = run_id_for(str(parent), reply.id or str(id(reply))), [*prompt]
        self._tell(
            lambda listener: listener.on_chat_model_start(
                None, [shown], run_id=run_id, parent_run_id=parent
            )
        )
        result = LLMResult(generations=[[ChatGeneration(message=reply)]])
        self._tell(lambda listener: listener.on_llm_end(result, run_id=run_id))

    def _run_tool(
        self, result: ToolMessage, parent: UUID, output: object, *, started: bool
    ) -> None:
        run_id = run_id_for(str(parent), result.tool_call_id)
        if not started:
            self._start_tool(run_id, parent, result)
        self._tell(lambda listener: listener.on_tool_end(output, run_id=run_id))

    def _start_tool(self, run_id: UUID, parent: UUID, result: ToolMessage) -> None:
        self._tell(
            lambda listener: listener.on_tool_start(
                None,
                "",
                run_id=run_id,
                parent_run_id=parent,
                tool_call_id=result.tool_call_id,
                name=result.name or "tool",
            )
        )

    def _start(
        self,
        run_id: UUID,
        parent: UUID | None,
        inputs: object,
        *,
        name: str,
        metadata: dict[str, object] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        self._tell(
            lambda listener: listener.on_chain_start(
                None,
                inputs,
                run_id=run_id,
                parent_run_id=parent,
                tags=tags,
                metadata=metadata,
                name=name,
            )
        )

    def _end(self, run_id: UUID, outputs: object) -> None:
        self._tell(lambda listener: listener.on_chain_end(outputs, run_id=run_id))

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        self._tell(lambda listener: listener.on_chain_error(error, run_id=run_id))

    def _knows(self, value: object) -> None:
        self._known.update(message.id for message in messages_within(value) if message.id)

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        self.events.append(Event(self._at, tell))


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


def _answers(run: ThreadRun, attempt: int) -> Iterator[tuple[str, object]]:
    """Yield what a person answered before an attempt, by the ids of the interrupts."""
    step, of_step = [*_attempts(run)][attempt][0]
    for task in step.tasks:
        if len(task.answers) >= of_step:
            asked = task.questions(of_step - 1)
            yield next((one.id for one in asked), task.namespace), task.answers[of_step - 1]
        for inner in task.runs:
            if of_step < inner.attempts:
                yield from _answers(inner, of_step)


def _resumed_with(answers: Iterable[tuple[str, object]]) -> object:
    given = dict(answers)
    return next(iter(given.values())) if len(given) == 1 else given or None


def _is_told(task: ThreadTask) -> bool:
    """Tell whether a task calls back: a graph's start only where edges send from it."""
    return task.node != START or any(isinstance(value, Send) for _, value in task.writes)


def _task_id(task: ThreadTask, attempt: int) -> UUID:
    return run_id_for(task.namespace, attempt)
