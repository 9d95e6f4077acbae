"""OpenAI's chat completions API: requests read from a body, replies as a document or a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import orjson
from pydantic import BaseModel, JsonValue

from linenotes.evals.testing._api_content import (
    ANY_OBJECT,
    CREATED,
    arguments_text,
    pieces,
    read_arguments,
    role_of,
    text_of,
)
from linenotes.evals.testing._exchange import Exchange, Request, Tool, ToolCall, Turn
from linenotes.tracing import Tokens


class _CalledFunction(BaseModel):
    name: str
    arguments: str


class _Call(BaseModel):
    id: str
    function: _CalledFunction


class _Message(BaseModel):
    role: Literal["developer", "system", "user", "assistant", "tool"]
    content: str | list[dict[str, JsonValue]] | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None


class _Function(BaseModel):
    name: str
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None


class _Tool(BaseModel):
    function: _Function | None = None


class _NamedFunction(BaseModel):
    name: str = "auto"


class _ToolChoice(BaseModel):
    function: _NamedFunction = _NamedFunction()


class _JsonSchema(BaseModel):
    schema_: dict[str, JsonValue] = ANY_OBJECT

    model_config = {"alias_generator": lambda name: name.rstrip("_")}


class _ResponseFormat(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema | None = None


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Body(BaseModel):
    model: str
    messages: list[_Message]
    tools: list[_Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | _ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: _ResponseFormat | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    seed: int | None = None

    @property
    def sends_usage(self) -> bool:
        """Whether the reply tells its usage: a stream does only where it is asked to."""
        return self.stream_options.include_usage if self.stream_options else not self.stream


def read_request(body: bytes, api_key: str | None) -> Request:
    """Return the request that `body` holds.

    Raises:
        ValueError: it is no such request.
    """
    asked = _Body.model_validate_json(body)
    return Request(
        api="chat.completions",
        model=asked.model,
        turns=tuple(_turn(message) for message in asked.messages),
        tools=tuple(_tool(tool.function) for tool in asked.tools or () if tool.function),
        tool_choice=_choice(asked.tool_choice),
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        response_schema=_schema(asked.response_format),
        stream=bool(asked.stream),
        include_usage=asked.sends_usage,
        seed=asked.seed,
        api_key=api_key,
        body=orjson.loads(body),
    )


def _turn(message: _Message) -> Turn:
    calls = [
        ToolCall(call.function.name, read_arguments(call.function.arguments), call.id)
        for call in message.tool_calls or ()
    ]
    return Turn(role_of(message.role), text_of(message.content), message.name, tuple(calls))


def _tool(function: _Function) -> Tool:
    return Tool(function.name, function.description or "", function.parameters or ANY_OBJECT)


def _choice(choice: str | _ToolChoice | None) -> str:
    return choice.function.name if isinstance(choice, _ToolChoice) else choice or "auto"


def _schema(asked: _ResponseFormat | None) -> Mapping[str, JsonValue] | None:
    if asked is None or asked.type == "text":
        return None
    return asked.json_schema.schema_ if asked.json_schema else ANY_OBJECT


def document(exchange: Exchange) -> JsonValue:
    """Return the whole reply."""
    message: dict[str, JsonValue] = {
        "role": "assistant",
        "content": exchange.text or (None if exchange.tool_calls else ""),
        "refusal": None,
    }
    if exchange.tool_calls:
        message["tool_calls"] = [_call(call) for call in exchange.tool_calls]
    return {
        **_head(exchange, "chat.completion"),
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(exchange)}
        ],
        "usage": _usage(exchange.tokens),
    }


def events(exchange: Exchange) -> Iterator[bytes]:
    """Yield the reply as server-sent events, a word each."""
    head = _head(exchange, "chat.completion.chunk")
    said: list[JsonValue] = [{"content": piece} for piece in pieces(exchange.text)]
    deltas: list[JsonValue] = [
        {"role": "assistant", "content": ""},
        *said,
        *_call_deltas(exchange.tool_calls),
    ]
    for delta in deltas:
        choice: JsonValue = {"index": 0, "delta": delta, "finish_reason": None}
        yield _event({**head, "choices": [choice]})
    last: JsonValue = {"index": 0, "delta": {}, "finish_reason": _reason(exchange)}
    yield _event({**head, "choices": [last]})
    if exchange.request.include_usage:
        yield _event({**head, "choices": [], "usage": _usage(exchange.tokens)})
    yield b"data: [DONE]\n\n"


def _call_deltas(calls: Sequence[ToolCall]) -> Iterator[JsonValue]:
    for index, call in enumerate(calls):
        whole = _call(call)
        whole["function"] = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, **whole}]}
        for piece in pieces(arguments_text(call)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _call(call: ToolCall) -> dict[str, JsonValue]:
    function: JsonValue = {"name": call.name, "arguments": arguments_text(call)}
    return {"id": call.id, "type": "function", "function": function}


def _event(chunk: JsonValue) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _head(exchange: Exchange, kind: str) -> dict[str, JsonValue]:
    return {
        "id": f"chatcmpl-{exchange.id}",
        "object": kind,
        "created": CREATED,
        "model": exchange.request.model,
        "system_fingerprint": None,
    }


def _reason(exchange: Exchange) -> str:
    return "tool_calls" if exchange.tool_calls else "stop"


def _usage(tokens: Tokens) -> JsonValue:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.total,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
