"""LangGraph threads read as conversations: several runs, interruptions, and what is not kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from linenotes.project import RunError
from linenotes.tracing import Ledger, record

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.graph.state import CompiledStateGraph

    Draft = StateGraph[Any, Any, Any, Any]
    Node = Callable[..., Any] | CompiledStateGraph[Any, Any, Any, Any]
    Graph = CompiledStateGraph[Any, Any, Any, Any]

Anything = dict[str, Any]
Models = Callable[..., Any]
THREAD: Any = {"configurable": {"thread_id": "t"}}


def _asks(text: str) -> Anything:
    return {"messages": [HumanMessage(text)]}


def _chain(**nodes: Node) -> Draft:
    graph: Any = StateGraph(MessagesState)
    before = START
    for name, node in nodes.items():
        graph.add_node(name, node).add_edge(before, name)
        before = name
    return cast("Draft", graph)


def _kept(graph: Draft) -> Graph:
    return graph.compile(checkpointer=InMemorySaver())


def _says(text: str) -> Callable[[MessagesState], Anything]:
    return lambda _: {"messages": [AIMessage(text)]}


def _script(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(message.route, message.kind, message.text) for message in ledger]


def _lines(ledger: Ledger) -> list[tuple[object, ...]]:
    texts = {message.id: message.text for message in ledger}
    return sorted(
        (m.sender, sorted(m.recipients), m.kind, m.text, sorted(texts[c] for c in m.cause))
        for m in ledger
    )


def _play(graph: Graph, inputs: Sequence[Any]) -> Ledger:
    with record() as heard:
        for one in inputs:
            graph.invoke(one, THREAD)
    return heard


def test_the_runs_of_a_thread_are_one_story(reciter: Models) -> None:
    model = reciter("It is late.", "Good night.")
    graph = _kept(_chain(clerk=lambda state: {"messages": [model.invoke(state["messages"])]}))
    _play(graph, [_asks("What time is it?"), _asks("Thanks.")])

    ledger = Ledger.from_checkpoints(graph, "t")
    assert [line for line in _script(ledger) if "input" in line] == [
        ("user → clerk", "input", "What time is it?"),
        ("user → clerk", "input", "Thanks."),
    ]
    assert [m.text for m in ledger if m.sampled] == ["It is late.", "Good night."]
    assert {m.model for m in ledger if m.sampled} == {"reciter-1-0613"}
    assert ledger.tokens.total == 24


def _asking(question: str) -> Callable[[MessagesState], Anything]:
    return lambda _: {"messages": [AIMessage(f"{question} {interrupt(question)}")]}


def _nested() -> Draft:
    inner = _chain(thinker=_says("Hm."), asker=_asking("Shall I?"), doer=_says("Done."))
    return _chain(first=_says("Off we go."), team=inner.compile(), last=_says("That was it."))


STORIES: dict[str, tuple[Callable[[], Draft], list[Any]]] = {
    "resumed": (
        lambda: _chain(asker=_asking("Really?"), last=_says("Fine.")),
        [_asks("Do it."), Command(resume="yes")],
    ),
    "waiting": (lambda: _chain(asker=_asking("Really?")), [_asks("Do it.")]),
    "given up": (
        lambda: _chain(asker=_asking("Really?")),
        [_asks("Do it."), _asks("Forget it.")],
    ),
    "resumed in a subgraph": (_nested, [_asks("Do it."), Command(resume="yes")]),
    "waiting in a subgraph": (_nested, [_asks("Do it.")]),
}


@pytest.mark.parametrize("story", list(STORIES))
@pytest.mark.parametrize("source", ["graph", "checkpointer"])
def test_an_interrupted_thread_tells_what_was_heard_live(story: str, source: str) -> None:
    build, inputs = STORIES[story]
    graph = _kept(build())
    heard = _play(graph, inputs)

    known: Any = graph if source == "graph" else graph.checkpointer
    assert _lines(Ledger.from_checkpoints(known, "t")) == _lines(heard)


def test_a_failed_run_keeps_what_was_said_before_it() -> None:
    def fail(_: MessagesState) -> Anything:
        raise ValueError("No.")

    graph = _kept(_chain(first=_says("Off we go."), second=fail))
    with pytest.raises(ValueError, match="No"):
        graph.invoke(_asks("Do it."), THREAD)

    assert _script(Ledger.from_checkpoints(graph, "t")) == [
        ("user → first", "input", "Do it."),
        ("first → second", "reply", "Off we go."),
    ]


def test_commands_are_told_from_edges_by_the_graph_alone() -> None:
    def boss(_: MessagesState) -> Command[str]:
        return Command(update={"messages": [AIMessage("Your turn.")]}, goto="worker")

    chain: Any = _chain(boss=boss)
    graph = _kept(chain.add_node("worker", _says("Done.")))
    _play(graph, [_asks("Do it.")])

    told_by_graph = _script(Ledger.from_checkpoints(graph, "t"))
    assert ("boss → worker", "handoff", "Your turn.") in told_by_graph
    saver: Any = graph.checkpointer
    assert ("boss → worker", "reply", "Your turn.") in _script(Ledger.from_checkpoints(saver, "t"))


def test_an_agent_inside_a_tool_is_named_by_what_it_says(reciter: Models) -> None:
    finder: Any = create_agent(reciter("It is 3."), [], name="finder")

    @tool
    def ask_finder(question: str) -> str:
        """Ask the finder."""
        return str(finder.invoke(_asks(question))["messages"][-1].content)

    boss = create_agent(_caller(reciter, ask_finder), [ask_finder], name="boss")
    graph = boss.copy({"checkpointer": InMemorySaver()})
    heard = _play(graph, [_asks("What is it?")])

    saver: Any = graph.checkpointer
    ledger = Ledger.from_checkpoints(saver, "t")
    assert _lines(ledger) == _lines(heard)
    assert ("boss → boss/finder", "delegate", "What?") in _script(ledger)


def test_an_agent_with_hooks_is_one_agent_in_its_checkpoints(reciter: Models) -> None:
    said = {"messages": [AIMessage("It is 3.", name="finder")]}
    finder: Any = _chain(pre_model_hook=lambda _: {}, agent=lambda _: said).compile(name="finder")

    @tool
    def ask_finder(question: str) -> str:
        """Ask the finder."""
        return str(finder.invoke(_asks(question))["messages"][-1].content)

    boss = create_agent(_caller(reciter, ask_finder), [ask_finder], name="boss")
    graph = boss.copy({"checkpointer": InMemorySaver()})
    _play(graph, [_asks("What is it?")])

    saver: Any = graph.checkpointer
    assert "boss/finder" in Ledger.from_checkpoints(saver, "t").actors


def _caller(reciter: Models, called: BaseTool) -> BaseChatModel:
    call = {"name": called.name, "args": {"question": "What?"}, "id": "k1", "type": "tool_call"}
    caller: BaseChatModel = reciter(AIMessage("", tool_calls=[call]), "They say it is 3.")
    return caller


def test_a_subgraph_that_remembers_is_told_run_by_run() -> None:
    team = _chain(member=_says("Noted.")).compile(checkpointer=True)
    graph = _kept(_chain(first=_says("Off we go."), team=team, last=_says("That was it.")))
    heard = _play(graph, [_asks("One."), _asks("Two.")])
    assert _lines(Ledger.from_checkpoints(graph, "t")) == _lines(heard)


def test_a_last_state_alone_is_told_in_the_order_of_its_messages(reciter: Models) -> None:
    model = reciter("A plan.")
    graph = _kept(
        _chain(
            planner=lambda state: {"messages": [model.invoke(state["messages"])]},
            worker=lambda _: {"messages": [AIMessage("The work.", name="worker")]},
        )
    )
    graph.invoke(_asks("Do it."), THREAD, durability="exit")

    assert _script(Ledger.from_checkpoints(graph, "t")) == [
        ("user → assistant", "input", "Do it."),
        ("assistant → worker", "reply", "A plan."),
        ("worker → user", "reply", "The work."),
    ]


def test_a_fork_that_was_left_is_left_out() -> None:
    graph = _kept(_chain(first=_says("Off we go."), second=_says("Done.")))
    _play(graph, [_asks("Do it.")])
    before = next(one for one in graph.get_state_history(THREAD) if one.next == ("second",))
    graph.invoke(None, before.config)

    assert [m.text for m in Ledger.from_checkpoints(graph, "t")] == [
        "Do it.",
        "Off we go.",
        "Done.",
    ]


def test_an_unknown_thread_is_refused() -> None:
    with pytest.raises(RunError, match="no thread 'other'"):
        Ledger.from_checkpoints(InMemorySaver(), "other")


def test_a_graph_without_a_checkpointer_is_refused() -> None:
    with pytest.raises(RunError, match="has no checkpointer"):
        Ledger.from_checkpoints(_chain(first=_says("Hi.")).compile(), "t")


def test_a_result_that_code_wrote_is_no_run_of_a_tool(reciter: Models) -> None:
    call = {"name": "move", "args": {}, "id": "1", "type": "tool_call"}
    model = reciter(AIMessage("", tool_calls=[call]), "Moved.")

    def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("host", speak)
    graph.add_node("enter", lambda _: {"messages": [ToolMessage("Over to you.", tool_call_id="1")]})
    graph.add_node("mover", speak)
    graph.add_edge(START, "host")
    graph.add_edge("host", "enter")
    graph.add_edge("enter", "mover")
    app = graph.compile(InMemorySaver())
    ask: Any = {"messages": [("user", "Move me.")]}
    with record() as live:
        app.invoke(ask, {"configurable": {"thread_id": "1"}})

    stored = Ledger.from_checkpoints(app, "1")
    assert [(m.sender, m.recipients, m.kind) for m in stored] == [
        (m.sender, m.recipients, m.kind) for m in live
    ]


def test_an_agent_of_the_forerunner_has_the_name_of_its_graph(reciter: Models) -> None:
    model = reciter("Moved.")
    graph = StateGraph(MessagesState)
    graph.add_node("agent", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "agent")
    app = graph.compile(InMemorySaver(), name="mover")
    ask: Any = {"messages": [("user", "Move me.")]}
    app.invoke(ask, {"configurable": {"thread_id": "1"}})

    assert Ledger.from_checkpoints(app, "1").actors == ("user", "mover")
