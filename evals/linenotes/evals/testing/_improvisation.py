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
from collections.abc import Sequence
from random import Random

from linenotes.evals.testing._exchange import Reply, Request, Tool, ToolCall
from linenotes.evals.testing._listed_names import with_listed_names
from linenotes.evals.testing._schema_filler import fill_schema
from linenotes.evals.testing._words import reads_as_an_end, sentence

_HANDOFF = re.compile(r"transfer|hand_?off|handoff|delegate_to", re.IGNORECASE)


def improvise(request: Request, *, seed: int, tool_rounds: int) -> Reply:
    """Return the reply to `request`; `seed` tells servers apart."""
    draw = Random(f"{seed}:{request.digest}")  # noqa: S311  dice that can be cast again
    closing = request.rounds >= tool_rounds
    tools = _tools_to_call(request, draw, closing=closing)
    if tools:
        calls = [_call(tool, request, draw, closing=closing) for tool in tools]
        return Reply(sentence(draw) if draw.random() < 1 / 4 else "", calls)
    if request.response_schema is not None:
        schema = with_listed_names(request.response_schema, _instructions(request))
        value = fill_schema(schema, draw, closing=closing)
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
    fitting = _preferred(request, closing=closing)
    first = draw.choice(fitting)
    others = [tool for tool in fitting if not _HANDOFF.search(tool.name)]
    alone = closing or not request.parallel_tool_calls or first not in others
    return (first,) if alone or draw.random() < 2 / 3 else (first, draw.choice(others))


def _preferred(request: Request, *, closing: bool) -> Sequence[Tool]:
    """Return the tools that are worth a call: those that end at the end, else what is new."""
    ends = [tool for tool in request.tools if reads_as_an_end(tool.name)]
    fitting = ends if closing else [tool for tool in request.tools if tool not in ends]
    called = {call.name for turn in request.turns for call in turn.tool_calls}
    new = [tool for tool in fitting or request.tools if tool.name not in called]
    return new or fitting or request.tools


def _call(tool: Tool, request: Request, draw: Random, *, closing: bool) -> ToolCall:
    """Return a call with the arguments that are required: others change what a tool does."""
    schema = with_listed_names(tool.parameters, (tool.description, *_instructions(request)))
    arguments = fill_schema(schema, draw, closing=closing, optional=False)
    return ToolCall(tool.name, arguments if isinstance(arguments, dict) else {})


def _instructions(request: Request) -> list[str]:
    return [turn.text for turn in request.turns if turn.role in {"system", "user"}]
