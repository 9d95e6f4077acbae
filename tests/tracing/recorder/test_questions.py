"""Graphs that stop to ask a person, and go on: one story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt

from linenotes.tracing import Ledger, incidents, record

Build = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "Write it.")]}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def speaker(text: str) -> Build:
    return lambda _: {"messages": [AIMessage(text)]}


def asker(question: str) -> Build:
    def ask(_: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"{question}: {interrupt(question)}")]}

    return ask


def in_a_row(
    *nodes: tuple[str, Any],
    checkpointer: InMemorySaver | None = None,
    interrupt_before: list[str] | None = None,
) -> Graph:
    graph = StateGraph(MessagesState)
    before = START
    for name, node in nodes:
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    return graph.compile(checkpointer, interrupt_before=interrupt_before)


def test_question_and_answer_are_messages_of_one_story(screenplay: Screenplay) -> None:
    graph = in_a_row(
        ("writer", speaker("A draft.")),
        ("editor", asker("Good?")),
        ("printer", speaker("Printed.")),
        checkpointer=InMemorySaver(),
    )
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(Command(resume="yes"), THREAD)

    assert screenplay(ledger) == [
        ("user", "writer", "input", "Write it."),
        ("writer", "editor", "reply", "A draft."),
        ("editor", "user", "reply", "Good?"),
        ("user", "editor", "input", "yes"),
        ("editor", "printer", "reply", "Good?: yes"),
        ("printer", "user", "reply", "Printed."),
    ]
    question, answer, said = ledger.messages[2:5]
    assert answer.cause == (question.id,)
    assert said.cause == (answer.id,)
    assert said.activation == question.activation
    assert ledger.trace.state == "OK"
    assert "ERROR" not in {span.status for span in ledger.trace.spans}


def test_answer_in_a_block_of_its_own_comes_after_what_the_thread_remembers(
    screenplay: Screenplay,
) -> None:
    graph = in_a_row(
        ("writer", lambda _: {"messages": [AIMessage("A draft.", name="writer")]}),
        ("editor", asker("Good?")),
        checkpointer=InMemorySaver(),
    )
    with record() as asked:
        graph.invoke(ASK, THREAD)
    with record() as answered:
        graph.invoke(Command(resume="yes"), THREAD)

    assert asked.trace.state == "IN_PROGRESS"
    assert screenplay(asked)[-1] == ("editor", "user", "reply", "Good?")
    assert screenplay(answered) == [
        ("user", "editor", "input", "Write it."),
        ("writer", "editor", "reply", "A draft."),
        ("user", "editor", "input", "yes"),
        ("editor", "user", "reply", "Good?: yes"),
    ]


def test_each_of_two_questions_gets_its_own_answer(screenplay: Screenplay) -> None:
    graph = StateGraph(MessagesState)
    for name in ("left", "right"):
        graph.add_node(name, asker(name))
        graph.add_edge(START, name)
    compiled = graph.compile(checkpointer=InMemorySaver())
    with record() as ledger:
        stopped = compiled.invoke(ASK, THREAD)
        answers = {one.id: f"{one.value}?" for one in stopped["__interrupt__"]}
        compiled.invoke(Command(resume=answers), THREAD)

    assert [line for line in screenplay(ledger) if line[2] == "input"][1:] == [
        ("user", "left", "input", "left?"),
        ("user", "right", "input", "right?"),
    ]


def test_question_inside_a_subgraph_is_asked_once(screenplay: Screenplay) -> None:
    team = in_a_row(("writer", speaker("A draft.")), ("editor", asker("Good?")))
    graph = in_a_row(("team", team), ("printer", speaker("Printed.")), checkpointer=InMemorySaver())
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(Command(resume="yes"), THREAD)

    assert screenplay(ledger)[2:4] == [
        ("team/editor", "user", "reply", "Good?"),
        ("user", "team/editor", "input", "yes"),
    ]
    assert len(ledger) == 6


def test_graph_that_stops_between_nodes_goes_on_where_it_was(screenplay: Screenplay) -> None:
    graph = in_a_row(
        ("writer", speaker("A draft.")),
        ("printer", speaker("Printed.")),
        checkpointer=InMemorySaver(),
        interrupt_before=["printer"],
    )
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(None, THREAD)

    assert screenplay(ledger) == [
        ("user", "writer", "input", "Write it."),
        ("writer", "printer", "reply", "A draft."),
        ("printer", "user", "reply", "Printed."),
    ]


@tool
def send(text: str) -> str:
    """Send it."""
    return f"sent {text}"


@pytest.mark.parametrize(
    ("decision", "result"),
    [({"type": "approve"}, "sent x"), ({"type": "reject", "message": "No."}, "No.")],
)
def test_tool_call_that_waits_for_a_person(
    scripted: Build, screenplay: Screenplay, decision: dict[str, str], result: str
) -> None:
    call = AIMessage(
        "", tool_calls=[{"name": "send", "args": {"text": "x"}, "id": "1", "type": "tool_call"}]
    )
    agent = create_agent(
        scripted(call, "Done."),
        [send],
        name="clerk",
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"send": True})],
        checkpointer=InMemorySaver(),
    )
    with record() as ledger:
        agent.invoke(ASK, THREAD)
        agent.invoke(Command(resume={"decisions": [decision]}), THREAD)

    lines = screenplay(ledger)
    assert [line[:3] for line in lines] == [
        ("user", "clerk", "input"),
        ("clerk", "send", "call"),
        ("clerk", "user", "reply"),
        ("user", "clerk", "input"),
        ("send", "clerk", "result"),
        ("clerk", "user", "reply"),
    ]
    assert result in lines[4][3]


def test_second_turn_knows_who_said_what_before(screenplay: Screenplay) -> None:
    graph = in_a_row(
        ("one", speaker("First.")), ("two", speaker("Second.")), checkpointer=InMemorySaver()
    )
    again: Any = {"messages": [("user", "Again.")]}
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(again, THREAD)

    assert screenplay(ledger) == [
        ("user", "one", "input", "Write it."),
        ("one", "two", "reply", "First."),
        ("two", "user", "reply", "Second."),
        ("user", "one", "input", "Again."),
        ("one", "two", "reply", "First."),
        ("two", "user", "reply", "Second."),
    ]
    assert ledger.messages[3].cause == (ledger.messages[2].id,)
    assert "one" in ledger.messages[2].seen_by


def test_two_questions_of_one_node_are_answered_in_turn(screenplay: Screenplay) -> None:
    def ask(state: MessagesState) -> dict[str, Any]:
        said = f"{interrupt('First?')}, {interrupt('Second?')}, {len(state['messages'])}"
        return {"messages": [AIMessage(said)]}

    graph = in_a_row(("clerk", ask), checkpointer=InMemorySaver())
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(Command(resume="A"), THREAD)
        graph.invoke(Command(resume=False), THREAD)

    assert screenplay(ledger) == [
        ("user", "clerk", "input", "Write it."),
        ("clerk", "user", "reply", "First?"),
        ("user", "clerk", "input", "A"),
        ("clerk", "user", "reply", "Second?"),
        ("user", "clerk", "input", "false"),
        ("clerk", "user", "reply", "A, False, 1"),
    ]


def test_replay_of_a_finished_thread_leaves_the_first_answer_with_the_user(
    screenplay: Screenplay,
) -> None:
    graph = in_a_row(
        ("writer", speaker("A draft.")),
        ("printer", speaker("Printed.")),
        checkpointer=InMemorySaver(),
    )
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        past = next(s for s in graph.get_state_history(THREAD) if s.next == ("printer",))
        graph.invoke(None, past.config)

    assert screenplay(ledger)[2:] == [("printer", "user", "reply", "Printed.")] * 2


def test_the_span_of_who_asks_holds_the_words_of_the_question() -> None:
    graph = in_a_row(("editor", asker("Good?")), checkpointer=InMemorySaver())
    with record() as ledger:
        graph.invoke(ASK, THREAD)
    (incident,) = incidents(ledger.trace)
    assert (incident.kind, incident.text, incident.mark) == ("interrupt", "Good?", "‖")


def test_answer_to_a_tool_reaches_the_agent_that_called_it(
    scripted: Build, screenplay: Screenplay
) -> None:
    @tool
    def book(what: str) -> str:
        """Book something, if a person agrees."""
        return f"{what}: {interrupt('May I?')}"

    call = {"name": "book", "args": {"what": "lamp"}, "id": "1", "type": "tool_call"}
    clerk = create_agent(
        scripted(AIMessage("", tool_calls=[call]), "Booked."), [book], name="clerk"
    )
    graph = in_a_row(("clerk", clerk), checkpointer=InMemorySaver())
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke(Command(resume="You may."), THREAD)

    assert screenplay(ledger)[1:] == [
        ("clerk", "book", "call", 'book(what="lamp")'),
        ("clerk", "user", "reply", "May I?"),
        ("user", "clerk", "input", "You may."),
        ("book", "clerk", "result", "lamp: You may."),
        ("clerk", "user", "reply", "Booked."),
    ]
    rows = {message.id: message.text for message in ledger}
    assert [rows[cause] for cause in ledger.messages[4].cause] == ["You may."]


def test_what_a_person_rewrites_in_the_state_is_the_persons(screenplay: Screenplay) -> None:
    graph = in_a_row(
        ("one", speaker("A draft.")),
        ("two", speaker("Read it.")),
        checkpointer=InMemorySaver(),
        interrupt_before=["two"],
    )
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        draft = graph.get_state(THREAD).values["messages"][-1]
        graph.update_state(THREAD, {"messages": [AIMessage("A better one.", id=draft.id)]})
        graph.invoke(None, THREAD)

    assert screenplay(ledger)[1:] == [
        ("one", "user", "reply", "A draft."),
        ("user", "two", "input", "A better one."),
        ("two", "user", "reply", "Read it."),
    ]


def test_call_that_a_person_changed_is_the_one_that_the_tool_gets(
    scripted: Build, screenplay: Screenplay
) -> None:
    call = {"name": "send", "args": {"text": "x"}, "id": "1", "type": "tool_call"}
    agent = create_agent(
        scripted(AIMessage("", tool_calls=[call]), "Sent."),
        [send],
        name="clerk",
        checkpointer=InMemorySaver(),
        interrupt_before=["tools"],
    )
    with record() as ledger:
        agent.invoke(ASK, THREAD)
        said = agent.get_state(THREAD).values["messages"][-1]
        changed = said.model_copy(update={"tool_calls": [{**call, "args": {"text": "y"}}]})
        agent.update_state(THREAD, {"messages": [changed]})
        agent.invoke(None, THREAD)

    assert [line[:3] for line in screenplay(ledger)[1:]] == [
        ("clerk", "user", "call"),
        ("user", "send", "input"),
        ("send", "clerk", "result"),
        ("clerk", "user", "reply"),
    ]


def test_denied_call_is_answered_in_the_tools_name(scripted: Build) -> None:
    call = {"name": "send", "args": {"text": "x"}, "id": "1", "type": "tool_call"}
    model = scripted(AIMessage("", tool_calls=[call]), "As you like.")
    graph = in_a_row(
        ("clerk", lambda s: {"messages": [model.invoke(s["messages"])]}),
        ("tools", speaker("Never run.")),
        checkpointer=InMemorySaver(),
        interrupt_before=["tools"],
    )
    with record() as ledger:
        graph.invoke(ASK, THREAD)
        graph.invoke({"messages": [ToolMessage("Denied.", tool_call_id="1")]}, THREAD)

    denied = next(message for message in ledger if message.text == "Denied.")
    assert (denied.sender, denied.recipients, denied.kind) == ("send", ("clerk",), "result")
