"""For test suites of graphs: a model provider on the loopback interface that needs no model."""

from linenotes.evals.testing._exchange import Exchange, Reply, Request, Tool, ToolCall, Turn
from linenotes.evals.testing._faults import Fault, Faults, faults_in_order, random_faults
from linenotes.evals.testing._schema_filler import fill_schema
from linenotes.evals.testing._scripts import Script
from linenotes.evals.testing._server import ScriptedServer

__all__ = [
    "Exchange",
    "Fault",
    "Faults",
    "Reply",
    "Request",
    "Script",
    "ScriptedServer",
    "Tool",
    "ToolCall",
    "Turn",
    "faults_in_order",
    "fill_schema",
    "random_faults",
]
