"""Which tools were called, with what, and what came back: read from a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.tracing import Ledger, Message

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool."""

    tool: str
    arguments: Mapping[str, JsonValue]
    caller: str
    number: int
    """The place of the message in the ledger, from 0."""
    result: str | None
    """What the tool answered; None while it has not."""


def tool_uses(ledger: Ledger) -> tuple[ToolUse, ...]:
    """Return the calls of tools in the order in which they were said, handoffs among them."""
    results = {m.tool_call_id: m.text for m in ledger if m.kind == "result" and m.tool_call_id}
    return tuple(
        use for number, message in enumerate(ledger) for use in _uses(message, number, results)
    )


def _uses(message: Message, number: int, results: Mapping[str, str]) -> Iterator[ToolUse]:
    content = message.content
    calls = content.get("tool_calls") if isinstance(content, dict) else None
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(name := call.get("name"), str):
            given = call.get("args")
            arguments = given if isinstance(given, dict) else {}
            result = results.get(str(call.get("id")))
            yield ToolUse(name, arguments, message.sender, number, result)
