"""langgraph-supervisor: one agent that hands work to others and gets it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.tools import tool
from langgraph.graph.state import CompiledStateGraph
from langgraph_supervisor import create_supervisor

from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.tracing import LiveLedger, record

# The library builds its agent with what LangGraph deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")

Graph = CompiledStateGraph[Any, Any, Any, Any]
ASK: Any = {"messages": [("user", "Who won the race, and by how many points?")]}
WAYS = ("invoke", "ainvoke", "stream", "astream")
MODEL = "openai:gpt-4o"
EXPERTS = ("researcher", "mathematician")


@tool
def search(query: str) -> str:
    """Search the web."""
    return f"Three pages tell about {query}, the first of them from 2024."


@tool
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


def office(**options: object) -> Graph:
    team: Any = [
        create_agent(MODEL, [search], name="researcher"),
        create_agent(MODEL, [add], name="mathematician"),
    ]
    model = init_chat_model(MODEL)
    asked: Any = options
    return create_supervisor(team, model=model, prompt="Manage.", **asked).compile()


def company() -> Graph:
    """A boss over two supervisors with two agents each."""

    def team(name: str, *members: str) -> Graph:
        agents: Any = [create_agent(MODEL, [search, add], name=member) for member in members]
        lead = f"{name}_lead"
        return create_supervisor(
            agents, model=init_chat_model(MODEL), supervisor_name=lead, prompt=f"Lead {name}."
        ).compile(name=name)

    teams: Any = [team("research", "reader", "clerk"), team("writing", "writer", "editor")]
    return create_supervisor(teams, model=init_chat_model(MODEL), supervisor_name="boss").compile()


@pytest.mark.parametrize("way", WAYS)
def test_every_message_is_delivered(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str
) -> None:
    assert faults(play(office(), ASK, way), agents=[*EXPERTS, "supervisor"]) == []


@pytest.mark.parametrize(
    "options",
    [
        {"output_mode": "full_history"},
        {"add_handoff_messages": False, "add_handoff_back_messages": False},
        {"include_agent_name": "inline"},
        {"parallel_tool_calls": True},
        {"supervisor_name": "chief"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_option_of_the_library_reads_right(
    play: Callable[..., Any], faults: Callable[..., list[str]], options: dict[str, Any]
) -> None:
    agents = [*EXPERTS, options.get("supervisor_name", "supervisor")]
    for number in range(4):
        ask = {"messages": [("user", f"Who won race {number}?")]}
        assert faults(play(office(**options), ask), agents=agents) == []


@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_supervisors_of_supervisors(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str
) -> None:
    leads = ["boss", "research_lead", "writing_lead"]
    agents = [*leads, "reader", "clerk", "writer", "editor"]
    for number in range(4):
        ask = {"messages": [("user", f"Who won race {number}?")]}
        assert faults(play(company(), ask, way), agents=agents) == []


def test_a_day_at_the_office_reads_as_a_conversation(
    screenplay: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    script = [
        Reply(tool_calls=[ToolCall("transfer_to_researcher")]),
        Reply("Let me look.", [ToolCall("search", {"query": "the race"})]),
        Reply("Blue won by three points."),
        Reply("It was Blue, by three points."),
    ]
    with ScriptedServer(script) as server, server.in_environment(), record() as ledger:
        office().invoke(ASK)

    lines = [line for line in screenplay(ledger) if line[2] != "ack"]
    assert lines == [
        ("user", "supervisor", "input", ASK["messages"][0][1]),
        ("supervisor", "researcher", "handoff", "transfer_to_researcher()"),
        ("researcher", "search", "call", 'Let me look.\nsearch(query="the race")'),
        (
            "search",
            "researcher",
            "result",
            "Three pages tell about the race, the first of them from 2024.",
        ),
        ("researcher", "supervisor", "reply", "Blue won by three points."),
        ("supervisor", "user", "reply", "It was Blue, by three points."),
    ]


async def test_runs_at_the_same_time_stay_apart(
    server: ScriptedServer, faults: Callable[..., list[str]], played: Callable[..., Any]
) -> None:
    graph = office()

    async def run(number: int) -> tuple[str, LiveLedger, object]:
        question = f"Who won race number {number}?"
        with record() as ledger:
            output = await graph.ainvoke({"messages": [("user", question)]})
        return question, ledger, output

    for question, ledger, output in await asyncio.gather(*map(run, range(20))):
        own = [e for e in server.exchanges if question in e.request.prompt]
        assert faults(played(ledger.trace, output, own)) == []


def test_what_was_said_before_a_tool_failed_is_there(
    faults: Callable[..., list[str]], played: Callable[..., Any]
) -> None:
    @tool
    def search(query: str) -> str:
        """Search the web."""
        raise RuntimeError(f"No network for {query}.")

    script = [
        Reply(tool_calls=[ToolCall("transfer_to_researcher")]),
        Reply("Let me look.", [ToolCall("search", {"query": "the race"})]),
    ]
    with ScriptedServer(script) as server, server.in_environment():
        team: Any = [create_agent(MODEL, [search], name="researcher")]
        graph = create_supervisor(team, model=init_chat_model(MODEL)).compile()
        with pytest.raises(RuntimeError, match="No network for the race"), record() as ledger:
            graph.invoke(ASK)

    assert ledger.trace.state == "ERROR"
    assert faults(played(ledger.trace, None, server.exchanges)) == []
