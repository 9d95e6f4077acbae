"""LangChain's `create_agent` with middleware, and LangGraph's prebuilt agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain.chat_models import init_chat_model
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from linenotes.tracing import Trace

MODEL = "openai:gpt-4o"
ASK: Any = {"messages": [("user", "Who won the race, and by how many points?")]}
WAYS = ("invoke", "ainvoke", "stream", "astream")
MIDDLEWARE: dict[str, Callable[[], list[Any]]] = {
    "none": list,
    "summaries": lambda: [
        SummarizationMiddleware(MODEL, trigger=("messages", 4), keep=("messages", 2))
    ],
    "tool selection": lambda: [LLMToolSelectorMiddleware(model=MODEL, max_tools=2)],
    "limits and retries": lambda: [
        ModelCallLimitMiddleware(run_limit=6),
        ToolRetryMiddleware(),
        ModelFallbackMiddleware(MODEL),
    ],
    "lists and editing": lambda: [
        TodoListMiddleware(),
        ContextEditingMiddleware(),
        PIIMiddleware("email"),
    ],
}


class Winner(BaseModel):
    """Who won."""

    name: str
    points: int


@tool
def search(query: str) -> str:
    """Search the web."""
    return f"Three pages tell about {query}, the first of them from 2024."


@tool
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["solver", None])
def test_every_message_is_delivered(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str, name: str | None
) -> None:
    graph = create_agent(MODEL, [search, add], name=name)
    assert faults(play(graph, ASK, way)) == []


@pytest.mark.parametrize("kind", MIDDLEWARE)
def test_middleware_is_no_actor(
    play: Callable[..., Any], faults: Callable[..., list[str]], kind: str
) -> None:
    graph = create_agent(MODEL, [search, add], name="solver", middleware=MIDDLEWARE[kind]())
    for number in range(4):
        played = play(graph, {"messages": [("user", f"Who won race {number}?")]})
        assert faults(played) == []
        assert actors(played.trace) <= {"user", "solver", "search", "add", "write_todos"}


def actors(trace: Trace) -> set[str]:
    return {actor for m in trace.messages for actor in (m.sender, *m.recipients)}


@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy])
def test_structured_answers_reach_the_user(
    play: Callable[..., Any], faults: Callable[..., list[str]], strategy: Callable[..., Any]
) -> None:
    graph = create_agent(MODEL, [search], name="solver", response_format=strategy(Winner))
    played = play(graph, ASK)
    assert faults(played) == []
    assert isinstance(played.output["structured_response"], Winner)


def test_an_agent_inside_a_tool(play: Callable[..., Any], faults: Callable[..., list[str]]) -> None:
    expert = create_agent(MODEL, [search], name="expert")

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        answer = expert.invoke({"messages": [HumanMessage(question)]})
        return str(answer["messages"][-1].text)

    played = play(create_agent(MODEL, [ask_expert], name="boss"), ASK)
    assert faults(played) == []
    assert {"boss", "boss/expert"} <= actors(played.trace)


def test_the_responses_api_makes_no_difference(
    play: Callable[..., Any],
    faults: Callable[..., list[str]],
    screenplay: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    lines = []
    for responses in (False, True):
        model = init_chat_model(MODEL, use_responses_api=responses)
        graph = create_agent(model, [search, add], name="solver")
        played = play(graph, ASK)
        assert faults(played) == []
        lines.append(sorted(screenplay(played.trace.ledger)))
    assert lines[0] == lines[1]


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
@pytest.mark.parametrize("way", WAYS)
def test_the_prebuilt_agent(
    play: Callable[..., Any], faults: Callable[..., list[str]], way: str
) -> None:
    from langgraph.prebuilt import create_react_agent

    graph = create_react_agent(MODEL, [search, add], name="solver")
    assert faults(play(graph, ASK, way)) == []
