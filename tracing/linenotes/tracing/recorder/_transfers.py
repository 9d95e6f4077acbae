"""Which tool calls passed control on: a handoff for good, or an agent inside the tool for a while.

OpenTelemetry's draft for handoffs puts that on the span of the tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing._ledger import Message
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run


def transfers(
    runs: Sequence[Run], messages: Mapping[Entry, Message], actor: Callable[[Run], str]
) -> dict[Run, dict[str, JsonValue]]:
    """Return tool call to the attributes that say to whom it passed control, and how."""
    called: dict[Run, dict[str, None]] = {}
    for tool, agent in _agents_in_tools(runs):
        called.setdefault(tool, {})[actor(agent)] = None
    handed = {
        run: targets
        for run in runs
        if run.kind == "tool" and run.message and (targets := _handed_to(run.message, messages))
    }
    return {
        **{run: _attributes(names.CALL_UPON, list(agents)) for run, agents in called.items()},
        **{run: _attributes(names.HAND_OVER, targets) for run, targets in handed.items()},
    }


def _agents_in_tools(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    shown = set(runs)
    for run in runs:
        above = run.parent
        while above is not None and above not in shown:
            above = above.parent
        if run.kind == "chain" and above is not None and above.kind == "tool":
            yield above, run


def _handed_to(row: Entry, messages: Mapping[Entry, Message]) -> list[str]:
    """Return who got the call that a tool's acknowledgement answers."""
    message = messages[row]
    if message.kind != "ack":
        return []
    handoffs = [m for m in messages.values() if m.id in message.cause and m.kind == "handoff"]
    return [recipient for handoff in handoffs for recipient in handoff.recipients]


def _attributes(mode: str, targets: Sequence[str]) -> dict[str, JsonValue]:
    return {names.TRANSFER_MODE: mode, names.TRANSFER_TARGET: ", ".join(targets)}
