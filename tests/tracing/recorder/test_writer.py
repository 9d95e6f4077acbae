"""What a node writes: new words, its model's words in another form, another's words changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain.agents.middleware import LLMToolEmulator
from langchain_core.messages import AIMessage, RemoveMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel

from linenotes.tracing import Ledger, record

Anything = dict[str, Any]
Build = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "Write it.")]}
PLAN = '{"steps": [{"name": "draft"}, {"name": "print"}]}'


class Step(BaseModel):
    name: str
    done: bool = False


class Plan(BaseModel):
    steps: list[Step]


class Work(TypedDict, total=False):
    task: str
    steps: list[Step]
    done: Annotated[list[Any], lambda old, new: [*old, *new]]


def in_a_row(state: type, *nodes: tuple[str, Build]) -> Graph:
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(state)
    before = START
    for name, node in nodes:
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile()


def test_new_words_under_an_old_id_are_another_message(
    scripted: Build, screenplay: Screenplay
) -> None:
    writer, reader = scripted("A draft."), scripted("I like it.")

    def edit(state: MessagesState) -> Anything:
        return {"messages": [AIMessage("An edited draft.", id=state["messages"][-1].id)]}

    graph = in_a_row(
        MessagesState,
        ("writer", lambda s: {"messages": [writer.invoke(s["messages"])]}),
        ("editor", edit),
        ("reader", lambda s: {"messages": [reader.invoke(s["messages"])]}),
    )
    with record() as ledger:
        graph.invoke(ASK)

    assert screenplay(ledger)[1:] == [
        ("writer", "editor", "reply", "A draft."),
        ("editor", "reader", "reply", "An edited draft."),
        ("reader", "user", "reply", "I like it."),
    ]
    assert len({message.id for message in ledger}) == len(ledger)


def test_model_that_rewrites_under_an_old_id_says_one_message(
    scripted: Build, screenplay: Screenplay
) -> None:
    writer, editor = scripted("A draft."), scripted("An edited draft.")

    def edit(state: MessagesState) -> Anything:
        edited = editor.invoke(state["messages"])
        return {"messages": [edited.model_copy(update={"id": state["messages"][-1].id})]}

    graph = in_a_row(
        MessagesState,
        ("writer", lambda s: {"messages": [writer.invoke(s["messages"])]}),
        ("editor", edit),
    )
    with record() as ledger:
        graph.invoke(ASK)

    assert screenplay(ledger)[1:] == [
        ("writer", "editor", "reply", "A draft."),
        ("editor", "user", "reply", "An edited draft."),
    ]


def test_form_that_its_node_took_apart_is_the_reply_that_filled_it(
    scripted: Build, screenplay: Screenplay
) -> None:
    planner = scripted(PLAN)

    def plan(state: Work) -> Anything:
        return {"steps": Plan.model_validate_json(planner.invoke(state["task"]).content).steps}

    graph = in_a_row(Work, ("planner", plan), ("worker", lambda _: {"done": ["All of it."]}))
    with record() as ledger:
        graph.invoke({"task": "A book."})

    assert screenplay(ledger) == [
        ("user", "planner", "input", "A book."),
        ("planner", "worker", "reply", PLAN),
        ("worker", "user", "state", "All of it."),
    ]


def test_each_reply_that_a_value_holds_inside_travels_with_it(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("The draft.", "The print.")

    def work(_: Work) -> Anything:
        return {
            "done": [("draft", model.invoke("d").content), {"print": model.invoke("p").content}]
        }

    graph = in_a_row(Work, ("worker", work), ("boss", lambda _: {"task": "Rest."}))
    with record() as ledger:
        graph.invoke({"task": "A book."})

    assert screenplay(ledger)[1:3] == [
        ("worker", "boss", "reply", "The draft."),
        ("worker", "boss", "reply", "The print."),
    ]


def test_result_that_a_middleware_makes_up_is_the_tools(
    scripted: Build, screenplay: Screenplay
) -> None:
    @tool
    def look(up: str) -> str:
        """Look something up."""
        return up

    call = {"name": "look", "args": {"up": "x"}, "id": "1", "type": "tool_call"}
    agent = create_agent(
        scripted(AIMessage("", tool_calls=[call]), "Done."),
        [look],
        name="clerk",
        middleware=[LLMToolEmulator(tools=["look"], model=scripted("A made-up page."))],
    )
    with record() as ledger:
        agent.invoke(ASK)

    lines = [line for line in screenplay(ledger) if line[1]]
    assert lines == [
        ("user", "clerk", "input", "Write it."),
        ("clerk", "look", "call", 'look(up="x")'),
        ("look", "clerk", "result", "A made-up page."),
        ("clerk", "user", "reply", "Done."),
    ]


def test_where_a_router_ends_is_no_message(scripted: Build, screenplay: Screenplay) -> None:
    class Routed(MessagesState):
        next: str

    router = scripted("Finish.")

    def route(state: Routed) -> Anything:
        router.invoke(state["messages"])
        return {"next": END}

    with record() as ledger:
        in_a_row(Routed, ("router", route)).invoke(ASK)

    assert [line[2] for line in screenplay(ledger)] == ["input", "reply"]


def test_agents_at_work_at_once_may_number_their_calls_alike(
    scripted: Build, screenplay: Screenplay
) -> None:
    @tool
    def look(up: str) -> str:
        """Look something up."""
        return f"Page of {up}."

    def agent(name: str) -> Graph:
        call = {"name": "look", "args": {"up": name}, "id": "call_0", "type": "tool_call"}
        return create_agent(scripted(AIMessage("", tool_calls=[call]), "Done."), [look], name=name)

    graph = StateGraph(MessagesState)
    for name in ("ann", "bob"):
        graph.add_node(name, agent(name))
        graph.add_edge(START, name)
    with record() as ledger:
        graph.compile().invoke(ASK)

    lines = screenplay(ledger)
    for name in ("ann", "bob"):
        assert (name, "look", "call", f'look(up="{name}")') in lines
        assert ("look", name, "result", f"Page of {name}.") in lines


def test_call_that_code_made_up_is_a_call_of_its_tool(screenplay: Screenplay) -> None:
    @tool
    def tables() -> str:
        """List the tables."""
        return "Artist, Album"

    call = {"name": "tables", "args": {}, "id": "1", "type": "tool_call"}

    def look(_: MessagesState) -> Anything:
        return {"messages": [AIMessage("", tool_calls=[call]), tables.invoke(call)]}

    with record() as ledger:
        in_a_row(MessagesState, ("lister", look)).invoke(ASK)

    assert sorted(screenplay(ledger)[1:]) == [
        ("lister", "tables", "call", "tables()"),
        ("tables", "user", "result", "Artist, Album"),
    ]


def test_call_changed_under_its_id_and_run_by_the_same_node_has_a_result(
    scripted: Build, screenplay: Screenplay
) -> None:
    call = {"name": "send", "args": {"text": "x"}, "id": "1", "type": "tool_call"}
    model = scripted(AIMessage("", tool_calls=[call]), "Sent.")

    def review(state: MessagesState) -> Command[Any]:
        changed = [{**call, "args": {"text": "y"}}]
        told = AIMessage("", id=state["messages"][-1].id, tool_calls=changed)
        return Command(update={"messages": [told, ToolMessage("y", tool_call_id="1")]}, goto="end")

    graph = StateGraph(MessagesState)
    graph.add_node("clerk", lambda s: {"messages": [model.invoke(s["messages"])]})
    graph.add_node("review", review)
    graph.add_node("end", lambda s: {"messages": [model.invoke(s["messages"])]})
    graph.add_edge(START, "clerk")
    graph.add_edge("clerk", "review")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger)[1:] == [
        ("clerk", "review", "call", 'send(text="x")'),
        ("review", "end, send", "call", 'send(text="y")'),
        ("send", "end", "result", "y"),
        ("end", "user", "reply", "Sent."),
    ]


def test_messages_that_go_are_no_part_of_a_state_row(screenplay: Screenplay) -> None:
    class Summed(MessagesState):
        summary: str

    def shorten(state: Summed) -> Anything:
        gone = [RemoveMessage(id=str(state["messages"][0].id))]
        return {"summary": "They spoke.", "messages": gone}

    with record() as ledger:
        in_a_row(Summed, ("shorten", shorten)).invoke(ASK)

    assert screenplay(ledger)[1:] == [("shorten", "user", "state", "They spoke.")]
