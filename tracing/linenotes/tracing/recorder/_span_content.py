"""What stands in the spans of agents, models and tools: inputs, outputs, attributes, events."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from linenotes.tracing import _conventions as names
from linenotes.tracing._trace import SpanEvent
from linenotes.tracing._usage import usage_attributes
from linenotes.tracing._values import json_value, output_text, text_of
from linenotes.tracing.recorder._actors import text_detail
from linenotes.tracing.recorder._content import is_a, message_text, openai_message, tokens_of
from linenotes.tracing.recorder._runs import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from linenotes.tracing._ledger import Message
    from linenotes.tracing.recorder._runs import Run

_PARAMETERS = {
    "temperature": names.REQUEST_TEMPERATURE,
    "max_tokens": names.REQUEST_MAX_TOKENS,
}
_SHOWN_PARAMETERS = (*_PARAMETERS, "tools", "tool_choice", "response_format", "stop")


def agent_attributes(
    run: Run, actor: str, received: Sequence[Message], sent: Sequence[Message]
) -> dict[str, JsonValue]:
    """Return what is said of one activation of an agent."""
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: actor,
        names.MESSAGES_RECEIVED: [message.id for message in received],
        names.MESSAGES_SENT: [message.id for message in sent],
    }
    if isinstance(run, Task):
        attributes |= {names.ACTIVATION: run.namespace, names.STEP: run.step}
    if names.FROM_CACHE in run.details:
        attributes[names.FROM_CACHE] = True
    return attributes


def model_request(run: Run, shapes: dict[int, JsonValue]) -> JsonValue:
    """Return a model call's prompt and parameters as an OpenAI chat request.

    `shapes` keeps each message's shape by object: a conversation is in many prompts.
    """
    prompt = run.inputs if isinstance(run.inputs, tuple) else ()
    request: dict[str, JsonValue] = {
        "model": run.model,
        "messages": [shapes.get(id(one)) or _shape(one, shapes) for one in prompt],
    }
    for name in _SHOWN_PARAMETERS:
        if (value := run.details.get(name)) is not None:
            request[name] = json_value(value)
    return request


def _shape(message: BaseMessage, shapes: dict[int, JsonValue]) -> JsonValue:
    shape = shapes[id(message)] = openai_message(message)
    return shape


def model_response(run: Run, shapes: dict[int, JsonValue]) -> JsonValue:
    """Return a model's reply as an OpenAI chat completion."""
    message = run.outputs
    if not is_a(message, BaseMessage):
        return None
    tokens = tokens_of(message)
    return {
        "id": message.id,
        "object": "chat.completion",
        "model": text_detail(run.details, "model_name") or run.model,
        "choices": [
            {
                "index": 0,
                "message": shapes.get(id(message)) or _shape(message, shapes),
                "finish_reason": text_detail(run.details, "finish_reason"),
            }
        ],
        "usage": {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.total,
        },
    }


def model_attributes(run: Run, message: Message | None) -> dict[str, JsonValue]:
    """Return what is said of one model call."""
    details = run.details
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.CHAT,
        names.MLFLOW_MESSAGE_FORMAT: "openai",
    }
    if model := run.model:
        attributes |= {names.REQUEST_MODEL: model, names.MLFLOW_MODEL: model}
    if provider := text_detail(details, "ls_provider"):
        attributes |= {names.PROVIDER_NAME: provider, names.MLFLOW_PROVIDER: provider}
    for parameter, name in _PARAMETERS.items():
        if (value := details.get(parameter)) is not None:
            attributes[name] = json_value(value)
    if tools := details.get("tools"):
        attributes[names.MLFLOW_TOOLS] = json_value(tools)
    return attributes | (_response_attributes(run, message) if message else {})


def _response_attributes(run: Run, message: Message) -> dict[str, JsonValue]:
    attributes: dict[str, JsonValue] = {names.MESSAGE_ID: message.id}
    if is_a(run.outputs, AIMessage) and run.outputs.id:
        attributes[names.RESPONSE_ID] = run.outputs.id
    if model := text_detail(run.details, "model_name"):
        attributes[names.RESPONSE_MODEL] = model
    if reason := text_detail(run.details, "finish_reason"):
        attributes[names.RESPONSE_FINISH_REASONS] = [reason]
    return attributes | usage_attributes(message.tokens)


def tool_output(run: Run) -> JsonValue:
    """Return what a tool returned: its text where it is a message."""
    if is_a(run.outputs, ToolMessage):
        return message_text(run.outputs)
    return json_value(run.outputs)


def tool_attributes(run: Run, message: Message | None) -> dict[str, JsonValue]:
    """Return what is said of one tool call."""
    attributes: dict[str, JsonValue] = {
        names.OPERATION_NAME: names.EXECUTE_TOOL,
        names.TOOL_NAME: run.name,
        names.TOOL_TYPE: "function",
    }
    if description := text_detail(run.details, "description"):
        attributes[names.TOOL_DESCRIPTION] = description
    if call_id := text_detail(run.details, "tool_call_id"):
        attributes[names.TOOL_CALL_ID] = call_id
    if message:
        attributes[names.MESSAGE_ID] = message.id
    return attributes


def error_event(error: BaseException, at: int) -> SpanEvent:
    """Return an exception as an OpenTelemetry event."""
    return SpanEvent(
        names.EXCEPTION,
        at,
        {
            names.EXCEPTION_TYPE: type(error).__name__,
            names.EXCEPTION_MESSAGE: text_of(error),
            names.EXCEPTION_STACKTRACE: "".join(traceback.format_exception(error)),
        },
    )


def interrupt_event(error: BaseException, at: int) -> SpanEvent:
    """Return the event of an agent that waits for a person."""
    asked = error.args[0] if error.args and isinstance(error.args[0], list | tuple) else ()
    questions = (output_text(json_value(getattr(one, "value", one))) for one in asked)
    return SpanEvent(names.INTERRUPT, at, {names.INTERRUPT_VALUE: "\n".join(questions)})
