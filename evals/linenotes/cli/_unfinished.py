"""Conversations that have not ended: who is at work, and whether anybody goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linenotes.tracing import LiveTrace, Trace

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def unfinished(trace: Trace, live: LiveTrace | None) -> str:
    """Say who runs in `trace`, or who ran when its process ended."""
    agents = " and ".join(trace.running)
    if live is None or live.alive:
        return f"{agents or 'nobody'} running" if live else "not ended"
    ran = f", while {agents} ran" if agents else ""
    return f"its process ended {ago(live)}{ran}: `linenotes trace doctor` closes it"


def state_of(trace: Trace, live: LiveTrace | None) -> str:
    """Return how `trace` ended; of a recording that has not, whether anybody goes on."""
    if live is None:
        return trace.state
    return "running" if live.alive else "abandoned"


def ago(live: LiveTrace) -> str:
    """Return how long ago a recording was last heard of, as a person says it."""
    seconds = max(0, int(time.time() - live.heard_ns / 1e9))
    for length, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
