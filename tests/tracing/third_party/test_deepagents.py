"""deepagents: a planner with a file system, that starts agents of its own with the tool `task`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain_core.tools import tool
from langgraph.graph.state import CompiledStateGraph

from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.tracing import record

Graph = CompiledStateGraph[Any, Any, Any, Any]
ASK: Any = {"messages": [("user", "What do we know about lanterns?")]}
WAYS = ("invoke", "ainvoke", "stream", "astream")


@tool
def search(query: str) -> str:
    """Search the web."""
    return f"Three pages tell about {query}, the first of them from 2024."


def planner(name: str | None = "lead") -> Graph:
    return create_deep_agent(
        model="openai:gpt-4o",
        tools=[search],
        name=name,
        subagents=[
            {"name": "scout", "description": "Finds.", "system_prompt": "Find.", "tools": [search]},
            {"name": "critic", "description": "Judges.", "system_prompt": "Judge.", "tools": []},
        ],
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["lead", None])
def test_every_message_is_delivered(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str, name: str | None
) -> None:
    assert faults(play(planner(name), ASK, way)) == []


def test_a_task_is_a_conversation_with_the_agent_that_does_it(
    screenplay: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    wish = "Find out how old the oldest lantern is."
    lead = [
        Reply(tool_calls=[ToolCall("task", {"description": wish, "subagent_type": "scout"})]),
        Reply("Nobody knows who made the first lantern."),
    ]
    scout = [Reply("The oldest lantern is two thousand years old.")]
    server = ScriptedServer(lead, texts={"Find.": scout})
    with server, server.in_environment(), record() as ledger:
        planner().invoke(ASK)

    lines = screenplay(ledger)
    assert lines[0] == ("user", "lead", "input", "What do we know about lanterns?")
    assert ("lead", "lead/scout", "delegate", wish) in lines
    assert ("lead/scout", "lead", "reply", "The oldest lantern is two thousand years old.") in lines
    assert lines[-1] == ("lead", "user", "reply", "Nobody knows who made the first lantern.")
