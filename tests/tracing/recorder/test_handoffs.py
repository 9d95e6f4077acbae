"""What is routed with a payload: each payload reaches its own task, in the sender's name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

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
