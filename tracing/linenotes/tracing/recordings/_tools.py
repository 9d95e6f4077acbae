"""Tools meet recordings like chat models, in `_run` and `_arun` of each class.

What a tool gave is recorded where JSON holds it. A tool that gave a Command, that was handed a
store to write into, or in which a graph, a model or another tool ran, is code of the graph: it runs
again, and what it calls is replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.store.base import BaseStore
from langgraph.types import Command, Send

from linenotes.tracing.recordings._exchange import (
    Exchange,
    found_now,
    found_soon,
    sample_of_call,
)
from linenotes.tracing.recordings._recorded_call import RecordedCall
from linenotes.tracing.recordings._rendering import tool_request
from linenotes.tracing.recordings._tool_answers import Unstorable, keep_value, restored_value
from linenotes.tracing.recordings._wrapping import wrap_methods

Method = Callable[..., Any]


def _exchange(
    tool: BaseTool, given: Sequence[object], named: Mapping[str, object]
) -> Exchange | None:
    """Return the exchange of a call; None where no recordings are in force, or inside a call."""
    sample = sample_of_call(tool, f"the tool {tool.name!r}")
    if sample is None:
        return None
    request = tool_request(tool, given, named)
    always = tool.name in sample.library.settings.run_tools
    exchange = Exchange(sample, "tool", request, tool, run_always=always)
    if any(_is_store(value) for value in named.values()):
        exchange.frame.note_inside()
    return exchange


def _is_store(value: object) -> bool:
    return isinstance(value, BaseStore) or isinstance(getattr(value, "store", None), BaseStore)


def _run(original: Method) -> Method:
    @wraps(original)
    def run(self: BaseTool, *given: object, **named: object) -> object:
        exchange = _exchange(self, given, named)
        if exchange is None:
            return original(self, *given, **named)
        found = found_now(exchange)
        if found is not None:
            return restored_value(found.content)
        with exchange.made():
            with exchange.inside():
                value = original(self, *given, **named)
            return _kept(exchange, value)

    return run


def _arun(original: Method) -> Method:
    @wraps(original)
    async def arun(self: BaseTool, *given: object, **named: object) -> object:
        exchange = _exchange(self, given, named)
        if exchange is None:
            return await original(self, *given, **named)
        found: RecordedCall | None = await found_soon(exchange)
        if found is not None:
            return restored_value(found.content)
        with exchange.made():
            with exchange.inside():
                value = await original(self, *given, **named)
            return _kept(exchange, value)

    return arun


def _kept(exchange: Exchange, value: object) -> object:
    if _is_of_graph(value):
        exchange.frame.note_inside()
    try:
        exchange.keep("value", keep_value(value))
    except Unstorable as error:
        exchange.keep("unstorable", str(error))
    return value


def _is_of_graph(value: object) -> bool:
    """Tell whether a tool gave what only a graph understands."""
    parts = value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(part, Command | Send) for part in parts)


def wrap_tools() -> None:
    """Let every tool meet recordings."""
    wrap_methods(BaseTool, {"_run": _run, "_arun": _arun})
