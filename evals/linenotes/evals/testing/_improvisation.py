"""What the model says when no script speaks: drawn from the digest of the request.

So the same request gets the same reply in every process, and nothing is remembered. Offered tools
are called first, new ones before those that were called already; a handoff travels alone. The
more agents have spoken since the user did, the likelier is an answer in text, and after
`tool_rounds` no tool is called that need not be and whatever reads as an end is chosen: so every
conversation ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from random import Random

from pydantic import JsonValue

from linenotes.evals.testing._exchange import Reply, Request, Tool, ToolCall
from linenotes.evals.testing._schema_filler import fill_schema
from linenotes.evals.testing._words import reads_as_an_end, sentence

_HANDOFF = re.compile(r"transfer|hand_?off|handoff|delegate_to", re.IGNORECASE)
_LISTED = re.compile(r"^\s*[-*]\s+[`\"']?([\w-]+)[`\"']?:", re.MULTILINE)
_MEANS_A_NAME = re.compile(r"(^|_)(agent|name|type)$")


def improvise(request: Request, *, seed: int, tool_rounds: int) -> Reply:
    """Return the reply to `request`; `seed` tells servers apart."""
    draw = Random(f"{seed}:{request.digest}")  # noqa: S311  dice that can be cast again
    closing = request.rounds >= tool_rounds
    tools = _tools_to_call(request, draw, closing=closing)
    if tools:
        calls = [_call(tool, draw, closing=closing) for tool in tools]
        return Reply(sentence(draw) if draw.random() < 1 / 4 else "", calls)
    if request.response_schema is not None:
        value = fill_schema(request.response_schema, draw, closing=closing)
        return Reply(json.dumps(value, ensure_ascii=False))
    return Reply(sentence(draw))


def _tools_to_call(request: Request, draw: Random, *, closing: bool) -> Sequence[Tool]:
    choice = request.tool_choice
    if named := [tool for tool in request.tools if tool.name == choice]:
        return named
    if not request.tools or choice == "none":
        return ()
    if choice == "auto" and (closing or draw.random() < request.rounds / 3):
        return ()
    first = draw.choice(_preferred(request, closing=closing))
    others = [tool for tool in request.tools if not _HANDOFF.search(tool.name)]
    alone = closing or not request.parallel_tool_calls or first not in others
    return (first,) if alone or draw.random() < 2 / 3 else (first, draw.choice(others))


def _preferred(request: Request, *, closing: bool) -> Sequence[Tool]:
    """Return the tools that are worth a call: at the end what ends, else what is new."""
    ends = [tool for tool in request.tools if reads_as_an_end(tool.name)]
    if closing and ends:
        return ends
    called = {call.name for turn in request.turns for call in turn.tool_calls}
    return [tool for tool in request.tools if tool.name not in called] or request.tools


def _call(tool: Tool, draw: Random, *, closing: bool) -> ToolCall:
    arguments = fill_schema(_with_listed_names(tool), draw, closing=closing)
    return ToolCall(tool.name, arguments if isinstance(arguments, dict) else {})


def _with_listed_names(tool: Tool) -> Mapping[str, JsonValue]:
    """Return the schema of the arguments, with the names that only the description lists.

    Tools that delegate say whom they know as `- name: what for` and take any text as the name.
    """
    names = _LISTED.findall(tool.description)
    properties = tool.parameters.get("properties")
    if not names or not isinstance(properties, dict):
        return tool.parameters
    named = {
        name: {**schema, "enum": names}
        for name, schema in properties.items()
        if isinstance(schema, dict)
        and schema.get("type") == "string"
        and "enum" not in schema
        and _MEANS_A_NAME.search(name)
    }
    return {**tool.parameters, "properties": {**properties, **named}}
