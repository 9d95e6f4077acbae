"""The spans of a foreign MLflow trace as the callbacks that they were made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command, Interrupt

from linenotes.tracing._conventions import MLFLOW_MODEL, MLFLOW_PROVIDER
from linenotes.tracing.sources._callbacks import (
    Callback,
    chain_ended,
    chain_started,
    model_ended,
    model_started,
    retriever_ended,
    retriever_started,
    run_failed,
    tool_ended,
    tool_started,
)
from linenotes.tracing.sources._chat_calls import prompt_of, replies_in
from linenotes.tracing.sources._identities import Sight, identify, messages_within
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._reprs import read_interrupts
from linenotes.tracing.sources._stored_values import revived

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.documents import Document

    from linenotes.tracing.sources._stored_spans import StoredError, StoredSpan

_INTERRUPTS = frozenset({"GraphInterrupt", "NodeInterrupt"})


def span_events(spans: Sequence[StoredSpan]) -> Iterator[Event]:
    """Yield what happened in `spans`, in the order in which it happened."""
    identify(_sights(spans))
    callbacks = _Callbacks(spans)
    for at, span, ends in _moments(spans):
        yield Event(at, callbacks.end(span) if ends else callbacks.start(span))


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


class _Callbacks:
    """Makes the callbacks of spans; spans inside one another share the exception they end with."""

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

    def start(self, span: StoredSpan) -> Callback:
        """Return the callback with which `span` began."""
        run_id, parent = _run_id(span), _run_id(span.parent) if span.parent else None
        if span.kind == "model":
            return self._model_started(span, run_id, parent)
        if span.kind == "tool":
            call_id = span.attributes.get("tool_call_id")
            call_id = str(call_id) if call_id else None
            return tool_started(run_id, parent, span.inputs, name=span.name, call_id=call_id)
        if span.kind == "retriever":
            return retriever_started(run_id, parent, str(span.inputs), name=span.name)
        metadata = cast("dict[str, object]", span.metadata)
        return chain_started(
            run_id, parent, span.inputs, name=span.name, metadata=metadata, tags=_tags(span)
        )

    def _model_started(self, span: StoredSpan, run_id: UUID, parent: UUID | None) -> Callback:
        asked = span.inputs.get("model") if isinstance(span.inputs, dict) else None
        metadata: dict[str, object] = {
            "ls_model_name": span.attributes.get(MLFLOW_MODEL) or asked,
            "ls_provider": span.attributes.get(MLFLOW_PROVIDER),
            **span.metadata,
        }
        return model_started(
            run_id,
            parent,
            prompt_of(span, self._replies),
            metadata=metadata,
            invocation_params=span.attributes.get("invocation_params"),
        )

    def end(self, span: StoredSpan) -> Callback:
        """Return the callback with which `span` ended."""
        run_id = _run_id(span)
        if error := self._errors.get(span):
            return run_failed(span.kind, run_id, error)
        if span.kind == "model":
            return model_ended(run_id, self._replies[span])
        if span.kind == "tool":
            return tool_ended(run_id, span.outputs)
        if span.kind == "retriever":
            return retriever_ended(run_id, cast("list[Document]", span.outputs or []))
        return chain_ended(run_id, span.outputs)


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
