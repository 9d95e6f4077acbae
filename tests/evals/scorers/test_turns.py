"""Turns in what the recorder hears of real graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph_supervisor import create_supervisor

from linenotes.evals.scorers._tool_calls import tool_uses
from linenotes.evals.scorers._turns import Turn, can_be_ordered, is_called, turns
from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.tracing import record

ASK: Any = {"messages": [("user", "Who won?")]}


def says(name: str) -> Callable[[MessagesState], dict[str, object]]:
    def node(state: MessagesState) -> dict[str, object]:
        return {"messages": [AIMessage(f"I am {name}", name=name)]}

    return node


def test_branches_that_join_are_after_what_both_heard_and_not_after_each_other() -> None:
    graph = StateGraph(MessagesState)
    for name in ("lead", "a", "b", "join"):
        node: Any = says(name)
        graph.add_node(name, node)
    graph.add_edge(START, "lead")
    graph.add_edge("lead", "a")
    graph.add_edge("lead", "b")
    graph.add_edge(["a", "b"], "join")
    graph.add_edge("join", END)
    with record() as ledger:
        graph.compile().invoke({"messages": [HumanMessage("go")]})
    found = turns(ledger)
    assert {turn.agent: len(turn.after) for turn in found} == {"lead": 0, "a": 1, "b": 1, "join": 3}
    assert can_be_ordered(found, ["lead", "a", "b", "join"])
    assert can_be_ordered(found, ["lead", "b", "a", "join"])
    assert not can_be_ordered(found, ["lead", "a", "join", "b"])


@pytest.mark.filterwarnings("ignore:create_react_agent")
def test_tools_and_acknowledgements_belong_to_the_turn_of_who_called() -> None:
    @tool
    def search(query: str) -> str:
        """Search."""
        return "Blue won."

    script = [
        Reply(tool_calls=[ToolCall("transfer_to_researcher")]),
        Reply("Let me look.", [ToolCall("search", {"query": "the race"})]),
        Reply("Blue won by three points."),
        Reply("It was Blue, by three points."),
    ]
    with ScriptedServer(script) as server, server.in_environment():
        from langchain_openai import ChatOpenAI

        expert: Any = create_agent("openai:gpt-4o", [search], name="researcher")
        chief: Any = create_supervisor([expert], model=ChatOpenAI(model="gpt-4o"))
        with record() as ledger:
            chief.compile().invoke(ASK)
    found = turns(ledger)
    assert [turn.agent for turn in found] == ["supervisor", "researcher", "supervisor"]
    assert [sorted(turn.after) for turn in found] == [[], [0], [0, 1]]
    assert [len(turn.messages) for turn in found] == [1, 2, 1]
    uses = [(use.tool, dict(use.arguments), use.caller, use.result) for use in tool_uses(ledger)]
    assert ("search", {"query": "the race"}, "researcher", "Blue won.") in uses
    assert uses[0][:3] == ("transfer_to_researcher", {}, "supervisor")


@pytest.mark.parametrize(
    ("actor", "name", "means"),
    [
        ("search", "search", True),
        ("team/search", "search", True),
        ("team/search", "team", True),
        ("team/search", "team/search", True),
        ("team/research", "search", False),
        ("teams", "team", False),
    ],
)
def test_a_name_means_an_actor_its_last_part_or_a_graph_around_it(
    actor: str, name: str, means: bool
) -> None:
    assert is_called(actor, name) is means


def test_nobody_is_in_an_order_only_where_nobody_is_expected() -> None:
    assert can_be_ordered([], [])
    assert not can_be_ordered([], ["a"])
    assert not can_be_ordered([Turn("a", (0,), frozenset())], [])
