"""Inputs and outputs of spans as GenAI messages: a role and its parts, as JSON text.

Agents' spans hold messages in that form already, with the route as role. Model calls hold an
OpenAI chat request and response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pydantic import JsonValue

_Object = dict[str, "JsonValue"]
_FINISHED = "stop"
"""The reason of a message whose model gave none, or that code wrote."""


def agent_input(value: JsonValue) -> str | None:
    """Return what an agent received, or the user asked, as input messages; None for nothing."""
    if value is None or value == []:
        return None
    return _json(value if isinstance(value, list) else [_text_message("user", value)])


def agent_output(value: JsonValue) -> str | None:
    """Return what an agent sent as output messages; None for nothing."""
    if value is None or value == []:
        return None
    messages = _objects(value) or [_text_message("assistant", value)]
    return _json([{"finish_reason": _FINISHED, **message} for message in messages])


def model_input(request: JsonValue) -> str | None:
    """Return the prompt of an OpenAI chat request as input messages; None where it is no such."""
    messages = _objects(request.get("messages")) if isinstance(request, dict) else []
    return _json([_message(message) for message in messages]) if messages else None


def model_output(response: JsonValue) -> str | None:
    """Return the choices of an OpenAI chat completion as output messages; None without any."""
    choices = _objects(response.get("choices")) if isinstance(response, dict) else []
    spoken = [
        {**_message(message), "finish_reason": choice.get("finish_reason") or _FINISHED}
        for choice in choices
        if isinstance(message := choice.get("message"), dict)
    ]
    return _json(spoken) if spoken else None


def _message(message: _Object) -> _Object:
    role = message.get("role") or "assistant"
    named: _Object = (
        {"role": role, "name": message["name"]} if message.get("name") else {"role": role}
    )
    if role == "tool":
        answer: _Object = {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": message.get("content"),
        }
        return {**named, "parts": [answer]}
    calls = [_call(call) for call in _objects(message.get("tool_calls"))]
    return {**named, "parts": [*_parts(message.get("content")), *calls]}


def _parts(content: JsonValue) -> list[JsonValue]:
    if isinstance(content, list):
        return [_part(block) for block in content]
    return [] if content is None or content == "" else [_part(content)]


def _part(block: JsonValue) -> JsonValue:
    if isinstance(block, dict) and block.get("type") not in (None, "text"):
        return block  # a picture, say: the conventions let other parts through as they are
    text = block.get("text", block) if isinstance(block, dict) else block
    return {"type": "text", "content": text if isinstance(text, str) else _json(text)}


def _call(call: _Object) -> _Object:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": function.get("name"),
        "arguments": _parsed(arguments) if isinstance(arguments, str) else arguments,
    }


def _parsed(text: str) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text  # models write arguments that are no JSON
    return value


def _text_message(role: str, value: JsonValue) -> _Object:
    return {"role": role, "parts": [_part(value)]}


def _objects(value: JsonValue) -> list[_Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
