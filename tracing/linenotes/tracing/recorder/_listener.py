"""The callback handler of one recording: LangChain's events become runs and rows.

One lock orders the events of all threads. LangChain drops what a handler raises, so a defect of
ours is kept and reported when the recording ends; it never reaches the graph.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, TypeVar, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Send

from linenotes.tracing.recorder._actors import model_name
from linenotes.tracing.recorder._cached_tasks import skipped_at_end, skipped_before
from linenotes.tracing.recorder._content import is_a
from linenotes.tracing.recorder._run_log import RunLog
from linenotes.tracing.recorder._runs import Run, Task

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.documents import Document
    from langchain_core.outputs import LLMResult

    from linenotes.tracing.recorder._cached_tasks import CachedTask
    from linenotes.tracing.recorder._conversation import Conversation

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
    ignore_custom_event = True
    ignore_retry = True

    def __init__(self, conversation: Conversation, clock: Callable[[], int]) -> None:
        self.lock = threading.RLock()
        self.closed = False
        self.log = RunLog(clock)
        self.interrupted = False
        """True while the last graph waits for a person."""
        self.defects: list[Exception] = []
        self.after_event: Callable[[], None] | None = None
        self._conversation = conversation
        self._bubbled: list[BaseException] = []
        _LISTENERS.add(self)

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
        run = self.log.start_chain(
            run_id,
            parent_run_id,
            name or str((serialized or {}).get("name") or "chain"),
            inputs,
            tags=tags or (),
            details=metadata or {},
        )
        if isinstance(run, Task):
            if run.within.run.graph and run.within.run.graph.cache:
                self._hear_skipped(run, inputs)
            self._conversation.task_started(run, pushed=run.is_pushed)
        elif run.parent is None:
            self.interrupted = False
            self._conversation.graph_started(run)

    @_event
    def on_chain_end(self, outputs: object, *, run_id: UUID, **_: object) -> None:
        run = self.log.end(run_id)
        if isinstance(run, Task):
            self._conversation.task_ended(run, outputs, run.ended_ns)
            run.let_go()
        elif run.is_edge and run.task is not None:
            routed = outputs if isinstance(outputs, list | tuple) else (outputs,)
            run.task.sends += [part for part in routed if isinstance(part, Send)]
        else:
            self._end_graph(run, outputs)
        if run.parent is None:
            run.outputs = outputs
        else:
            run.inputs = None

    def _end_graph(self, run: Run, outputs: object) -> None:
        if run.scope is None and run.graph is None:
            return
        scope = run.scope or self.log.open_scope(run, first_step=1)
        for skipped in skipped_at_end(run, outputs, self._conversation.knows(scope)):
            self._hear_late(run, skipped)
        self._conversation.graph_ended(scope, outputs)

    def _hear_skipped(self, task: Task, inputs: object) -> None:
        scope = task.within
        is_known = self._conversation.knows(scope)
        for skipped in skipped_before(scope, task.node, task.step, inputs, is_known):
            self._hear_late(scope.run, skipped)

    def _hear_late(self, graph: Run, skipped: CachedTask) -> None:
        task = self.log.skipped_task(graph, skipped)
        self._conversation.task_started(task, pushed=False)
        task.end_ns = task.start_ns
        self._conversation.task_ended(task, skipped.output, task.ended_ns)

    @_event
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        run = self.log.end(run_id)
        if isinstance(run, Task):
            self._leave(run, error)
            run.let_go()
        if not isinstance(error, ParentCommand | GeneratorExit):
            run.error = error
            self.interrupted |= isinstance(error, GraphInterrupt)

    def _leave(self, task: Task, error: BaseException) -> None:
        """Take what `task` ends early with; a command bubbles up through the outer tasks."""
        if isinstance(error, GraphInterrupt):
            self._conversation.task_interrupted(task, error, task.ended_ns)
        elif isinstance(error, ParentCommand) and not self._has_bubbled(error):
            self._bubbled.append(error)
            self._conversation.task_ended(task, error.args[0], task.ended_ns)
        elif not isinstance(error, GeneratorExit):
            self._conversation.task_failed(task)

    def _has_bubbled(self, error: BaseException) -> bool:
        return any(error is other for other in self._bubbled)

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
        run = self.log.start("model", run_id, parent_run_id, "", tuple(prompt), details=details)
        run.model = model_name(details)
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
        run = self.log.end(run_id)
        generation = next((one for prompt in response.generations for one in prompt), None)
        if generation is None:
            return  # the provider answered without an answer; the client raises next
        message = getattr(generation, "message", None)
        if not is_a(message, BaseMessage):
            message = AIMessage(generation.text, id=f"lc_run--{run_id}")
        run.outputs = message
        run.details = {**run.details, **(response.llm_output or {}), **message.response_metadata}
        run.model = run.model or model_name(run.details)
        self._conversation.model_ended(run, message, run.ended_ns)

    @_event
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self.log.end(run_id).error = error

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
        name = name or str(details.get("name") or "tool")
        given = input_str if inputs is None else inputs
        run = self.log.start("tool", run_id, parent_run_id, name, given, details=details)
        self._conversation.tool_started(run, tool_call_id)

    @_event
    def on_tool_end(self, output: object, *, run_id: UUID, **_: object) -> None:
        run = self.log.end(run_id)
        run.outputs = output
        self._conversation.tool_ended(run, output, run.ended_ns)

    @_event
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self.log.end(run_id).error = error

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
        self.log.start("retriever", run_id, parent_run_id, name, query, details={})

    @_event
    def on_retriever_end(self, documents: Sequence[Document], *, run_id: UUID, **_: object) -> None:
        self.log.end(run_id).outputs = documents

    @_event
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        self.log.end(run_id).error = error

    def close(self) -> None:
        """Hear nothing more and let go of everything heard."""
        self.closed = True
        self.log.clear()
        self._bubbled.clear()


_LISTENERS: weakref.WeakSet[Listener] = weakref.WeakSet()


def _close_copies() -> None:
    """Leave the recordings to the parent: its other threads, gone here, may have held the locks."""
    for listener in _LISTENERS:
        listener.lock = threading.RLock()
        listener.closed = True


os.register_at_fork(after_in_child=_close_copies)
