"""Who is an actor in graphs made of agents that a library built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentState,
    ModelRequest,
    ModelResponse,
    before_model,
    wrap_model_call,
)
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from pydantic import BaseModel

from linenotes.tracing import Ledger, record

if TYPE_CHECKING:
    from langgraph.runtime import Runtime

Build = Callable[..., Any]
Mode = Literal["full_history", "last_message"]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "What is 1 + 2?")]}
pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")


@tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


def calling(*calls: str, **args: object) -> AIMessage:
    return AIMessage(
        "",
        tool_calls=[
            {"name": name, "args": args, "id": f"{name}-{i}", "type": "tool_call"}
            for i, name in enumerate(calls)
        ],
    )


def supervised(scripted: Build, *, mode: Mode, parallel: bool = False) -> Graph:
    hand_over = (
        [calling("transfer_to_adder", "transfer_to_writer")]
        if parallel
        else [calling("transfer_to_adder"), calling("transfer_to_writer")]
    )
    adder = create_agent(scripted(calling("add", a=1, b=2), "It is 3."), [add], name="adder")
    writer = create_agent(scripted("Three."), [], name="writer")
    return create_supervisor(
        [adder, writer], model=scripted(*hand_over, "Done."), output_mode=mode
    ).compile()


@pytest.mark.parametrize("mode", ["full_history", "last_message"])
def test_supervisor_hands_over_and_gets_the_answers_back(
    scripted: Build, screenplay: Screenplay, play: Build, mode: Mode
) -> None:
    with record() as ledger:
        play(supervised(scripted, mode=mode), ASK)

    lines = screenplay(ledger)
    assert [line for line in lines if line[2] != "ack"] == [
        ("user", "supervisor", "input", "What is 1 + 2?"),
        ("supervisor", "adder", "handoff", "transfer_to_adder()"),
        ("adder", "add", "call", "add(a=1, b=2)"),
        ("add", "adder", "result", "3"),
        ("adder", "supervisor", "reply", "It is 3."),
        ("supervisor", "writer", "handoff", "transfer_to_writer()"),
        ("writer", "supervisor", "reply", "Three."),
        ("supervisor", "user", "reply", "Done."),
    ]
    acks = [line[3] for line in lines if line[2] == "ack"]
    assert sum("Transferring back" in text for text in acks) == 2
    assert len(acks) == 6


async def test_parallel_handoffs_are_one_row(scripted: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        await supervised(scripted, mode="last_message", parallel=True).ainvoke(ASK)

    lines = screenplay(ledger)
    handoffs = [line for line in lines if line[2] == "handoff"]
    assert [(line[0], line[3]) for line in handoffs] == [
        ("supervisor", "transfer_to_adder()\ntransfer_to_writer()")
    ]
    assert handoffs[0][1] in {"adder", "writer"}  # LangGraph lets one of the two commands win
    assert "result" not in {line[2] for line in lines if line[0].startswith("transfer_to")}


def test_handoff_without_messages_is_the_call(scripted: Build, screenplay: Screenplay) -> None:
    writer = create_react_agent(scripted("Three."), [], name="writer")
    graph = create_supervisor(
        [writer],
        model=scripted(calling("transfer_to_writer"), "Done."),
        add_handoff_messages=False,
        add_handoff_back_messages=False,
    ).compile()
    with record() as ledger:
        graph.invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "supervisor", "input", "What is 1 + 2?"),
        ("supervisor", "writer", "handoff", "transfer_to_writer()"),
        ("writer", "supervisor", "reply", "Three."),
        ("supervisor", "user", "reply", "Done."),
    ]


def test_swarm_goes_on_with_whoever_spoke_last(scripted: Build, screenplay: Screenplay) -> None:
    alice = create_agent(
        scripted(calling("transfer_to_bob")), [create_handoff_tool(agent_name="bob")], name="alice"
    )
    bob = create_agent(
        scripted("Bob here.", "Bob again."), [create_handoff_tool(agent_name="alice")], name="bob"
    )
    graph = create_swarm([alice, bob], default_active_agent="alice").compile(
        checkpointer=InMemorySaver()
    )
    thread: Any = {"configurable": {"thread_id": "1"}}
    with record() as ledger:
        graph.invoke(ASK, thread)
        graph.invoke({"messages": [("user", "And now?")]}, thread)

    assert [line for line in screenplay(ledger) if line[2] != "ack"] == [
        ("user", "alice", "input", "What is 1 + 2?"),
        ("alice", "bob", "handoff", "transfer_to_bob()"),
        ("bob", "user", "reply", "Bob here."),
        ("user", "bob", "input", "And now?"),
        ("bob", "user", "reply", "Bob again."),
    ]


def asking(scripted: Build, helper: Graph) -> list[Graph]:
    @tool
    def ask(question: str) -> str:
        """Ask the helper."""
        return str(helper.invoke({"messages": [("user", question)]})["messages"][-1].content)

    @tool("ask")
    async def aask(question: str) -> str:
        """Ask the helper."""
        got = await helper.ainvoke({"messages": [("user", question)]})
        return str(got["messages"][-1].content)

    calls = AIMessage(
        "",
        tool_calls=[
            {"name": "ask", "args": {"question": q}, "id": q, "type": "tool_call"} for q in "xy"
        ],
    )
    return [create_agent(scripted(calls, "Done."), [one], name="boss") for one in (ask, aask)]


@pytest.mark.parametrize("named", [True, False])
def test_agents_as_tools_get_an_errand_each(
    scripted: Build, screenplay: Screenplay, ways: Build, *, named: bool
) -> None:
    helper = create_agent(scripted("Four."), [], name="helper" if named else None)
    name = "boss/helper" if named else "boss/ask"
    boss, aboss = asking(scripted, helper)
    for graph, way in ((boss, "invoke"), (aboss, "ainvoke")):
        with record() as ledger:
            ways(way)(graph, ASK)

        assert sorted(screenplay(ledger)) == [
            ("ask", "boss", "result", "Four."),
            ("ask", "boss", "result", "Four."),
            ("boss", "ask", "call", 'ask(question="x")\nask(question="y")'),
            ("boss", name, "delegate", "x"),
            ("boss", name, "delegate", "y"),
            ("boss", "user", "reply", "Done."),
            (name, "boss", "reply", "Four."),
            (name, "boss", "reply", "Four."),
            ("user", "boss", "input", "What is 1 + 2?"),
        ]
        texts = {message.id: (message.kind, message.text) for message in ledger}
        errands = [m for m in ledger if m.kind == "delegate"]
        assert {texts[cause][0] for m in errands for cause in m.cause} == {"call"}
        results = [m for m in ledger if m.kind == "result"]
        assert {texts[cause] for m in results for cause in m.cause} == {("reply", "Four.")}


class Sum(BaseModel):
    value: int


def test_middleware_is_a_part_of_its_agent(scripted: Build, screenplay: Screenplay) -> None:
    @before_model
    def remind(state: AgentState[Any], runtime: Runtime) -> dict[str, Any] | None:
        first = len(state["messages"]) == 1
        return {"messages": [HumanMessage("Be brief.")]} if first else None

    @wrap_model_call
    def polite(
        request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
    ) -> ModelResponse:
        return handler(request.override(messages=[*request.messages, HumanMessage("Please.")]))

    agent = create_agent(
        scripted(calling("add", a=1, b=2), calling("Sum", value=3)),
        [add],
        middleware=[remind, polite],
        response_format=Sum,
    )
    with record() as ledger:
        agent.invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "agent", "input", "What is 1 + 2?"),
        ("agent", "agent", "reply", "Be brief."),
        ("agent", "add", "call", "add(a=1, b=2)"),
        ("add", "agent", "result", "3"),
        ("agent", "user", "reply", "Sum(value=3)"),
        ("Sum", "user", "ack", "Returning structured response: value=3"),
    ]
    assert not ledger.messages[1].sampled


def test_deep_agent_sends_its_subagents(scripted: Build, screenplay: Screenplay) -> None:
    call = {"description": "Look it up.", "subagent_type": "researcher"}
    agent: Any = create_deep_agent(
        model=scripted(calling("task", **call), "Done."),
        subagents=[
            {
                "name": "researcher",
                "description": "Looks things up.",
                "system_prompt": "You look things up.",
                "model": scripted("It is 3."),
            }
        ],
    )
    with record() as ledger:
        agent.invoke(ASK)

    assert [line[:3] for line in screenplay(ledger)] == [
        ("user", "agent", "input"),
        ("agent", "task", "call"),
        ("agent", "agent/researcher", "delegate"),
        ("agent/researcher", "agent", "reply"),
        ("task", "agent", "result"),
        ("agent", "user", "reply"),
    ]


def test_prebuilt_agent_has_the_name_of_its_graph(scripted: Build, screenplay: Screenplay) -> None:
    agent = create_react_agent(scripted(calling("add", a=1, b=2), "3"), [add], name="solver")
    with record() as ledger:
        agent.invoke(ASK)

    assert {line[0] for line in screenplay(ledger)} == {"user", "solver", "add"}


def test_two_stays_of_one_agent_are_told_apart(scripted: Build) -> None:
    graph = supervised(scripted, mode="last_message")
    with record() as ledger:
        graph.invoke(ASK)

    stays = {m.activation for m in ledger if m.sender == "supervisor"}
    assert len(stays) == 3
    assert {ledger.instances[stay] for stay in stays if stay} == {
        "supervisor#1",
        "supervisor#2",
        "supervisor#3",
    }
    (adders,) = {m.activation for m in ledger if m.sender == "adder"}
    assert ledger.instances[str(adders)] == "adder"
