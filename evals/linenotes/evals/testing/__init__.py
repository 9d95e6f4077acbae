"""For test suites of graphs: a model provider on the loopback interface that needs no model."""

from linenotes.evals.testing._exchange import Exchange, Reply, Request, Tool, ToolCall, Turn
from linenotes.evals.testing._schema_filler import fill_schema
from linenotes.evals.testing._scripts import Script
from linenotes.evals.testing._server import ScriptedServer

__all__ = [
    "Exchange",
    "Reply",
    "Request",
    "Script",
    "ScriptedServer",
    "Tool",
    "ToolCall",
    "Turn",
    "fill_schema",
]
