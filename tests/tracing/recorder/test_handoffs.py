"""What is routed with a payload: each payload reaches its own task, in the sender's name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command, Send

from linenotes.tracing import Ledger, record

Anything = dict[str, Any]
Build = Callable[..., Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "How rich are we?")]}


class Noted(MessagesState):
    notes: Annotated[list[str], operator.add]


def test_each_payload_of_a_command_is_told_beside_its_words(
    scripted: Build, screenplay: Screenplay
) -> None:
    planner, worker = scripted("I share it out."), scripted("Done it.")

    def plan(state: Noted) -> Command[Any]:
        errands = [Send("worker", {"errand": one}) for one in ("Count it.", "Weigh it.")]
        return Command(update={"messages": [planner.invoke(state["messages"])]}, goto=errands)

    graph = StateGraph(Noted)
    graph.add_node("planner", plan, destinations=("worker",))
    graph.add_node("worker", lambda s: {"notes": [worker.invoke(s["errand"]).content]})
    graph.add_edge(START, "planner")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger)[1:4] == [
        ("planner", "user", "reply", "I share it out."),
        ("planner", "worker", "handoff", "Count it."),
        ("planner", "worker", "handoff", "Weigh it."),
    ]


def test_values_that_payloads_share_are_read_only_where_they_were_sent(
    screenplay: Screenplay,
) -> None:
    class Book(TypedDict, total=False):
        topic: str
        parts: Annotated[list[str], operator.add]
        text: str

    def write(state: Any) -> dict[str, list[str]]:  # noqa: ANN401  the payload, no state
        return {"parts": [f"{state['section']} of {state['topic']}"]}

    graph = StateGraph(Book)
    graph.add_node("editor", lambda _: {"topic": "pumps"})
    graph.add_node("writer", write)
    graph.add_node("publisher", lambda state: {"text": " and ".join(state["parts"])})
    graph.add_edge(START, "editor")
    graph.add_conditional_edges(
        "editor",
        lambda state: [
            Send("writer", {"section": section, "topic": state["topic"]})
            for section in ("costs", "risks")
        ],
        ["writer"],
    )
    graph.add_edge("writer", "publisher")
    with record() as ledger:
        graph.compile().invoke({"topic": "heat"})

    assert screenplay(ledger) == [
        ("user", "editor", "input", "heat"),
        ("editor", "publisher", "state", "pumps"),
        ("editor", "writer", "send", "section: costs\ntopic: pumps"),
        ("editor", "writer", "send", "section: risks\ntopic: pumps"),
        ("writer", "publisher", "state", "costs of pumps"),
        ("writer", "publisher", "state", "risks of pumps"),
        ("publisher", "user", "state", "costs of pumps and risks of pumps"),
    ]
    sent = [message for message in ledger.messages if message.kind == "send"]
    parts = [message for message in ledger.messages if message.sender == "writer"]
    assert [message.seen_by for message in sent] == [(), ()]
    assert [part.cause for part in parts] == [(message.id,) for message in sent]


def test_errand_that_a_handoff_tool_sends_is_its_call(
    scripted: Build, screenplay: Screenplay
) -> None:
    @tool
    def assign(errand: str, state: Annotated[Anything, InjectedState]) -> Command[Any]:
        """Hand over to the worker."""
        words = {**state, "messages": [{"role": "user", "content": errand}]}
        return Command(goto=[Send("worker", words)], graph=Command.PARENT)

    call = {"name": "assign", "args": {"errand": "Count it."}, "id": "1", "type": "tool_call"}
    boss = create_agent(scripted(AIMessage("", tool_calls=[call]), "Rich."), [assign], name="boss")
    graph = StateGraph(MessagesState)
    graph.add_node("boss", boss, destinations=("worker",))
    graph.add_node("worker", create_agent(scripted("It is much."), [], name="worker"))
    graph.add_edge(START, "boss")
    graph.add_edge("worker", "boss")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "boss", "input", "How rich are we?"),
        ("boss", "worker", "handoff", 'assign(errand="Count it.")'),
        ("worker", "boss", "reply", "It is much."),
        ("boss", "user", "reply", "Rich."),
    ]
