"""What a model was shown and said, which MLflow keeps in the form of the chat API: without ids.

A model's reply is the message that its task put out with the same words; what it was shown are
the messages with the same words that its task had in view. What was said twice is shown twice,
in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, convert_to_messages

from linenotes.tracing._conventions import MLFLOW_TOKEN_USAGE
from linenotes.tracing._values import json_value, output_text
from linenotes.tracing.sources._identities import messages_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_core.messages.ai import UsageMetadata
    from pydantic import JsonValue

    from linenotes.tracing.sources._stored_spans import StoredSpan


def replies_in(spans: Sequence[StoredSpan]) -> dict[StoredSpan, AIMessage]:
    """Return what each model said, as its task passed it on where it did."""
    taken: set[str] = set()
    return {span: _reply(span, taken) for span in spans if span.kind == "model"}


def prompt_of(span: StoredSpan, replies: Mapping[StoredSpan, AIMessage]) -> list[BaseMessage]:
    """Return what a model was shown, with the ids of what its task had in view."""
    shown = span.inputs.get("messages") if isinstance(span.inputs, dict) else None
    if not isinstance(shown, list):
        texts = span.inputs if isinstance(span.inputs, list) else [span.inputs]
        said = [HumanMessage(text) for text in texts if isinstance(text, str)]
        return [*messages_within(span.inputs)] or [*said]
    left = {message.id: message for message in _in_view(span, replies) if message.id}
    prompt = [message for one in shown if (message := _chat_message(one))]
    for message in prompt:
        message.id = next((name for name, m in left.items() if _same(m, message)), None)
        left.pop(message.id or "", None)
    return prompt


def _reply(span: StoredSpan, taken: set[str]) -> AIMessage:
    said = _answer(span.outputs) or AIMessage(output_text(json_value(span.outputs or "")))
    same = (m for m in _passed_on(span) if isinstance(m, AIMessage) and m.id and _same(m, said))
    found = next((message for message in same if message.id not in taken), None)
    reply = (found or said).model_copy()
    reply.id = reply.id or f"lc_run--{span.span_id}"
    taken.add(reply.id)
    if reply.usage_metadata is None:
        reply.usage_metadata = _usage(span.attributes.get(MLFLOW_TOKEN_USAGE))
    return reply


def _passed_on(span: StoredSpan) -> Iterator[BaseMessage]:
    """Yield what came out of the task of `span`, and of what is between."""
    task = span.task
    for around in span.around():
        yield from messages_within(around.outputs)
        if around is task:
            break


def _in_view(span: StoredSpan, replies: Mapping[StoredSpan, AIMessage]) -> Iterator[BaseMessage]:
    """Yield what the task of `span` was given, and what its models said before."""
    task = span.task
    for around in span.around():
        yield from messages_within(around.inputs)
        if around is task:
            break
    for other, reply in replies.items():
        if other.task is task and other.start_ns < span.start_ns:
            yield reply


def _same(one: BaseMessage, other: BaseMessage) -> bool:
    return (
        one.type == other.type
        and (one.content or "") == (other.content or "")
        and _call_ids(one) == _call_ids(other)
    )


def _call_ids(message: BaseMessage) -> list[str | None]:
    return [call["id"] for call in message.tool_calls] if isinstance(message, AIMessage) else []


def _answer(outputs: object) -> AIMessage | None:
    choices = outputs.get("choices") if isinstance(outputs, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = _chat_message(first.get("message")) if isinstance(first, dict) else None
    return message if isinstance(message, AIMessage) else None


def _chat_message(chat: object) -> BaseMessage | None:
    """Return a message of the chat API as LangChain's; None where it is none or of no role."""
    if not isinstance(chat, dict) or "role" not in chat:
        return None
    plain = {key: value for key, value in chat.items() if value is not None}
    try:
        return convert_to_messages([{"content": "", **plain}])[0]
    except (ValueError, TypeError, KeyError, NotImplementedError):
        return None


def _usage(counted: JsonValue) -> UsageMetadata | None:
    if not isinstance(counted, dict):
        return None
    number = {key: value for key, value in counted.items() if isinstance(value, int)}
    read, wrote = number.get("input_tokens", 0), number.get("output_tokens", 0)
    return {
        "input_tokens": read,
        "output_tokens": wrote,
        "total_tokens": number.get("total_tokens", read + wrote),
        "input_token_details": {"cache_read": number.get("cache_read_input_tokens", 0)},
    }
