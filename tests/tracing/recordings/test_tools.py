from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.types import Command

from linenotes.evals.testing import Reply, Request, Script, ScriptedServer, ToolCall
from linenotes.project import RecordingError

from .conftest import REPLAY, Chain, Studio

if TYPE_CHECKING:
    from langgraph.pregel import Pregel

_RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    _RAN.clear()


def agent(*tools: BaseTool, name: str = "desk") -> Pregel[Any, Any, Any, Any]:
    return create_agent(ChatOpenAI(model="gpt-5", max_retries=0), list(tools), name=name)


def calling(*calls: ToolCall) -> Script:
    """Return a script that makes the calls first, and then says what came of them."""

    def say(request: Request) -> Reply | str:
        results = [turn.text for turn in request.turns if turn.role == "tool"]
        return f"done: {' '.join(results)}" if results else Reply(tool_calls=calls)

    return say


ASK = {"messages": [("user", "Go on.")]}


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    _RAN.append(city)
    return f"{city}: sun number {len(_RAN)}"


@tool
async def aweather(city: str) -> dict[str, Any]:
    """Tell the weather."""
    _RAN.append(city)
    return {"city": city, "degrees": len(_RAN)}


@tool(response_format="content_and_artifact")
def chart(city: str) -> tuple[str, dict[str, int]]:
    """Draw a chart."""
    _RAN.append(city)
    return f"chart of {city}", {"points": len(_RAN)}


@tool
def whole(city: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
    """Answer with a message."""
    _RAN.append(city)
    return ToolMessage(f"message {len(_RAN)}", tool_call_id=tool_call_id)


@pytest.mark.parametrize("leaf", [weather, aweather, chart, whole], ids=lambda leaf: leaf.name)
def test_a_leaf_is_replayed(studio: Studio, leaf: BaseTool) -> None:
    script = calling(ToolCall(leaf.name, {"city": "Oslo"}))
    with ScriptedServer(script) as server, server.in_environment():
        live = studio.run(agent(leaf), ASK)
        again = studio.run(agent(leaf), ASK, REPLAY)
    assert _RAN == ["Oslo"]
    assert again.said == live.said
    results = [
        next(one for one in ran.output["messages"] if one.type == "tool") for ran in (live, again)
    ]
    assert results[0].content == results[1].content
    assert results[0].artifact == results[1].artifact
    assert again.use.replayed == 3


def test_equal_calls_of_a_tool_keep_their_results(studio: Studio) -> None:
    script = calling(*[ToolCall("weather", {"city": "Oslo"})] * 4)
    with ScriptedServer(script) as server, server.in_environment():
        live = studio.run(agent(weather), ASK)
        for _ in range(3):
            assert studio.run(agent(weather), ASK, REPLAY).said == live.said
    assert len(_RAN) == 4


def test_a_tool_with_an_agent_inside_runs_again_and_its_calls_are_replayed(
    studio: Studio,
) -> None:
    @tool
    async def ask_inner(question: str) -> str:
        """Ask another agent."""
        _RAN.append("asked")
        inner = agent(weather, name="inner")
        found = await inner.ainvoke({"messages": [("user", question)]})
        return str(found["messages"][-1].content)

    def say(request: Request) -> Reply | str:
        results = [turn.text for turn in request.turns if turn.role == "tool"]
        if results:
            return "done: " + " ".join(results)
        if request.prompt.endswith("Go on."):
            return Reply(tool_calls=(ToolCall("ask_inner", {"question": "Oslo?"}),) * 2)
        return Reply(tool_calls=(ToolCall("weather", {"city": "Oslo"}),))

    with ScriptedServer(say) as server, server.in_environment():
        live = studio.run(agent(ask_inner), ASK)
        calls = len(server.requests)
        again = studio.run(agent(ask_inner), ASK, REPLAY)
        assert len(server.requests) == calls == 6
    assert again.said == live.said
    assert sorted(_RAN) == ["Oslo", "Oslo", "asked", "asked", "asked", "asked"]


def test_a_handoff_runs_again(studio: Studio) -> None:
    @tool
    def to_billing(tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Hand over."""
        _RAN.append("over")
        message = ToolMessage("handed over", tool_call_id=tool_call_id)
        return Command(update={"messages": [message]})

    with ScriptedServer(calling(ToolCall("to_billing"))) as server, server.in_environment():
        live = studio.run(agent(to_billing), ASK)
        again = studio.run(agent(to_billing), ASK, REPLAY)
    assert again.said == live.said
    assert _RAN == ["over", "over"]


class Thing:
    """Something that JSON does not hold."""

    def __str__(self) -> str:
        return "a thing"


@tool
def thing() -> object:
    """Return what no file holds."""
    _RAN.append("thing")
    return Thing()


def test_what_no_file_holds_is_an_error_that_names_the_cure(studio: Studio) -> None:
    with ScriptedServer(calling(ToolCall("thing"))) as server, server.in_environment():
        studio.run(agent(thing), ASK)
        with pytest.raises(RecordingError, match=r'gave \'Thing\'.*run-tools = \["thing"\]'):
            studio.run(agent(thing), ASK, REPLAY)
    assert _RAN == ["thing"]


def test_a_tool_that_is_always_to_be_run_is_never_recorded(studio: Studio) -> None:
    (studio.project.root / "pyproject.toml").write_text(
        '[tool.linenotes.recordings]\nrun-tools = ["thing"]\n'
    )
    studio = Studio(type(studio.project).find())
    with ScriptedServer(calling(ToolCall("thing"))) as server, server.in_environment():
        live = studio.run(agent(thing), ASK)
        again = studio.run(agent(thing), ASK, REPLAY)
    assert again.said == live.said
    assert live.use.recorded == 2
    assert _RAN == ["thing", "thing"]


def test_what_a_tool_says_is_wrong_is_said_again(studio: Studio) -> None:
    @tool
    def picky(city: str) -> str:
        """Refuse."""
        _RAN.append(city)
        raise ValueError(f"no such city: {city}")

    script = calling(ToolCall("picky", {"city": "X"}))
    with ScriptedServer(script) as server, server.in_environment():
        built = agent(picky)
        with pytest.raises(ValueError, match="no such city: X"):
            studio.run(built, ASK)
        with pytest.raises(ValueError, match="no such city: X"):
            studio.run(built, ASK, REPLAY)
    assert _RAN == ["X"]


def test_tools_of_threads_in_one_task_are_told_apart(studio: Studio, chain: Chain) -> None:
    async def ask(state: dict[str, Any]) -> dict[str, Any]:
        cities = [f"city {n}" for n in range(6)]
        return {"said": await asyncio.gather(*(weather.ainvoke({"city": c}) for c in cities))}

    live = studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}, REPLAY).output == live.output
    assert len(_RAN) == 6


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_a_supervisor_of_two_agents_is_replayed(studio: Studio) -> None:
    from langgraph_supervisor import create_supervisor

    def say(request: Request) -> Reply | str:
        if "You direct." not in request.prompt:
            return f"worked on it, {len(request.turns)}"
        if any("worked" in turn.text for turn in request.turns):
            return "All is done."
        return Reply(tool_calls=(ToolCall("transfer_to_worker"),))

    def build() -> Pregel[Any, Any, Any, Any]:
        model = ChatOpenAI(model="gpt-5", max_retries=0)
        return create_supervisor(
            [agent(name="worker")], model=model, prompt="You direct."
        ).compile()

    with ScriptedServer(say) as server, server.in_environment():
        live = studio.run(build(), ASK)
        asked = len(server.requests)
        again = studio.run(build(), ASK, REPLAY)
        assert len(server.requests) == asked == 3
    # The library draws ids for calls that it makes up, so the texts are compared.
    assert [one.text for one in again.ledger] == [one.text for one in live.ledger]
    assert again.use.unused == ()
