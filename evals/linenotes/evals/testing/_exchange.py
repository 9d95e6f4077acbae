"""A request to a model and the reply to it, in one shape for both of OpenAI's chat APIs.

Ids and names of speakers, which not both APIs carry, are not part of what was asked: two requests
with the same conversation, tools and format have the same `digest`, whichever API, stream or
process they come through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson
from pydantic import JsonValue

from linenotes.tracing import Tokens

Api = Literal["chat.completions", "responses"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a request offers."""

    name: str
    description: str = ""
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    """The JSON schema of its arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    id: str = ""
    """Empty in a script: the server gives one to each call that it sends."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation that a request holds."""

    role: str
    """`system`, `user`, `assistant` or `tool`; `developer` is `system`."""
    text: str
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    api: Api
    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    parallel_tool_calls: bool = True
    response_schema: Mapping[str, JsonValue] | None = None
    """The JSON schema that the reply has to fit; `{"type": "object"}` where any object will do."""
    stream: bool = False
    include_usage: bool = True
    """False for a stream of the chat completions API that did not ask for the usage."""
    seed: int | None = None
    api_key: str | None = None
    body: Mapping[str, JsonValue] = field(default_factory=dict)
    """The whole request as it was sent."""

    @property
    def prompt(self) -> str:
        """The text of all messages, one a paragraph."""
        return "\n\n".join(turn.text for turn in self.turns)

    @property
    def rounds(self) -> int:
        """How often agents have spoken since the user did.

        Some graphs bring the words of agents as user messages; those have a name.
        """
        spoken = 0
        for turn in reversed(self.turns):
            if turn.role == "user" and turn.name is None:
                break
            spoken += turn.role in {"assistant", "user"}
        return spoken

    @property
    def digest(self) -> str:
        """The identity of what was asked: 64 hex digits."""
        said = [
            [turn.role, turn.text, [[c.name, c.arguments] for c in turn.tool_calls]]
            for turn in self.turns
        ]
        tools = sorted(tool.name for tool in self.tools)
        asked = [self.model, self.seed, said, tools, self.tool_choice, self.response_schema]
        return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says."""

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    tokens: Tokens | None = None
    """The usage to report; by default about four characters a token are counted."""

    def __post_init__(self) -> None:
        """Check the calls here, where a test wrote them; later only the client would see an error.

        Raises:
            TypeError: one is no `ToolCall`.
        """
        for call in self.tool_calls:
            if not isinstance(call, ToolCall):
                raise TypeError(f"{call!r} is no tool call. Write ToolCall('name', {{...}}).")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the reply that was sent, with its ids and its usage."""

    id: str
    request: Request
    text: str
    tool_calls: tuple[ToolCall, ...]
    tokens: Tokens

    @classmethod
    def of(cls, request: Request, reply: Reply, ordinal: int) -> Exchange:
        """Return the exchange; `ordinal` tells equal requests apart, so that no id repeats."""
        key = f"{request.digest[:16]}{ordinal:04x}"
        calls = tuple(
            ToolCall(call.name, call.arguments, call.id or f"call_{key}{number:02x}")
            for number, call in enumerate(reply.tool_calls)
        )
        return cls(key, request, reply.text, calls, reply.tokens or _count(request, reply))


def _count(request: Request, reply: Reply) -> Tokens:
    asked = sum(4 + _size(turn.text, turn.tool_calls) for turn in request.turns)
    offered = sum(len(orjson.dumps(dict(tool.parameters))) // 4 for tool in request.tools)
    return Tokens(input=asked + offered, output=1 + _size(reply.text, reply.tool_calls))


def _size(text: str, calls: Sequence[ToolCall]) -> int:
    arguments = sum(len(orjson.dumps(dict(call.arguments))) for call in calls)
    return (len(text) + arguments + 3) // 4
