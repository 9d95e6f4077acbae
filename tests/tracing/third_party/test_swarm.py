"""langgraph-swarm: agents that hand over to one another, and whoever spoke last goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph_swarm import create_handoff_tool, create_swarm

from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.tracing import record

Graph = CompiledStateGraph[Any, Any, Any, Any]
ASK: Any = {"messages": [("user", "I need a flight to Rome and a room there.")]}
THREAD: Any = {"configurable": {"thread_id": "1"}}
AGENTS = ("flights", "hotels")
WAYS = ("invoke", "ainvoke", "stream", "astream")


@tool
def book(place: str) -> str:
    """Book."""
    return f"A booking for {place} was made under number 4711."


def agency(checkpointer: InMemorySaver | None = None) -> Graph:
    agents: Any = [
        create_agent(
            "openai:gpt-4o",
            [book, create_handoff_tool(agent_name=other)],
            name=name,
            system_prompt=f"You book {name}.",
        )
        for name, other in zip(AGENTS, reversed(AGENTS), strict=True)
    ]
    return create_swarm(agents, default_active_agent="flights").compile(checkpointer=checkpointer)


@pytest.mark.parametrize("way", WAYS)
def test_every_message_is_delivered(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str
) -> None:
    for number in range(3):
        ask = {"messages": [("user", f"I need {number} flights.")]}
        assert faults(play(agency(), ask, way), agents=AGENTS) == []


def test_a_second_turn_goes_on_where_the_first_ended(
    screenplay: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    script = [
        Reply(tool_calls=[ToolCall("transfer_to_hotels")]),
        Reply("Which street shall the room be in?"),
        Reply("Then I shall take the Via Appia."),
    ]
    with ScriptedServer(script) as server, server.in_environment():
        graph = agency(checkpointer=InMemorySaver())
        with record() as first:
            graph.invoke(ASK, THREAD)
        with record() as second:
            graph.invoke({"messages": [("user", "An old one.")]}, THREAD)

    lines = [line for line in screenplay(first) if line[2] != "ack"]
    assert lines == [
        ("user", "flights", "input", "I need a flight to Rome and a room there."),
        ("flights", "hotels", "handoff", "transfer_to_hotels()"),
        ("hotels", "user", "reply", "Which street shall the room be in?"),
    ]
    assert [message.text for message in second if message.sampled] == [
        "Then I shall take the Via Appia."
    ]
    assert screenplay(second)[-2:] == [
        ("user", "hotels", "input", "An old one."),
        ("hotels", "user", "reply", "Then I shall take the Via Appia."),
    ]
