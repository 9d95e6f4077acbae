"""The spans of a foreign MLflow trace as the callbacks that they were made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command, Interrupt

from linenotes.tracing._conventions import MLFLOW_MODEL, MLFLOW_PROVIDER
from linenotes.tracing.sources._chat_calls import prompt_of, replies_in
from linenotes.tracing.sources._identities import Sight, identify, messages_within
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._reprs import read_interrupts
from linenotes.tracing.sources._stored_values import revived

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.documents import Document

    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.sources._stored_spans import StoredError, StoredSpan

Tell = Callable[["Listener"], None]
_INTERRUPTS = frozenset({"GraphInterrupt", "NodeInterrupt"})


def span_events(spans: Sequence[StoredSpan]) -> list[Event]:
    """Return what happened in `spans`, in the order in which it happened."""
    identify(_sights(spans))
    teller = _Teller(spans)
    return [
        Event(at, teller.end(span) if ends else teller.start(span))
        for at, span, ends in _moments(spans)
    ]


def _moments(spans: Sequence[StoredSpan]) -> list[tuple[int, StoredSpan, bool]]:
    """Return when each span began and ended: at one moment, first what ends, inner ones first."""
    moments: list[tuple[tuple[int, int, int], tuple[int, StoredSpan, bool]]] = []
    for number, span in enumerate(spans):
        moments.append(((span.start_ns, 1, number), (span.start_ns, span, False)))
        if span.end_ns is not None:
            late = 2 if span.end_ns == span.start_ns else 0
            moments.append(((span.end_ns, late, -number), (span.end_ns, span, True)))
    return [moment for _, moment in sorted(moments, key=itemgetter(0))]


def _sights(spans: Sequence[StoredSpan]) -> Iterator[Sight]:
    for _, span, ends in _moments(spans):
        if not ends and span.is_task:
            yield Sight("given", [*messages_within(span.inputs)])
        elif ends and span.kind == "tool":
            yield Sight("said inside", [*messages_within(span.outputs)])
        elif ends and (span.is_task or span.routes):
            yield Sight("said", [*messages_within(span.outputs)])
        elif ends and any(child.is_task for child in span.children):
            yield Sight("given", [*messages_within(span.outputs)])


class _Teller:
    """Tells a listener of spans; the error of nested spans as one and the same."""

    def __init__(self, spans: Sequence[StoredSpan]) -> None:
        self._replies = replies_in(spans)
        self._errors: dict[StoredSpan, BaseException] = {}
        for span in reversed(spans):  # inner spans first: the error is theirs
            if span.error:
                self._errors[span] = self._inner_error(span) or _exception(span.error, span.outputs)

    def _inner_error(self, span: StoredSpan) -> BaseException | None:
        """Return the error that came from inside; the text of a Command changes on the way."""
        errors = (
            self._errors[child]
            for child in span.children
            if child in self._errors
            and (child.error == span.error or (child.leaves and span.leaves))
        )
        return next(errors, None)

    def start(self, span: StoredSpan) -> Tell:
        """Return how to tell that `span` began."""
        run_id, parent = _run_id(span), _run_id(span.parent) if span.parent else None
        if span.kind == "model":
            return self._start_model(span, run_id, parent)
        if span.kind == "tool":
            return _start_tool(span, run_id, parent)
        if span.kind == "retriever":
            return lambda listener: listener.on_retriever_start(
                None, str(span.inputs), run_id=run_id, parent_run_id=parent, name=span.name
            )
        return lambda listener: listener.on_chain_start(
            None,
            span.inputs,
            run_id=run_id,
            parent_run_id=parent,
            tags=_tags(span),
            metadata=cast("dict[str, object]", span.metadata),
            name=span.name,
        )

    def _start_model(self, span: StoredSpan, run_id: UUID, parent: UUID | None) -> Tell:
        asked = span.inputs.get("model") if isinstance(span.inputs, dict) else None
        details: dict[str, object] = {
            "ls_model_name": span.attributes.get(MLFLOW_MODEL) or asked,
            "ls_provider": span.attributes.get(MLFLOW_PROVIDER),
            **span.metadata,
        }
        return lambda listener: listener.on_chat_model_start(
            None,
            [prompt_of(span, self._replies)],
            run_id=run_id,
            parent_run_id=parent,
            metadata=details,
            invocation_params=span.attributes.get("invocation_params"),
        )

    def end(self, span: StoredSpan) -> Tell:
        """Return how to tell that `span` ended."""
        run_id = _run_id(span)
        if error := self._errors.get(span):
            return _fail(span, run_id, error)
        if span.kind == "model":
            reply = LLMResult(generations=[[ChatGeneration(message=self._replies[span])]])
            return lambda listener: listener.on_llm_end(reply, run_id=run_id)
        if span.kind == "tool":
            return lambda listener: listener.on_tool_end(span.outputs, run_id=run_id)
        if span.kind == "retriever":
            documents = cast("list[Document]", span.outputs or [])
            return lambda listener: listener.on_retriever_end(documents, run_id=run_id)
        return lambda listener: listener.on_chain_end(span.outputs, run_id=run_id)


def _start_tool(span: StoredSpan, run_id: UUID, parent: UUID | None) -> Tell:
    call_id = span.attributes.get("tool_call_id")
    return lambda listener: listener.on_tool_start(
        None,
        str(span.inputs),
        run_id=run_id,
        parent_run_id=parent,
        inputs=span.inputs if isinstance(span.inputs, dict) else None,
        tool_call_id=str(call_id) if call_id else None,
        name=span.name,
    )


def _fail(span: StoredSpan, run_id: UUID, error: BaseException) -> Tell:
    if span.kind == "model":
        return lambda listener: listener.on_llm_error(error, run_id=run_id)
    if span.kind == "tool":
        return lambda listener: listener.on_tool_error(error, run_id=run_id)
    if span.kind == "retriever":
        return lambda listener: listener.on_retriever_error(error, run_id=run_id)
    return lambda listener: listener.on_chain_error(error, run_id=run_id)


def _exception(error: StoredError, outputs: object) -> BaseException:
    """Return an exception of the stored name and text."""
    if isinstance(outputs, Command):
        return ParentCommand(outputs)
    if error.type in _INTERRUPTS:
        asked = read_interrupts(error.message)
        return GraphInterrupt([Interrupt(revived(value), id=name) for name, value in asked])
    return cast("BaseException", type(error.type, (Exception,), {})(error.message))


def _run_id(span: StoredSpan) -> UUID:
    return run_id_for(span.span_id)


def _tags(span: StoredSpan) -> list[str]:
    if span.is_task and not span.is_call:
        return [f"graph:step:{span.step}"]
    return ["seq:step:2"] if span.routes else []
