"""Values of strangers' states, and the rows that they carry."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Annotated, Any, TypedDict

import numpy as np
import pandas as pd
import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send

from linenotes.tracing import Ledger, Message, record
from linenotes.tracing.recorder._carried import Carried, token_of
from linenotes.tracing.recorder._entries import Entry

Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]


def entry(index: int) -> Entry:
    return Entry(index, "state", "somebody", 0, 0)


class Proud:
    """Refuses to be compared, counted, hashed and asked whether it is true."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("Incomparable.")

    def __bool__(self) -> bool:
        raise RuntimeError("Neither true nor false.")

    __hash__ = None  # type: ignore[assignment]  # as of an array


STRANGE: list[Any] = [
    np.arange(3),
    np.array([]),
    pd.DataFrame({"content": ["a", "b"], "type": [1, 2]}),
    Proud(),
    [np.arange(3), np.arange(3)],
    [([1], 2)],
    {"type": ["list"], "vector": np.arange(3)},
    Message,
    10**10_000,
]


class Strange(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    value: Any


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_values_of_any_kind_are_said_and_read(screenplay: Screenplay, value: object) -> None:
    graph = StateGraph(Strange)
    graph.add_node("maker", lambda _: {"value": value})
    graph.add_node("reader", lambda _: {"messages": [AIMessage("Read.")]})
    graph.add_edge(START, "maker")
    graph.add_edge("maker", "reader")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with record() as ledger:
            graph.compile().invoke({"messages": [("user", "Go.")]})

    lines = [line[:3] for line in screenplay(ledger)]
    assert lines == [
        ("user", "maker", "input"),
        ("maker", "reader", "state"),
        ("reader", "user", "reply"),
    ]
    assert ledger.trace.messages == ledger.messages


def test_payloads_that_cannot_be_compared_each_find_their_task(screenplay: Screenplay) -> None:
    payloads: list[dict[str, Any]] = [
        {"value": np.full(3, number), "type": [number]} for number in range(3)
    ]
    graph = StateGraph(Strange)
    graph.add_node("worker", lambda state: {"messages": [AIMessage(str(state["value"]))]})
    graph.add_conditional_edges(START, lambda _: [Send("worker", one) for one in payloads])
    with record() as ledger:
        graph.compile().invoke({"messages": [("user", "Go.")]})

    assert sorted(screenplay(ledger)[1:4]) == [
        ("user", "worker", "send", f"value: {[number] * 3}\ntype: {number}") for number in range(3)
    ]


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        ("text", "text"),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}),
        (Message("1", "reply", "a", "b"), Message("1", "reply", "a", "b")),
        ({1, 2}, {2, 1}),
    ],
)
def test_value_is_found_by_a_copy(value: object, copy: object) -> None:
    carried, row = Carried(), entry(0)
    carried.add(row, {"key": value})

    assert carried.within({"key": copy}) == [row]
    assert carried.within({"key": ["before", copy]}) == [row]
    assert carried.within({"other": copy}) == []
    assert carried.holding(copy) == [row]


def test_list_carries_a_row_with_all_its_items() -> None:
    carried, row = Carried(), entry(0)
    carried.add(row, {"key": ["one", {"two": 2}]})

    assert carried.within({"key": [{"two": 2}, "zero", "one"]}) == [row]
    assert carried.within({"key": ["one"]}) == []
    assert carried.within({"key": "one"}) == []


def test_what_contains_itself_is_known_as_itself() -> None:
    wide: list[object] = []
    wide.extend([wide] * 30)
    twin: list[object] = []
    twin.extend([twin] * 30)

    assert token_of(wide) == token_of(wide)
    assert token_of(wide) != token_of(twin)


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


def calls_of_the_recorder(messages: int) -> int:
    """Count the functions of the recorder that run while two agents write into a plain list."""
    counted = said = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call" and "recorder" in frame.f_code.co_filename

    def speak(_: Log) -> dict[str, Any]:
        nonlocal said
        said += 1
        return {"log": [f"This is message {said}."]}

    graph = StateGraph(Log)
    for name, other in (("ping", "pong"), ("pong", "ping")):
        graph.add_node(name, RunnableLambda(speak))
        graph.add_edge(name, other)
    graph.add_edge(START, "ping")
    with suppress(GraphRecursionError), record() as ledger:
        sys.setprofile(count)
        try:
            graph.compile().invoke({"log": ["Go."]}, {"recursion_limit": messages})
        finally:
            sys.setprofile(None)
    assert len(ledger) == messages
    return counted


def test_work_grows_linearly_with_a_plain_conversation() -> None:
    calls_of_the_recorder(10)
    short, long = calls_of_the_recorder(50), calls_of_the_recorder(500)

    assert long < 11 * short


class Fan(TypedDict, total=False):
    out: Annotated[list[str], operator.add]
    ask: str


def test_value_said_again_is_not_read_within_its_own_superstep() -> None:
    graph = StateGraph(Fan)
    graph.add_node("first", lambda _: {"out": ["the same words"]})
    graph.add_node("second", lambda state: {"ask": f"{state['ask']} second"})
    graph.add_node("join", lambda state: {"out": [f"joined {len(state['out'])}"]})
    graph.add_edge(START, "first")
    graph.add_edge(START, "second")
    graph.add_edge(["first", "second"], "join")
    talk = graph.compile(checkpointer=InMemorySaver())
    with record() as ledger:
        for ask in ("go", "again"):
            talk.invoke({"ask": ask}, {"configurable": {"thread_id": "1"}, "max_concurrency": 1})

    said = [message for message in ledger if message.sender == "first"]
    assert [message.recipients for message in said] == [("join",), ("join",)]
