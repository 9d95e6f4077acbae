"""OpenAI's responses API: requests read from a body, replies as a document or a stream.

A request may name an earlier response instead of sending the conversation again; then the server
puts what was said until then before its turns.
"""

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

_Object = dict[str, JsonValue]


class _Item(BaseModel):
    type: str = "message"
    role: str = "assistant"
    content: str | list[_Object] | None = None
    name: str = ""
    arguments: str = ""
    call_id: str = ""
    output: str | list[_Object] | None = None


class _Tool(BaseModel):
    type: str
    name: str = ""
    description: str | None = None
    parameters: _Object | None = None


class _ToolChoice(BaseModel):
    name: str = "auto"


class _Format(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    schema_: _Object | None = None

    model_config = {"alias_generator": lambda name: name.rstrip("_")}


class _Text(BaseModel):
    format: _Format | None = None


class _Body(BaseModel):
    model: str
    input: str | list[_Item]
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | _ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    stream: bool | None = None


def read_request(
    body: bytes, api_key: str | None, said_before: Mapping[str, Sequence[Turn]]
) -> Request:
    """Return the request that `body` holds; `said_before` is response id to conversation.

    Raises:
        ValueError: it is no such request, or names a response that this server did not give.
    """
    asked = _Body.model_validate_json(body)
    before = asked.previous_response_id
    if before is not None and before not in said_before:
        raise ValueError(f"Previous response with id {before!r} not found.")
    turns = [*(said_before[before] if before else ()), *_turns(asked.input)]
    if asked.instructions:
        turns.insert(0, Turn("system", asked.instructions))
    choice = asked.tool_choice
    return Request(
        api="responses",
        model=asked.model,
        turns=tuple(turns),
        tools=tuple(_tool(tool) for tool in asked.tools or () if tool.type == "function"),
        tool_choice=choice.name if isinstance(choice, _ToolChoice) else choice or "auto",
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        response_schema=_schema(asked.text.format if asked.text else None),
        stream=bool(asked.stream),
        api_key=api_key,
        body=orjson.loads(body),
    )


def response_id(exchange: Exchange) -> str:
    """Return the id under which a later request may go on from this exchange."""
    return f"resp_{exchange.id}"


def conversation(exchange: Exchange) -> tuple[Turn, ...]:
    """Return the turns up to and with the reply; instructions hold for one request only."""
    said = [turn for turn in exchange.request.turns if turn.role != "system"]
    return (*said, Turn("assistant", exchange.text, tool_calls=exchange.tool_calls))


def _turns(items: str | list[_Item]) -> list[Turn]:
    if isinstance(items, str):
        return [Turn("user", items)]
    turns: list[Turn] = []
    for item in items:
        if item.type == "function_call":
            call = ToolCall(item.name, read_arguments(item.arguments), item.call_id)
            turns.append(_with_call(turns, call))
        elif item.type == "function_call_output":
            turns.append(Turn("tool", text_of(item.output)))
        elif item.type == "message":
            turns.append(Turn(role_of(item.role), text_of(item.content)))
    return turns


def _with_call(turns: list[Turn], call: ToolCall) -> Turn:
    """Return the turn that makes `call`: the one before where the agent is still speaking."""
    if not turns or turns[-1].role != "assistant":
        return Turn("assistant", "", tool_calls=(call,))
    speaking = turns.pop()
    return Turn("assistant", speaking.text, tool_calls=(*speaking.tool_calls, call))


def _tool(tool: _Tool) -> Tool:
    return Tool(tool.name, tool.description or "", tool.parameters or ANY_OBJECT)


def _schema(asked: _Format | None) -> Mapping[str, JsonValue] | None:
    if asked is None or asked.type == "text":
        return None
    return asked.schema_ or ANY_OBJECT


def document(exchange: Exchange) -> JsonValue:
    """Return the whole reply."""
    return {**_head(exchange), "output": list(_items(exchange)), "usage": _usage(exchange.tokens)}


def events(exchange: Exchange) -> Iterator[bytes]:
    """Yield the reply as server-sent events, a word each."""
    begun: JsonValue = {**_head(exchange), "status": "in_progress", "output": [], "usage": None}
    steps: list[tuple[str, _Object]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
    ]
    for index, item in enumerate(_items(exchange)):
        steps += ((kind, {"output_index": index, **fields}) for kind, fields in _item_steps(item))
    steps.append(("response.completed", {"response": document(exchange)}))
    for number, (kind, fields) in enumerate(steps):
        data = orjson.dumps({"type": kind, "sequence_number": number, **fields})
        yield b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def _item_steps(item: _Object) -> Iterator[tuple[str, _Object]]:
    is_call = item["type"] == "function_call"
    empty: _Object = {"arguments": ""} if is_call else {"content": []}
    yield "response.output_item.added", {"item": {**item, "status": "in_progress", **empty}}
    yield from _call_steps(item) if is_call else _text_steps(item)
    yield "response.output_item.done", {"item": item}


def _call_steps(item: _Object) -> Iterator[tuple[str, _Object]]:
    kind, arguments = "response.function_call_arguments", str(item["arguments"])
    for piece in pieces(arguments):
        yield f"{kind}.delta", {"item_id": item["id"], "delta": piece}
    yield f"{kind}.done", {"item_id": item["id"], "name": item["name"], "arguments": arguments}


def _text_steps(item: _Object) -> Iterator[tuple[str, _Object]]:
    content = item["content"]
    assert isinstance(content, list)
    (part,) = content
    assert isinstance(part, dict)
    where: _Object = {"item_id": item["id"], "content_index": 0}
    text = str(part["text"])
    yield "response.content_part.added", {**where, "part": {**part, "text": ""}}
    for piece in pieces(text):
        yield "response.output_text.delta", {**where, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**where, "text": text, "logprobs": []}
    yield "response.content_part.done", {**where, "part": part}


def _items(exchange: Exchange) -> Iterator[_Object]:
    if exchange.text or not exchange.tool_calls:
        part: JsonValue = {"type": "output_text", "text": exchange.text, "annotations": []}
        yield {
            "type": "message",
            "id": f"msg_{exchange.id}",
            "status": "completed",
            "role": "assistant",
            "content": [part],
        }
    for number, call in enumerate(exchange.tool_calls):
        yield {
            "type": "function_call",
            "id": f"fc_{exchange.id}{number:02x}",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": arguments_text(call),
        }


def _head(exchange: Exchange) -> _Object:
    body = exchange.request.body
    return {
        "id": response_id(exchange),
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": exchange.request.model,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": exchange.request.parallel_tool_calls,
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "text": body.get("text") or {"format": {"type": "text"}},
        "temperature": 1.0,
        "top_p": 1.0,
    }


def _usage(tokens: Tokens) -> JsonValue:
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }
