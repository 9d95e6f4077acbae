"""The callbacks that LangChain makes of a run, as values: each is called with the listener later.

A stored span and a task of a thread both become these, so that the listener hears from either
what it would have heard live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from langchain_core.outputs import ChatGeneration, LLMResult

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage

    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.recorder._runs import RunKind

Callback = Callable[["Listener"], None]


def chain_started(
    run_id: UUID,
    parent: UUID | None,
    inputs: object,
    *,
    name: str,
    metadata: dict[str, object] | None = None,
    tags: list[str] | None = None,
) -> Callback:
    """Return the callback of a graph, a node's task or an edge that begins."""
    return lambda listener: listener.on_chain_start(
        None, inputs, run_id=run_id, parent_run_id=parent, tags=tags, metadata=metadata, name=name
    )


def chain_ended(run_id: UUID, outputs: object) -> Callback:
    """Return the callback of a graph, a node's task or an edge that ends."""
    return lambda listener: listener.on_chain_end(outputs, run_id=run_id)


def model_started(
    run_id: UUID,
    parent: UUID | None,
    prompt: list[BaseMessage],
    *,
    metadata: dict[str, object] | None = None,
    invocation_params: object = None,
) -> Callback:
    """Return the callback of a model call that begins."""
    return lambda listener: listener.on_chat_model_start(
        None,
        [prompt],
        run_id=run_id,
        parent_run_id=parent,
        metadata=metadata,
        invocation_params=invocation_params,
    )


def model_ended(run_id: UUID, reply: BaseMessage) -> Callback:
    """Return the callback of a model call that ends with `reply`."""
    result = LLMResult(generations=[[ChatGeneration(message=reply)]])
    return lambda listener: listener.on_llm_end(result, run_id=run_id)


def tool_started(
    run_id: UUID, parent: UUID | None, inputs: object, *, name: str, call_id: str | None
) -> Callback:
    """Return the callback of a tool that begins."""
    return lambda listener: listener.on_tool_start(
        None,
        str(inputs),
        run_id=run_id,
        parent_run_id=parent,
        inputs=inputs if isinstance(inputs, dict) else None,
        tool_call_id=call_id,
        name=name,
    )


def tool_ended(run_id: UUID, output: object) -> Callback:
    """Return the callback of a tool that ends."""
    return lambda listener: listener.on_tool_end(output, run_id=run_id)


def retriever_started(run_id: UUID, parent: UUID | None, query: str, *, name: str) -> Callback:
    """Return the callback of a retriever that begins."""
    return lambda listener: listener.on_retriever_start(
        None, query, run_id=run_id, parent_run_id=parent, name=name
    )


def retriever_ended(run_id: UUID, documents: Sequence[Document]) -> Callback:
    """Return the callback of a retriever that ends."""
    return lambda listener: listener.on_retriever_end(documents, run_id=run_id)


def run_failed(kind: RunKind, run_id: UUID, error: BaseException) -> Callback:
    """Return the callback of a run that ends with an exception."""
    if kind == "model":
        return lambda listener: listener.on_llm_error(error, run_id=run_id)
    if kind == "tool":
        return lambda listener: listener.on_tool_error(error, run_id=run_id)
    if kind == "retriever":
        return lambda listener: listener.on_retriever_error(error, run_id=run_id)
    return lambda listener: listener.on_chain_error(error, run_id=run_id)
