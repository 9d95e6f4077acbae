"""What is asked of a model or a tool, as content: equal requests give equal fingerprints.

Left out is what differs between two equal questions (ids, usage, seeds, whether the answer is
streamed) and who is asked (the model's name, its endpoint, keys). Ids of tool calls are numbered in
the order in which they stand.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, JsonValue

from linenotes.project import digest
from linenotes.tracing._values import json_value

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

_NOT_ASKED = frozenset(
    {
        "_type",
        "api_key",
        "base_url",
        "cache",
        "callbacks",
        "deployment_name",
        "endpoint",
        "ls_structured_output_format",
        "max_retries",
        "metadata",
        "model",
        "model_id",
        "model_name",
        "name",
        "request_timeout",
        "role",
        "run_id",
        "seed",
        "stream",
        "stream_options",
        "stream_usage",
        "streaming",
        "tags",
        "timeout",
        "verbose",
    }
)
_NAMES = ("model", "model_name", "model_id")
_NOT_ASKED_ENDS = ("_api_base", "_api_key", "_base_url", "_deployment", "_endpoint")
_NOT_SAID = frozenset({"parsed", "refusal", "tool_calls"})
_OWN_ID = re.compile(r"(?:lc_|run-|lc_run-)?-?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:-\d+)?")
_OF_TOOLS = frozenset({"callbacks", "config", "run_manager"})


@dataclass(frozen=True)
class Request:
    """What was asked, and of whom."""

    asked: dict[str, JsonValue]
    model: str
    """The model as it is configured; of a tool its name."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal questions."""
        return digest(self.asked)[:32]


def model_request(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    stop: Sequence[str] | None,
    options: Mapping[str, Any],
) -> Request:
    """Return what a call asks of `model`."""
    parameters = model._get_invocation_params(  # noqa: SLF001  what each class says of its calls
        stop=list(stop) if stop else None, **options
    )
    ids: dict[str, str] = {}
    asked: dict[str, JsonValue] = {"messages": [_message(one, ids) for one in messages]}
    for name, value in sorted(parameters.items()):
        if value is not None and name not in _NOT_ASKED and not name.endswith(_NOT_ASKED_ENDS):
            asked[name] = _plain(value, {})
    return Request(asked, _configured_model(model, parameters, options))


def _configured_model(
    model: BaseChatModel, parameters: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Return the name of the model that a call is for; its kind where it has no name."""
    named = next((parameters[name] for name in _NAMES if parameters.get(name)), None)
    if not isinstance(named, str):
        named = model._get_ls_params(**options).get("ls_model_name")  # noqa: SLF001  as above
    return named or model._llm_type  # noqa: SLF001  as above


def tool_request(tool: BaseTool, given: Sequence[object], named: Mapping[str, object]) -> Request:
    """Return what a call asks of `tool`; what a graph hands it unasked counts by its content."""
    from_model = _of_model(tool, named)
    asked: dict[str, JsonValue] = {"tool": tool.name}
    if given:
        asked["input"] = [_plain(value, {}) for value in given]
    asked["arguments"] = {
        name: _plain(value, {}) for name, value in sorted(named.items()) if name in from_model
    }
    handed = {
        name: state
        for name, value in sorted(named.items())
        if name not in from_model and name not in _OF_TOOLS
        if (state := _handed(value)) is not None
    }
    if handed:
        asked["handed"] = digest(handed)[:32]
    return Request(asked, tool.name)


def _of_model(tool: BaseTool, named: Mapping[str, object]) -> set[str]:
    """Return the arguments that a model gives; others a graph hands over unasked."""
    schema = tool.tool_call_schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return set(schema.model_fields)
    return set(named)


def _handed(value: object) -> JsonValue:
    """Return the content of what a graph hands to a tool: states, not ids, stores and configs."""
    if hasattr(value, "state") and hasattr(value, "tool_call_id"):
        return {"state": json_value(value.state), "context": json_value(_context(value))}
    if isinstance(value, Mapping | list | tuple | BaseModel) or dataclasses.is_dataclass(value):
        return json_value(value)
    return None


def _context(runtime: object) -> object:
    return getattr(runtime, "context", None)


def _message(message: BaseMessage, ids: dict[str, str]) -> JsonValue:
    said: dict[str, JsonValue] = {"role": message.type, "content": ""}
    for calls in ("tool_calls", "invalid_tool_calls"):
        found = getattr(message, calls, None) or []
        for call in found:
            ids.setdefault(str(call["id"]), f"call-{len(ids) + 1}")
        if found:
            said[calls] = [_call(call, ids) for call in found]
    if answered := getattr(message, "tool_call_id", None):
        said["tool_call_id"] = ids.setdefault(answered, f"call-{len(ids) + 1}")
    if getattr(message, "status", "success") != "success":
        said["status"] = "error"
    if message.name:
        said["name"] = message.name
    said["content"] = _plain(message.content, ids)
    more = {k: v for k, v in message.additional_kwargs.items() if k not in _NOT_SAID}
    if more := {k: v for k, v in more.items() if v is not None}:
        said["more"] = _plain(more, ids)
    return said


def _call(call: Mapping[str, object], ids: Mapping[str, str]) -> JsonValue:
    return {"name": str(call["name"]), "args": _plain(call["args"], {}), "id": ids[str(call["id"])]}


def _plain(value: object, ids: Mapping[str, str]) -> JsonValue:
    """Return `value` as JSON without addresses in memory and without ids of LangChain's own."""
    if isinstance(value, str):
        return ids.get(value, value)
    if value is None or isinstance(value, bool | int | float):
        return json_value(value)
    if isinstance(value, Mapping):
        return {
            str(key): _plain(inner, ids)
            for key, inner in value.items()
            if not (key == "id" and isinstance(inner, str) and _OWN_ID.fullmatch(inner))
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, ids) for inner in value]
    return _of_class(value)


def _of_class(value: object) -> JsonValue:
    """Return what an object asks: a schema, a tool's description, or a model's fields."""
    if isinstance(value, type):
        if issubclass(value, BaseModel):
            return json_value(value.model_json_schema())
        return f"{value.__module__}.{value.__qualname__}"
    from langchain_core.tools import BaseTool

    if isinstance(value, BaseTool):
        from langchain_core.utils.function_calling import convert_to_openai_tool

        return json_value(convert_to_openai_tool(value))
    if isinstance(value, BaseModel | set | frozenset | bytes) or dataclasses.is_dataclass(value):
        return json_value(value)
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
