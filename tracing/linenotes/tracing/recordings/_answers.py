"""What a chat model answered, as JSON and back: a message whole, for `invoke` and `stream` alike.

A stream is kept as the one chunk that its chunks add up to. What was invoked can be streamed, and
the reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import orjson
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ToolCallChunk,
    message_chunk_to_message,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import BaseModel, JsonValue
from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_MODEL_NAMES = ("model_name", "model", "model_id")


def name_answers(result: ChatResult, message_id: str) -> None:
    """Give the messages that have no id one that a replay gives them as well."""
    for position, generation in enumerate(result.generations):
        if generation.message.id is None:
            generation.message.id = f"{message_id}-{position}" if position else message_id


def keep_result(result: ChatResult) -> JsonValue:
    """Return a result as JSON."""
    return {
        "generations": [
            {"message": _kept(one.message), "info": _jsonable(one.generation_info)}
            for one in result.generations
        ],
        "output": _jsonable(result.llm_output),
    }


def keep_chunk(chunk: ChatGenerationChunk) -> JsonValue:
    """Return what a stream added up to as JSON."""
    info = _jsonable(chunk.generation_info)
    return {"generations": [{"message": _kept(chunk.message), "info": info}], "output": None}


def restored_result(content: JsonValue, schema: object = None) -> ChatResult:
    """Return the result that was kept; `schema` is the class that the answer was parsed into."""
    kept: Any = content
    return ChatResult(
        generations=[
            ChatGeneration(
                message=message_chunk_to_message(_restored(one["message"], schema)),
                generation_info=one["info"],
            )
            for one in kept["generations"]
        ],
        llm_output=kept["output"],
    )


def restored_chunk(content: JsonValue, schema: object = None) -> ChatGenerationChunk:
    """Return what was kept as the one chunk of a stream."""
    kept: Any = content
    first = kept["generations"][0]
    message = _restored(first["message"], schema)
    metadata = {**(kept["output"] or {}), **message.response_metadata}
    chunk = message if isinstance(message, AIMessageChunk) else _as_chunk(message)
    return ChatGenerationChunk(
        message=chunk.model_copy(update={"response_metadata": metadata}),
        generation_info=first["info"],
    )


def answering_model(content: JsonValue) -> str | None:
    """Return the id of the model that answered, where the answer tells."""
    kept: Any = content
    first = kept["generations"][0] if kept["generations"] else {"message": {}, "info": None}
    places = (kept["output"], first["message"].get("response_metadata"), first["info"])
    found = [place.get(name) for place in places if place for name in _MODEL_NAMES]
    return next((str(name) for name in found if name), None)


def message_ids(content: JsonValue) -> list[str]:
    """Return the ids of the messages that were kept."""
    kept: Any = content
    return [one["message"].get("id") for one in kept["generations"] if one["message"].get("id")]


def _kept(message: BaseMessage) -> JsonValue:
    return _jsonable(message.model_dump(exclude_defaults=True) | {"type": message.type})


def _jsonable(value: object) -> JsonValue:
    return cast("JsonValue", to_jsonable_python(value, serialize_unknown=True))


def _restored(kept: Mapping[str, Any], schema: object) -> BaseMessage:
    fields = {"content": "", **kept}
    kind = AIMessageChunk if fields.pop("type") == "AIMessageChunk" else AIMessage
    message: BaseMessage = kind(**fields)
    parsed = message.additional_kwargs.get("parsed")
    if isinstance(parsed, dict) and isinstance(schema, type) and issubclass(schema, BaseModel):
        message.additional_kwargs["parsed"] = schema.model_validate(parsed)
    return message


def _as_chunk(message: BaseMessage) -> AIMessageChunk:
    fields = message.model_dump(exclude={"type", "invalid_tool_calls", "tool_calls"})
    calls = getattr(message, "tool_calls", []) + getattr(message, "invalid_tool_calls", [])
    return AIMessageChunk(
        **fields,
        tool_call_chunks=[_call_chunk(call, index) for index, call in enumerate(calls)],
        chunk_position="last",
    )


def _call_chunk(call: Mapping[str, Any], index: int) -> ToolCallChunk:
    arguments = call["args"]
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return ToolCallChunk(name=call["name"], args=text, id=call["id"], index=index)
