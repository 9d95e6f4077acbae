"""Values that refuse to be read: the graph runs as ever, and the trace lacks nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, StateGraph
from pydantic import BaseModel

from linenotes.tracing import Trace, record


class State(TypedDict, total=False):
    thing: Any
    answer: str


def _refuse(*_: object, **__: object) -> object:
    raise RuntimeError("no")


STRANGE = {
    "model": type("Hostile", (BaseModel,), {"model_dump": _refuse}),
    "mapping": type("Hostile", (dict,), {"items": _refuse}),
    "array": type("Hostile", (), {"dtype": 1, "tolist": _refuse}),
    "proxy": type("Hostile", (), {"__class__": property(_refuse)}),
    "unchecked message": AIMessage.model_construct,
    "message with a call of nothing": lambda: AIMessage.model_construct(
        content="x", tool_calls=[{"name": None}], type="ai"
    ),
    "message named by a number": lambda: AIMessage.model_construct(
        content="x", name=12, tool_calls=[], type="ai", id=None, response_metadata={}
    ),
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_a_value_that_refuses_to_be_read_costs_nothing_but_itself(
    make: Callable[[], object],
) -> None:
    thing = make()
    inner = {"inner": [thing]}
    graph = StateGraph(State)
    graph.add_node("finder", lambda _: {"thing": inner})
    graph.add_node("teller", lambda _: {"answer": "told"})
    graph.add_edge(START, "finder")
    graph.add_edge("finder", "teller")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it may say what it could not hear
        with record() as ledger:
            output = graph.compile().invoke({"answer": ""})
    assert output["thing"] is inner
    assert output["answer"] == "told"
    assert {"finder", "teller"} <= {span.name for span in ledger.trace.spans}
    assert "told" in [message.text for message in ledger.trace.messages]
    assert Trace.from_json(ledger.trace.to_json()) == ledger.trace
