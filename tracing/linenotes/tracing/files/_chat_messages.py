"""A message of the OpenAI chat format as files really hold it, checked and in one shape.

Arguments may be JSON text or an object, calls may stand flat or under `function`, content may be
text, blocks or nothing. The message as it was written is kept beside what was understood of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from linenotes.project import TraceFileError
from linenotes.tracing._ledger import NO_TOKENS, Tokens
from linenotes.tracing._usage import token_count
from linenotes.tracing._values import json_value

if TYPE_CHECKING:
    from pydantic import JsonValue

Role = Literal["system", "user", "assistant", "tool"]

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TIME_KEYS = ("timestamp", "created_at", "time", "created")
_LATEST_MS = 9 * 10**12
"""Milliseconds since the epoch whose nanoseconds every store can hold."""
_LEAST_MS = 10**11
"""Numbers of seconds since the epoch are smaller than this, of milliseconds larger."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool that an assistant's message calls."""

    id: str | None
    name: str
    args: JsonValue
    """An object; the text that the model wrote where that is no JSON."""

    @property
    def text(self) -> str:
        """The call as a person writes it."""
        if not isinstance(self.args, dict):
            return f"{self.name}({_json(self.args)})"
        return f"{self.name}({', '.join(f'{k}={_json(v)}' for k, v in self.args.items())})"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message, in the one shape."""

    role: Role
    text: str
    raw: Mapping[str, JsonValue]
    """As the file has it."""
    blocks: JsonValue = None
    """The content, where it is more than text."""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    """The call that a tool's result answers."""
    name: str | None = None
    at_ns: int | None = None
    model: str | None = None
    tokens: Tokens = NO_TOKENS
    cost: float | None = None

    @property
    def spoken(self) -> str:
        """The text and the calls as a person reads them, one a line."""
        return "\n".join(filter(None, (self.text, *(call.text for call in self.calls))))

    @property
    def content(self) -> JsonValue:
        """The blocks and the calls as a ledger keeps them; None where the text is all."""
        content: dict[str, JsonValue] = {}
        if self.blocks is not None:
            content["blocks"] = self.blocks
        if self.calls:
            content["tool_calls"] = [
                {"id": call.id, "name": call.name, "args": call.args} for call in self.calls
            ]
        return content or None

    @property
    def only_call_id(self) -> str | None:
        """The id of its call, where it makes exactly one."""
        return self.calls[0].id if len(self.calls) == 1 else None


def first_key(fields: Mapping[str, JsonValue], keys: Iterable[str]) -> str | None:
    """Return the first of `keys` under which `fields` has a value."""
    return next((key for key in keys if fields.get(key) is not None), None)


def looks_like_a_message(value: object) -> bool:
    """Return whether a value is an object with a role, as messages are and records are not."""
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def read_messages(values: Sequence[JsonValue], place: str) -> tuple[ChatMessage, ...]:
    """Return the messages of one conversation.

    Raises:
        TraceFileError: one is not a message; it is named by its place.
    """
    return tuple(_message(value, f"{place}[{n}]") for n, value in enumerate(values))


def _message(value: JsonValue, place: str) -> ChatMessage:
    if not isinstance(value, dict):
        raise TraceFileError(f"{place} is {_kind(value)}, and a message is an object with a role.")
    role = _role(value, place)
    content = value.get("content")
    text, blocks = _content(content, place, free=role == "tool")
    return ChatMessage(
        role=role,
        text=text,
        raw={str(key): json_value(item) for key, item in value.items()},
        blocks=blocks,
        calls=_calls(value, place),
        call_id=_text(value, ("tool_call_id", "id") if role == "tool" else (), place),
        name=_text(value, ("name",), place),
        at_ns=_time(value, place),
        model=_text(value, ("model",), place),
        tokens=_tokens(value.get("usage")),
        cost=_cost(value.get("cost")),
    )


def _role(value: Mapping[str, JsonValue], place: str) -> Role:
    written = value.get("role", value.get("type"))
    role = _ROLES.get(written) if isinstance(written, str) else None
    if role is None:
        raise TraceFileError(
            f"{place}.role is {written!r:.60}. A role is one of {', '.join(sorted(_ROLES))}."
        )
    return role


def _content(content: JsonValue, place: str, *, free: bool) -> tuple[str, JsonValue]:
    """Return the text of a content and, where that is not all, its blocks."""
    if content is None or isinstance(content, str):
        return content or "", None
    if isinstance(content, list) and all(isinstance(block, str | dict) for block in content):
        said = (block.get("text") if isinstance(block, dict) else block for block in content)
        texts = [text for text in said if isinstance(text, str)]
        if texts or not free:
            return "".join(texts), json_value(content)
    if free:
        return _json(content), json_value(content)
    raise TraceFileError(
        f"{place}.content is {_kind(content)}, and content is text, a list of blocks or null."
    )


def _calls(value: Mapping[str, JsonValue], place: str) -> tuple[ToolCall, ...]:
    calls = value.get("tool_calls")
    if calls is None:
        old = value.get("function_call")
        return () if old is None else (_call(old, f"{place}.function_call"),)
    if not isinstance(calls, list):
        raise TraceFileError(f"{place}.tool_calls is {_kind(calls)}, and should be a list.")
    return tuple(_call(call, f"{place}.tool_calls[{n}]") for n, call in enumerate(calls))


def _call(call: JsonValue, place: str) -> ToolCall:
    function = call.get("function", call) if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(name, str):
        raise TraceFileError(f"{place} names no function. It is {_json(call)[:80]!r}.")
    args = next((function[k] for k in ("arguments", "args", "input") if k in function), None)
    return ToolCall(_text(call, ("id",), place), name, _args(args))


def _args(written: JsonValue) -> JsonValue:
    if isinstance(written, str):
        try:
            return json_value(json.loads(written)) if written.strip() else {}
        except ValueError:
            return written
    return {} if written is None else json_value(written)


def _text(value: Mapping[str, JsonValue], keys: tuple[str, ...], place: str) -> str | None:
    for key in keys:
        found = value.get(key)
        if isinstance(found, str | int) and not isinstance(found, bool):
            return str(found)
        if found is not None:
            raise TraceFileError(f"{place}.{key} is {_kind(found)}, and should be text.")
    return None


def _time(value: Mapping[str, JsonValue], place: str) -> int | None:
    key = first_key(value, _TIME_KEYS)
    return None if key is None else nanoseconds(value[key], f"{place}.{key}")


def nanoseconds(written: JsonValue, place: str) -> int:
    """Return a moment, written as seconds or milliseconds since the epoch or in ISO 8601.

    Raises:
        TraceFileError: it is none of these.
    """
    number = -1.0 if isinstance(written, bool) or not isinstance(written, int | float) else written
    if 0 <= number < _LATEST_MS:
        seconds = number / 1_000 if number >= _LEAST_MS else number
        return int(seconds * 1_000_000) * 1_000
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        raise TraceFileError(
            f"{place} is {written!r}, and should be an ISO 8601 time or seconds since 1970."
        ) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = aware.timestamp()
    if not 0 <= seconds * 1_000 < _LATEST_MS:
        raise TraceFileError(f"{place} is {written!r}, and should lie between 1970 and 2255.")
    return int(seconds * 1_000_000) * 1_000


def _tokens(usage: JsonValue) -> Tokens:
    if not isinstance(usage, dict):
        return NO_TOKENS
    prompt, completion = (
        details if isinstance(details := usage.get(f"{side}_tokens_details"), dict) else {}
        for side in ("prompt", "completion")
    )
    return Tokens(
        input=token_count(map(usage.get, ("prompt_tokens", "input_tokens"))),
        output=token_count(map(usage.get, ("completion_tokens", "output_tokens"))),
        cached=token_count([prompt.get("cached_tokens")]),
        reasoning=token_count([completion.get("reasoning_tokens")]),
    )


def _cost(written: JsonValue) -> float | None:
    is_number = isinstance(written, int | float) and not isinstance(written, bool)
    return float(written) if is_number else None  # type: ignore[arg-type]  # checked


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
