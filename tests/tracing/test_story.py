from __future__ import annotations

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from linenotes.tracing import Ledger, LiveLedger, Message, one_story, record

Update = dict[str, list[BaseMessage]]


def told_in_two_parts() -> tuple[LiveLedger, LiveLedger]:
    """Return the ledgers of a graph that waited for a person, before and after."""
    model = GenericFakeChatModel(messages=iter([AIMessage("paint it"), AIMessage("painted")]))

    def planner(state: MessagesState) -> Update:
        return {"messages": [model.invoke(state["messages"])]}

    def foreman(state: MessagesState) -> Update:
        answer = interrupt(state["messages"][-1].content)
        return {"messages": [HumanMessage(f"approved: {answer}")]}

    def painter(state: MessagesState) -> Update:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node(planner)
    graph.add_node(foreman)
    graph.add_node(painter)
    graph.add_edge(START, "planner")
    graph.add_edge("planner", "foreman")
    graph.add_edge("foreman", "painter")
    app = graph.compile(checkpointer=InMemorySaver())
    with record() as before:
        app.invoke({"messages": [HumanMessage("the fence")]}, {"configurable": {"thread_id": "t"}})
    with record() as after:
        app.invoke(Command(resume="yes"), {"configurable": {"thread_id": "t"}})
    return before, after


def test_what_a_thread_held_before_stands_once_in_its_story() -> None:
    story = one_story(told_in_two_parts())
    spoken = [(m.sender, m.text) for m in story if m.text != "yes"]
    assert spoken == [
        ("user", "the fence"),
        ("planner", "paint it"),
        ("foreman", "paint it"),
        ("foreman", "approved: yes"),
        ("painter", "painted"),
    ]
    assert "painter" in story.messages[1].seen_by


def test_a_story_is_told_in_the_order_in_which_it_happened() -> None:
    before, after = told_in_two_parts()
    assert one_story([after, before]) == one_story([before, after])


def test_the_traces_of_a_thread_name_it() -> None:
    before, after = told_in_two_parts()
    assert (before.trace.thread, before.trace.state) == ("t", "IN_PROGRESS")
    assert (after.trace.thread, after.trace.state) == ("t", "OK")


def test_causes_reach_across_the_parts() -> None:
    story = one_story(told_in_two_parts())
    ids = {message.id for message in story}
    assert len(ids) == len(story)
    assert all(cause in ids for message in story for cause in message.cause)


def test_messages_without_an_id_are_never_taken_for_one_another() -> None:
    part = Ledger((Message("message-0", "input", "user", "again"),))
    assert [m.text for m in one_story([part, part])] == ["again", "again"]
