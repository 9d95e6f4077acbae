"""Real graphs whose agents are at work several times at once, and some whose are not."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send

from linenotes.tracing import (
    Focus,
    Incident,
    Span,
    Trace,
    as_told,
    conversation_page,
    mermaid,
    record,
    told_apart,
)

if TYPE_CHECKING:
    from langgraph.pregel import Pregel

TOPICS = ("cats", "dogs", "eels")


class Topic(TypedDict, total=False):
    topic: str
    found: str
    notes: Annotated[list[str], operator.add]


class Notes(TypedDict):
    notes: Annotated[list[str], operator.add]


class Office(MessagesState):
    notes: Annotated[list[str], operator.add]
    rounds: int


ASK: Office = {"messages": [HumanMessage("Tell me of animals.")], "notes": [], "rounds": 0}


def research(state: Topic) -> Mapping[str, object]:
    return {"notes": [f"All about {state['topic']}."]}


def write(state: Office) -> Mapping[str, object]:
    report = AIMessage(f"Report {state['rounds']}: {' '.join(state['notes'])}")
    return {"messages": [report], "rounds": state["rounds"] + 1}


def office(
    researcher: Any,  # noqa: ANN401  any kind of node
    topics: tuple[str, ...] = TOPICS,
    rounds: int = 1,
) -> Trace:
    """Record a planner that sends topics to researchers, and a writer who is asked again."""
    graph = StateGraph(Office)
    graph.add_node("planner", lambda _: {"messages": [AIMessage("A plan.")]})
    graph.add_node("researcher", researcher)
    graph.add_node("writer", write)
    graph.add_edge(START, "planner")
    sends = [Send("researcher", {"topic": topic}) for topic in topics]
    graph.add_conditional_edges("planner", lambda _: sends, ["researcher"])
    graph.add_edge("researcher", "writer")
    graph.add_conditional_edges(
        "writer", lambda s: END if s["rounds"] >= rounds else "planner", ["planner", END]
    )
    with record() as ledger:
        graph.compile().invoke(ASK)
    return ledger.trace


def team() -> Pregel[Any, Any, Any, Any]:
    graph = StateGraph(Topic, output_schema=Notes)
    graph.add_node("find", lambda s: {"found": f"facts about {s['topic']}"})
    graph.add_node("sum_up", lambda s: {"notes": [f"In short, {s['found']} are thin."]})
    graph.add_edge(START, "find")
    graph.add_edge("find", "sum_up")
    return graph.compile()


def lines(trace: Trace, focus: Focus | None = None) -> set[tuple[str, str, str]]:
    return {
        (m.sender, to, m.text)
        for m in as_told(trace, focus)
        if not isinstance(m, Incident)
        for to in m.recipients
    }


def senders(trace: Trace, focus: Focus | None = None) -> set[str]:
    return {sender for sender, _, _ in lines(trace, focus)}


def test_instances_in_one_superstep_are_numbered_on_both_ends_of_their_messages() -> None:
    trace = office(research)
    told = lines(trace)
    names = {text: sender for sender, to, text in told if to == "writer" and "All" in text}
    assert set(names.values()) == {"researcher#1", "researcher#2", "researcher#3"}
    for topic in TOPICS:
        assert ("planner", names[f"All about {topic}."], topic) in told


def test_the_numbers_are_those_of_the_ledger() -> None:
    trace = office(research)
    numbers = trace.ledger.instances
    for plain, told in zip(trace.messages, told_apart(trace).messages, strict=True):
        if plain.activation is not None:
            assert told.sender == numbers[plain.activation]


@pytest.mark.parametrize("rounds", [1, 3])
def test_one_at_a_time_keeps_the_plain_name(rounds: int) -> None:
    trace = office(research, topics=("cats",), rounds=rounds)
    assert told_apart(trace) == trace
    assert senders(trace) == {"user", "planner", "researcher", "writer"}


def test_graphs_that_are_run_one_after_the_other_are_not_at_once() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("echo", lambda s: {"messages": [AIMessage(f"I heard {len(s['messages'])}")]})
    graph.add_edge(START, "echo")
    app = graph.compile()
    with record() as ledger:
        app.invoke({"messages": [HumanMessage("one")]})
        app.invoke({"messages": [HumanMessage("two")]})
    assert told_apart(ledger.trace) == ledger.trace


def test_every_round_of_a_fan_out_has_its_own_numbers() -> None:
    trace = office(research, topics=("cats", "dogs"), rounds=2)
    assert senders(trace) >= {f"researcher#{number}" for number in (1, 2, 3, 4)}
    assert "researcher#5" not in senders(trace)


def test_what_is_inside_an_instance_is_named_after_it() -> None:
    trace = office(team())
    told = lines(trace)
    finders = {sender for sender, to, _ in told if to.endswith("/sum_up")}
    assert finders == {f"researcher#{number}/find" for number in (1, 2, 3)}
    for sender, to, text in told:
        if text.startswith("facts"):
            assert to == sender.replace("find", "sum_up"), "each talks to its own"


def test_who_reads_later_is_the_one_inside_of_the_same_instance() -> None:
    for message in told_apart(office(team())).messages:
        if message.text in TOPICS:
            (finder,) = message.recipients
            assert message.seen_by == (finder.replace("find", "sum_up"),)


def test_a_depth_takes_each_instance_together_by_itself() -> None:
    together = lines(office(team()), Focus(depth=1))
    assert {to for _, to, text in together if text in TOPICS} == {
        "researcher#1",
        "researcher#2",
        "researcher#3",
    }
    assert not any("/" in name for sender, to, _ in together for name in (sender, to))


def test_an_actor_is_all_of_its_instances_or_one() -> None:
    trace = office(team())
    both = lines(trace, Focus(actor="researcher"))
    assert len({text for _, _, text in both if text in TOPICS}) == 3
    one = lines(trace, Focus(actor="researcher#2"))
    assert len({text for _, _, text in one if text in TOPICS}) == 1
    assert {s for s, _, _ in one} == {"planner", "researcher#2/find", "researcher#2/sum_up"}
    assert len(lines(trace, Focus(actor="find"))) == 6


def test_an_error_is_that_of_the_instance_that_failed() -> None:
    def picky(state: Topic) -> Mapping[str, object]:
        if state["topic"] == "eels":
            raise TimeoutError("no answer")
        return research(state)

    graph = StateGraph(Office)
    graph.add_node("researcher", picky)
    sends = [Send("researcher", {"topic": topic}) for topic in TOPICS]
    graph.add_conditional_edges(START, lambda _: sends, ["researcher"])
    app = graph.compile()
    with pytest.raises(TimeoutError), record() as ledger:
        app.invoke(ASK)
    told = as_told(ledger.trace)
    (failed,) = (item.actor for item in told if isinstance(item, Incident))
    assert failed is not None
    assert failed.startswith("researcher#")
    assert (failed, "eels") in {(to, text) for _, to, text in lines(ledger.trace)}


def test_a_page_and_a_diagram_tell_them_apart() -> None:
    trace = office(research)
    page, diagram = conversation_page(trace), mermaid(as_told(trace))
    for number in (1, 2, 3):
        assert f">researcher#{number}</bdi>" in page
        assert f"as researcher#35;{number}\n" in diagram
    assert told_apart(told_apart(trace)) == told_apart(trace)


def test_where_no_superstep_is_known_it_is_time_that_tells() -> None:
    def agent(name: str, start: int, end: int | None) -> Span:
        return Span(
            name, None, "expert", "AGENT", start, end, attributes={"gen_ai.agent.name": "x"}
        )

    trace = replace(office(research), messages=(), spans=(agent("1", 0, 5), agent("2", 5, 9)))
    assert told_apart(trace) == trace
    open_ = replace(trace, spans=(agent("1", 0, None), agent("2", 5, 9)))
    names = [span.attributes["gen_ai.agent.name"] for span in told_apart(open_).spans]
    assert names == ["x#1", "x#2"]
