"""The callback handler of one recording: LangChain's events become runs and rows.

One lock orders the events of all threads. LangChain drops what a handler raises, so a defect of
ours is kept and reported when the recording ends; it never reaches the graph.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, TypeVar, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Send

from linenotes.tracing.recorder._actors import START, activation_of, is_edge, open_scope, task_step
from linenotes.tracing.recorder._runs import Run, RunKind, Task

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.documents import Document
    from langchain_core.outputs import LLMResult

    from linenotes.tracing.recorder._conversation import Conversation

_PUSH = "__pregel_push"
Method = TypeVar("Method", bound=Callable[..., None])


def _event(method: Method) -> Method:
    """Hear one event at a time, until the recording is closed, and keep what goes wrong."""

    @wraps(method)
    def heard(self: Listener, *args: object, **kwargs: object) -> None:
        with self.lock:
            if self.closed:
                return
            try:
                method(self, *args, **kwargs)
                if self.after_event is not None:
                    self.after_event()
            except Exception as error:  # noqa: BLE001  reported when the recording ends
                self.defects.append(error)

    return cast("Method", heard)


class Listener(BaseCallbackHandler):
    """Hears every run of the graphs in one `record()` block."""

    run_inline = True

    def __init__(self, conversation: Conversation, clock: Callable[[], int]) -> None:
        self.lock = threading.RLock()
        self.closed = False
        self.runs: list[Run] = []
        """The runs in the order in which they began, without plumbing."""
        self.roots: list[Run] = []
        self.interrupted = False
        """True while the last graph waits for a person."""
        self.defects: list[Exception] = []
        self.after_event: Callable[[], None] | None = None
        self._conversation = conversation
        self._clock = clock
        self._by_id: dict[UUID, Run] = {}
        self._scopes = 0
        self._bubbled: BaseException | None = None

    @_event
    def on_chain_start(
        self,
        serialized: dict[str, object] | None,
        inputs: object,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, object] | None = None,
        name: str | None = None,
        **_: object,
    ) -> None:
        parent, details = self._parent(parent_run_id), metadata or {}
        name = name or str((serialized or {}).get("name") or "chain")
        step = task_step(tags or ())
        if step is not None and parent is not None:
            run: Run = self._start_task(parent, name, step, details, inputs)
        else:
            run = self._start("chain", name, parent, details, inputs)
            run.is_edge = is_edge(run, tags or ())
        self._by_id[run_id] = run
        if parent is None:
            self.roots.append(run)
            self.interrupted = False

    @_event
    def on_chain_end(self, outputs: object, *, run_id: UUID, **_: object) -> None:
        run = self._end(run_id)
        if isinstance(run, Task):
            self._conversation.task_ended(run, outputs, run.ended_ns)
            self._let_go(run)
        elif run.is_edge and run.task is not None:
            routed = outputs if isinstance(outputs, list | tuple) else (outputs,)
            run.task.sends += [part for part in routed if isinstance(part, Send)]
        elif run.scope is not None:
            self._conversation.graph_ended(run.scope, outputs)
        if run.parent is None:
            run.outputs = outputs
        else:
            run.inputs = None

    @_event
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        run = self._end(run_id)
        if isinstance(error, ParentCommand):
            if isinstance(run, Task):
                self._leave_by_command(run, error)
        elif not isinstance(error, GeneratorExit):
            run.error = error
            self.interrupted |= isinstance(error, GraphInterrupt)
            if isinstance(run, Task):
                self._conversation.task_failed(run)
        if isinstance(run, Task):
            self._let_go(run)

    @_event
    def on_chat_model_start(
        self,
        serialized: dict[str, object] | None,  # noqa: ARG002  LangChain's signature
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, object] | None = None,
        **more: object,
    ) -> None:
        self._start_model(messages[0], run_id, parent_run_id, metadata, more)

    @_event
    def on_llm_start(
        self,
        serialized: dict[str, object] | None,  # noqa: ARG002  LangChain's signature
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, object] | None = None,
        **more: object,
    ) -> None:
        prompt = [HumanMessage(prompts[0])]
        self._start_model(prompt, run_id, parent_run_id, metadata, more)

    def _start_model(
        self,
        prompt: Sequence[BaseMessage],
        run_id: UUID,
        parent_run_id: UUID | None,
        metadata: Mapping[str, object] | None,
        more: Mapping[str, object],
    ) -> None:
        parameters = more.get("invocation_params")
        details = {**(parameters if isinstance(parameters, Mapping) else {}), **(metadata or {})}
        parent = self._parent(parent_run_id)
        run = self._start("model", "", parent, details, tuple(prompt))
        self.runs.append(run)
        self._by_id[run_id] = run
        self._conversation.model_started(run, prompt)
        self._announce_soon()

    def _announce_soon(self) -> None:
        """Announce what has arrived once all tasks of the superstep had their turn to start."""
        if not self._conversation.has_listener:
            return
        with suppress(RuntimeError):  # outside of an event loop: the next event does it
            asyncio.get_running_loop().call_soon(self._announce)

    @_event
    def _announce(self) -> None:
        self._conversation.announce()

    @_event
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: object) -> None:
        run = self._end(run_id)
        generation = next((one for prompt in response.generations for one in prompt), None)
        if generation is None:
            return  # the provider answered without an answer; the client raises next
        message = getattr(generation, "message", None)
        if not isinstance(message, BaseMessage):
            message = AIMessage(generation.text, id=f"lc_run--{run_id}")
        run.outputs = message
        run.details = {**run.details, **(response.llm_output or {}), **message.response_metadata}
        self._conversation.model_ended(run, message, run.ended_ns)

    @_event
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self._end(run_id).error = error

    @_event
    def on_tool_start(
        self,
        serialized: dict[str, object] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        inputs: dict[str, object] | None = None,
        tool_call_id: str | None = None,
        name: str | None = None,
        **_: object,
    ) -> None:
        details = {**(serialized or {}), "tool_call_id": tool_call_id}
        parent = self._parent(parent_run_id)
        name = name or str(details.get("name") or "tool")
        run = self._start("tool", name, parent, details, input_str if inputs is None else inputs)
        self.runs.append(run)
        self._by_id[run_id] = run
        self._conversation.tool_started(run, tool_call_id)

    @_event
    def on_tool_end(self, output: object, *, run_id: UUID, **_: object) -> None:
        run = self._end(run_id)
        run.outputs = output
        self._conversation.tool_ended(run, output, run.ended_ns)

    @_event
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self._end(run_id).error = error

    @_event
    def on_retriever_start(
        self,
        serialized: dict[str, object] | None,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        name: str | None = None,
        **_: object,
    ) -> None:
        name = name or str((serialized or {}).get("name") or "retriever")
        run = self._start("retriever", name, self._parent(parent_run_id), {}, query)
        self.runs.append(run)
        self._by_id[run_id] = run

    @_event
    def on_retriever_end(self, documents: Sequence[Document], *, run_id: UUID, **_: object) -> None:
        self._end(run_id).outputs = documents

    @_event
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self._end(run_id).error = error

    def running_tasks(self) -> list[Task]:
        """Return the tasks that have not ended."""
        return [run for run in self.runs if isinstance(run, Task) and run.end_ns is None]

    def close(self) -> None:
        """Hear nothing more and let go of everything heard."""
        self.closed = True
        self._by_id.clear()
        self.runs, self.roots, self._bubbled = [], [], None

    def _parent(self, run_id: UUID | None) -> Run | None:
        return self._by_id.get(run_id) if run_id else None

    def _start(
        self,
        kind: RunKind,
        name: str,
        parent: Run | None,
        details: Mapping[str, object],
        inputs: object,
    ) -> Run:
        task = parent.task if parent else None
        return Run(kind, name, parent, self._clock(), details=details, inputs=inputs, task=task)

    def _start_task(
        self, parent: Run, name: str, step: int, details: Mapping[str, object], inputs: object
    ) -> Task:
        node = str(details.get("langgraph_node") or name)
        if parent.scope is None:
            self._scopes += 1
            first = step + (node == START)
            parent.scope = open_scope(parent, number=self._scopes, first_step=first)
            if parent.scope.activation and parent.scope.activation.run is parent:
                self.runs.append(parent)
        task = Task(
            "chain",
            name,
            parent,
            self._clock(),
            details=details,
            inputs=inputs,
            within=parent.scope,
            node=node,
            step=step,
            namespace=str(details.get("langgraph_checkpoint_ns") or ""),
            slot=parent.scope.slot(step),
        )
        task.task = task
        task.stage = activation_of(task)
        self.runs.append(task)
        triggers = details.get("langgraph_triggers")
        pushed = isinstance(triggers, list | tuple) and _PUSH in triggers
        self._conversation.task_started(task, pushed=pushed)
        return task

    def _end(self, run_id: UUID) -> Run:
        run = self._by_id[run_id]
        run.end_ns = self._clock()
        return run

    def _leave_by_command(self, task: Task, error: ParentCommand) -> None:
        """Take the command by which `task` leaves its graph; it bubbles up through outer tasks."""
        if self._bubbled is error:
            self._conversation.task_failed(task)
        else:
            self._bubbled = error
            self._conversation.task_ended(task, error.args[0], task.ended_ns)

    @staticmethod
    def _let_go(task: Task) -> None:
        """Drop the state that `task` was given: its messages have rows."""
        task.inputs = None
        task.sends.clear()
        task.routed_here.clear()
