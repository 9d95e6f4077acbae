"""Model calls in the form of OpenAI's chat completions API, which MLflow's pages show as chats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing._ledger import Tokens
    from linenotes.tracing.files._chat_messages import ChatMessage


def openai_message(message: ChatMessage) -> JsonValue:
    """Return a message as the API has it, with whatever else the file says of it."""
    shaped: dict[str, JsonValue] = {**message.raw, "role": message.role}
    if message.calls:
        shaped["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.args)},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        shaped["tool_call_id"] = message.call_id
    return shaped


def chat_request(model: JsonValue, messages: Sequence[JsonValue]) -> JsonValue:
    """Return the request that showed `messages` to a model."""
    return {"model": model, "messages": list(messages)}


def chat_response(
    model: JsonValue, messages: Sequence[JsonValue], tokens: Tokens | None = None
) -> JsonValue:
    """Return the response in which a model said `messages`, a choice each."""
    choices: list[JsonValue] = [
        {"index": index, "message": message, "finish_reason": None}
        for index, message in enumerate(messages)
    ]
    response: dict[str, JsonValue] = {
        "object": "chat.completion",
        "model": model,
        "choices": choices,
    }
    if tokens is not None:
        response["usage"] = {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.total,
        }
    return response


def _arguments(args: JsonValue) -> str:
    return args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
