"""A LangGraph thread as the callbacks that were made while it ran, as far as checkpoints tell.

Each attempt of a run, from its start or a resumption to its end or the next interruption, becomes
a run of its own; the later ones are resumed with what a person answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, ToolMessage
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command, Send

from linenotes.tracing._langgraph import BRANCH, PUSH, SENDS, START
from linenotes.tracing.sources._callbacks import (
    Callback,
    chain_ended,
    chain_started,
    model_ended,
    model_started,
    run_failed,
    tool_ended,
    tool_started,
)
from linenotes.tracing.sources._identities import Sight, identify, messages_within
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._task_writes import (
    agent_in,
    command_to,
    failure_of,
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

    from linenotes.tracing.sources._blueprint import Blueprint


def thread_events(runs: Sequence[ThreadRun], blueprint: Blueprint) -> list[Event]:
    """Return what happened in the runs of a thread, in the order in which it happened."""
    identify(sight for run in runs for sight in _sights(run))
    log = _EventLog(blueprint)
    for run in runs:
        for attempt in range(run.attempts):
            log.run(run, attempt, parent=None, host=None)
    return log.events


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


class _EventLog:
    """Makes the events of runs, supersteps and tasks, attempt by attempt."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.events: list[Event] = []
        self._blueprint = blueprint
        self._at = 0
        self._known_details: dict[ThreadRun, dict[str, object]] = {}
        self._left: ParentCommand | None = None
        """By which the innermost graph was left last."""
        self._known: set[str] = set()
        """The ids of messages that somebody is known to have said."""

    def run(
        self, run: ThreadRun, attempt: int, *, parent: UUID | None, host: ThreadTask | None
    ) -> None:
        """Add one attempt of a run, inside of the task `host`."""
        run_id = run_id_for(run.namespace, run.start_ns, attempt)
        played = [*_attempts(run)][attempt]
        self._at = played[0][0].start_ns if played else run.start_ns
        inputs = run.inputs
        if attempt and host is None:
            inputs = Command(resume=_resumed_with(_answers(run, attempt)))
        self._mark_known(run.inputs)
        name = self._blueprint.name(run.path)
        metadata = self._details(run) | {"thread_id": self._blueprint.thread_id}
        self._add(chain_started(run_id, parent, inputs, name=name, metadata=metadata))
        for step, of_step in played:
            self._step(run, step, of_step, run_id)
        if host and host.left_from is run and attempt == run.attempts - 1:
            self._leave(run, host, run_id)
        else:
            self._end_run(run, run_id, played, last=attempt == run.attempts - 1)

    def _details(self, run: ThreadRun) -> dict[str, object]:
        """Return what LangChain would say of a run; found once, since each task of it is asked."""
        if run not in self._known_details:
            self._known_details[run] = self._found_details(run)
        return self._known_details[run]

    def _found_details(self, run: ThreadRun) -> dict[str, object]:
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
            self._add(chain_ended(run_id, run.outputs if last else tasks[0].given))

    def _leave(self, run: ThreadRun, host: ThreadTask, run_id: UUID) -> None:
        """Add the Command by which the next task of a run left it for the graph around it."""
        assert run.next is not None
        goto = gotos_of(host, run.path.rpartition("|")[0], self._blueprint)
        leaver = run.next
        task_id = run_id_for(leaver.namespace, "left")
        number = run.steps[-1].number + 1 if run.steps else 1
        self._start_task(run, leaver, number, task_id, run_id)
        self._add_calls(leaver, updates_of(host), task_id, goto)
        *_, update = updates_of(host) or [None]
        left = ParentCommand(command_to(goto, update, Command.PARENT))
        self._fail(task_id, left)
        self._fail(run_id, left)
        self._left = left

    def _step(self, run: ThreadRun, step: Step, attempt: int, parent: UUID) -> None:
        self._at = step.start_ns
        tasks = [task for task in step.tasks if attempt < task.attempts and _calls_back(task)]
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
        """Add the graphs inside a task, and around them the tool that ran them if one did."""
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
        self._mark_known(task.given)
        metadata = {
            **self._details(run),
            "langgraph_node": task.node,
            "langgraph_checkpoint_ns": task.namespace,
            "langgraph_triggers": [PUSH if task.pushed else BRANCH + task.node],
        }
        tags = [f"graph:step:{number}"]
        self._add(
            chain_started(run_id, parent, task.given, name=task.node, metadata=metadata, tags=tags)
        )

    def _end_task(self, run: ThreadRun, task: ThreadTask, run_id: UUID) -> None:
        if error := (self._left if task.left_from else failure_of(task)):
            self._fail(run_id, error)
            return
        updates = updates_of(task)
        goto = gotos_of(task, run.path, self._blueprint)
        self._add_calls(task, updates, run_id, goto)
        sends = [send for send in sends_of(task) if send not in goto]
        if sends:
            edge_id = run_id_for(str(run_id), SENDS)
            self._add(chain_started(edge_id, run_id, None, name="edge", tags=["seq:step:2"]))
            self._add(chain_ended(edge_id, sends))
        *others, last = updates or [None]
        self._add(chain_ended(run_id, [*others, command_to(goto, last)] if goto else updates))

    def _add_calls(
        self, task: ThreadTask, updates: object, parent: UUID, goto: list[str | Send]
    ) -> None:
        """Add the model and tool calls that the new messages of a task come from."""
        in_view, around = [*messages_within(task.given)], tool_around(task)
        for message in [*messages_within(updates)]:
            if message.id in self._known:
                continue
            self._mark_known(message)
            if is_sampled(message):
                self._call_model(message, in_view, parent)
            elif (
                isinstance(message, ToolMessage) and results_in(message) and (message.name or goto)
            ):
                handed: object = message
                if goto:
                    handed = command_to(goto, {"messages": [message]})
                self._run_tool(message, parent, handed, started=around is not None)
            in_view.append(message)

    def _call_model(self, reply: BaseMessage, prompt: Sequence[BaseMessage], parent: UUID) -> None:
        run_id = run_id_for(str(parent), reply.id or str(id(reply)))
        self._add(model_started(run_id, parent, [*prompt]))
        self._add(model_ended(run_id, reply))

    def _run_tool(
        self, result: ToolMessage, parent: UUID, output: object, *, started: bool
    ) -> None:
        run_id = run_id_for(str(parent), result.tool_call_id)
        if not started:
            self._start_tool(run_id, parent, result)
        self._add(tool_ended(run_id, output))

    def _start_tool(self, run_id: UUID, parent: UUID, result: ToolMessage) -> None:
        name, call_id = result.name or "tool", result.tool_call_id
        self._add(tool_started(run_id, parent, "", name=name, call_id=call_id))

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        self._add(run_failed("chain", run_id, error))

    def _mark_known(self, value: object) -> None:
        self._known.update(message.id for message in messages_within(value) if message.id)

    def _add(self, callback: Callback) -> None:
        self.events.append(Event(self._at, callback))


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


def _calls_back(task: ThreadTask) -> bool:
    """Return whether a task calls back: a graph's start only where edges send from it."""
    return task.node != START or any(isinstance(value, Send) for _, value in task.writes)


def _task_id(task: ThreadTask, attempt: int) -> UUID:
    return run_id_for(task.namespace, attempt)
