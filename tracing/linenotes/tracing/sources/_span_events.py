"""The spans of a foreign MLflow trace as the callbacks that they were made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command

from linenotes.tracing._conventions import MLFLOW_MODEL, MLFLOW_PROVIDER, MLFLOW_TOKEN_USAGE
from linenotes.tracing._values import output_text
from linenotes.tracing.sources._identities import identify, names_in_prompt, said_by_model
from linenotes.tracing.sources._replay import Event, run_id_for
from linenotes.tracing.sources._stored_values import (
    revived,
    revived_message,
    stored_messages,
)

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.messages.ai import UsageMetadata
    from pydantic import JsonValue

    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.sources._stored_spans import StoredError, StoredSpan

Tell = Callable[["Listener"], None]
_INTERRUPTS = frozenset({"GraphInterrupt", "NodeInterrupt"})


def span_events(spans: Sequence[StoredSpan]) -> list[Event]:
    """Return what happened in `spans`, in the order in which it happened."""
    identify(spans)
    teller = _Teller(spans)
    moments: list[tuple[tuple[int, int, int], Event]] = []
    for number, span in enumerate(spans):
        moments.append(((span.start_ns, 1, number), Event(span.start_ns, teller.start(span))))
        if span.end_ns is not None:
            instant = span.end_ns == span.start_ns
            when = (span.end_ns, 2 if instant else 0, -number)
            moments.append((when, Event(span.end_ns, teller.end(span))))
    return [event for _, event in sorted(moments, key=itemgetter(0))]


def root_error(spans: Sequence[StoredSpan]) -> BaseException | None:
    """Return what the trace ended with; that it waits for a person is no error."""
    error = next((span.error for span in spans if span.parent is None), None)
    return None if error is None or error.type in _INTERRUPTS else _exception(error, None)


class _Teller:
    """Tells a listener of spans, each error of nested spans as one and the same."""

    def __init__(self, spans: Sequence[StoredSpan]) -> None:
        self._errors: dict[StoredSpan, BaseException] = {}
        self._taken: set[str] = set()
        self._replies = {span: self._reply(span) for span in spans if span.kind == "model"}
        for span in reversed(spans):  # inner spans first: the error is theirs
            if span.error:
                self._errors[span] = self._inner_error(span) or _exception(
                    span.error, revived(span.outputs)
                )

    def start(self, span: StoredSpan) -> Tell:
        run_id, parent = _run_id(span), _run_id(span.parent) if span.parent else None
        if span.kind == "model":
            return self._start_model(span, run_id, parent)
        if span.kind == "chain":
            return lambda listener: listener.on_chain_start(
                None,
                revived(span.inputs),
                run_id=run_id,
                parent_run_id=parent,
                tags=_tags(span),
                metadata=cast("dict[str, object]", span.metadata),
                name=span.name,
            )
        if span.kind == "retriever":
            return lambda listener: listener.on_retriever_start(
                None, str(span.inputs), run_id=run_id, parent_run_id=parent, name=span.name
            )
        call_id = span.attributes.get("tool_call_id")
        return lambda listener: listener.on_tool_start(
            None,
            str(span.inputs),
            run_id=run_id,
            parent_run_id=parent,
            inputs=_arguments(span),
            tool_call_id=str(call_id) if call_id else None,
            name=span.name,
        )

    def end(self, span: StoredSpan) -> Tell:
        run_id = _run_id(span)
        if error := self._errors.get(span):
            return _fail(span, run_id, error)
        if span.kind == "model":
            reply = LLMResult(generations=[[ChatGeneration(message=self._replies[span])]])
            return lambda listener: listener.on_llm_end(reply, run_id=run_id)
        if span.kind == "tool":
            return lambda listener: listener.on_tool_end(revived(span.outputs), run_id=run_id)
        if span.kind == "retriever":
            documents = cast("list[object]", span.outputs or [])
            return lambda listener: listener.on_retriever_end(documents, run_id=run_id)  # type: ignore[arg-type]  # they are shown only
        return lambda listener: listener.on_chain_end(_written(span), run_id=run_id)

    def _start_model(self, span: StoredSpan, run_id: UUID, parent: UUID | None) -> Tell:
        prompt = self._prompt(span)
        parameters = span.attributes.get("invocation_params")
        shown = span.inputs if isinstance(span.inputs, dict) else {}
        details: dict[str, object] = {
            "ls_model_name": span.attributes.get(MLFLOW_MODEL) or shown.get("model"),
            "ls_provider": span.attributes.get(MLFLOW_PROVIDER),
            **span.metadata,
        }
        return lambda listener: listener.on_chat_model_start(
            None,
            [prompt],
            run_id=run_id,
            parent_run_id=parent,
            metadata=details,
            invocation_params=parameters,
        )

    def _prompt(self, span: StoredSpan) -> list[BaseMessage]:
        """Return what a model was shown, with the ids of what its task had in view."""
        shown = span.inputs.get("messages") if isinstance(span.inputs, dict) else None
        if not isinstance(shown, list):
            found = [revived_message(message) for message in stored_messages(span.inputs)]
            return [message for message in found if isinstance(message, BaseMessage)]
        chats = [one for one in shown if isinstance(one, dict) and "role" in one]
        names = names_in_prompt(chats, self._in_view(span))
        prompt = (_chat_message(one, name) for one, name in zip(chats, names, strict=True))
        return [message for message in prompt if message is not None]

    def _in_view(self, span: StoredSpan) -> Iterator[dict[str, JsonValue]]:
        """Yield what the task of `span` was given, and what its models said before."""
        task = span.task
        for around in span.around():
            yield from stored_messages(around.inputs)
            if around is task:
                break
        for other, reply in self._replies.items():
            if other.task is task and other.start_ns < span.start_ns:
                yield _stored(reply)

    def _reply(self, span: StoredSpan) -> BaseMessage:
        """Return what a model said, as its task passed it on where it did."""
        chat = _answer(span.outputs)
        found = said_by_model(span, chat, self._taken)
        message = revived_message(found) if found else None
        if not isinstance(message, AIMessage):
            said = _chat_message(chat, f"lc_run--{span.span_id}")
            message = said if isinstance(said, AIMessage) else AIMessage(output_text(span.outputs))
        if message.usage_metadata is None:
            message.usage_metadata = _usage(span.attributes.get(MLFLOW_TOKEN_USAGE))
        return message

    def _inner_error(self, span: StoredSpan) -> BaseException | None:
        same = (child for child in span.children if child.error == span.error)
        return next((self._errors[child] for child in same if child in self._errors), None)


def _fail(span: StoredSpan, run_id: UUID, error: BaseException) -> Tell:
    if span.kind == "model":
        return lambda listener: listener.on_llm_error(error, run_id=run_id)
    if span.kind == "tool":
        return lambda listener: listener.on_tool_error(error, run_id=run_id)
    if span.kind == "retriever":
        return lambda listener: listener.on_retriever_error(error, run_id=run_id)
    return lambda listener: listener.on_chain_error(error, run_id=run_id)


def _exception(error: StoredError, command: object) -> BaseException:
    """Return an exception of the stored name and text."""
    if isinstance(command, Command):
        return ParentCommand(command)
    if error.type in _INTERRUPTS:
        interrupt = GraphInterrupt()
        interrupt.args = (error.message,)
        return interrupt
    return type(error.type, (Exception,), {})(error.message)


def _run_id(span: StoredSpan) -> UUID:
    return run_id_for(span.span_id)


def _tags(span: StoredSpan) -> list[str]:
    if span.is_task:
        return [f"graph:step:{span.step}"]
    return ["seq:step:2"] if span.routes else []


def _written(span: StoredSpan) -> object:
    """Return what a chain put out, with the pairs that mean messages as pairs."""
    outputs = span.outputs
    if isinstance(outputs, dict) and isinstance(outputs.get("messages"), list):
        pairs = [
            tuple(one) if isinstance(one, list) else revived(one)
            for one in cast("list[JsonValue]", outputs["messages"])
        ]
        return {**cast("dict[str, object]", revived(outputs)), "messages": pairs}
    return revived(outputs)


def _arguments(span: StoredSpan) -> dict[str, object] | None:
    return cast("dict[str, object]", span.inputs) if isinstance(span.inputs, dict) else None


def _answer(outputs: JsonValue) -> dict[str, JsonValue]:
    """Return what a model answered, as a message of the chat API."""
    choices = outputs.get("choices") if isinstance(outputs, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if isinstance(message, dict):
        return message
    return {"role": "assistant", "content": output_text(outputs) if outputs else ""}


def _chat_message(chat: Mapping[str, JsonValue], name: str | None) -> BaseMessage | None:
    """Return a message of the chat API as LangChain's; None where its role is unknown."""
    plain = {key: value for key, value in chat.items() if value is not None}
    try:
        message = convert_to_messages([{"content": "", **plain}])[0]
    except (ValueError, TypeError, KeyError, NotImplementedError):
        return None
    return message.model_copy(update={"id": name})


def _stored(message: BaseMessage) -> dict[str, JsonValue]:
    return json.loads(message.model_dump_json())


def _usage(counted: JsonValue) -> UsageMetadata | None:
    if not isinstance(counted, dict):
        return None
    number = {key: value for key, value in counted.items() if isinstance(value, int)}
    read = number.get("input_tokens", 0), number.get("output_tokens", 0)
    return {
        "input_tokens": read[0],
        "output_tokens": read[1],
        "total_tokens": number.get("total_tokens", sum(read)),
        "input_token_details": {"cache_read": number.get("cache_read_input_tokens", 0)},
    }
