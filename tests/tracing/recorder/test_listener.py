"""What goes wrong in graphs, and how often: retries, exceptions, limits, cancellation, load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import (
    Command,
    RetryPolicy,
    Send,
    StreamMode,
    TracePolicy,
    omit_payload,
)

from linenotes.tracing import Ledger, Trace, record

Build = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "Go.")]}


def speaker(text: str) -> Build:
    return lambda _: {"messages": [AIMessage(text)]}


def in_a_row(
    *nodes: tuple[str, Any],
    retry_policy: RetryPolicy | None = None,
    trace_policy: TracePolicy | None = None,
) -> Graph:
    graph = StateGraph(MessagesState)
    before = START
    for name, node in nodes:
        graph.add_node(name, node, retry_policy=retry_policy, trace_policy=trace_policy)
        graph.add_edge(before, name)
        before = name
    return graph.compile()


def test_retried_node_is_one_activation_with_its_failures_in_spans(
    screenplay: Screenplay,
) -> None:
    failures = [ConnectionError("down"), ConnectionError("still down")]

    def flaky(_: MessagesState) -> dict[str, Any]:
        if failures:
            raise failures.pop(0)
        return {"messages": [AIMessage("Up again.")]}

    graph = in_a_row(
        ("flaky", flaky),
        ("reader", speaker("Read.")),
        retry_policy=RetryPolicy(initial_interval=0.001, jitter=False),
    )
    with record() as ledger:
        graph.invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "flaky", "input", "Go."),
        ("flaky", "reader", "reply", "Up again."),
        ("reader", "user", "reply", "Read."),
    ]
    tries = [span for span in ledger.trace.spans if span.name == "flaky"]
    assert [span.status for span in tries] == ["ERROR", "ERROR", "OK"]
    assert len({span.attributes["linenotes.activation"] for span in tries}) == 1
    assert ledger.trace.state == "OK"


def test_each_paid_call_of_a_retried_node_is_counted(scripted: Build) -> None:
    model = scripted("A thought.")
    failures = [ConnectionError("down")]

    def flaky(state: MessagesState) -> dict[str, Any]:
        said = model.invoke(state["messages"])
        if failures:
            raise failures.pop()
        return {"messages": [said]}

    with record() as ledger:
        in_a_row(
            ("flaky", flaky), retry_policy=RetryPolicy(initial_interval=0.001, jitter=False)
        ).invoke(ASK)

    assert ledger.calls == 2
    assert [m.recipients for m in ledger if m.sampled] == [(), ("user",)]
    assert len({m.activation for m in ledger if m.sampled}) == 1


def test_removed_messages_keep_their_rows(screenplay: Screenplay) -> None:
    def forget(state: MessagesState) -> dict[str, Any]:
        gone = RemoveMessage(str(state["messages"][0].id))
        return {"messages": [gone, AIMessage("Forgot one.")]}

    def forget_all(_: MessagesState) -> dict[str, Any]:
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage("Forgot all.")]}

    with record() as ledger:
        in_a_row(("a", forget), ("b", forget_all), ("c", speaker("Who am I?"))).invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "a", "input", "Go."),
        ("a", "b", "reply", "Forgot one."),
        ("b", "c", "reply", "Forgot all."),
        ("c", "user", "reply", "Who am I?"),
    ]
    assert ledger.messages[0].seen_by == ()


def test_exception_in_a_fan_out_keeps_the_others_words(screenplay: Screenplay) -> None:
    def fail(state: MessagesState) -> dict[str, Any]:
        raise ValueError(f"boom after {len(state)}")

    graph = StateGraph(MessagesState)
    graph.add_node("good", speaker("Fine."))
    graph.add_node("bad", fail)
    graph.add_edge(START, "good")
    graph.add_edge(START, "bad")
    with pytest.raises(ValueError, match="boom"), record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "bad, good", "input", "Go."),
        ("good", "", "reply", "Fine."),
    ]
    status = {span.name: span.status for span in ledger.trace.spans}
    assert status == {"LangGraph": "ERROR", "good": "OK", "bad": "ERROR"}


def test_recursion_limit_is_the_graphs_error(screenplay: Screenplay) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("ping", speaker("Ping."))
    graph.add_node("pong", speaker("Pong."))
    graph.add_edge(START, "ping")
    graph.add_edge("ping", "pong")
    graph.add_edge("pong", "ping")
    with pytest.raises(GraphRecursionError), record() as ledger:
        graph.compile().invoke(ASK, {"recursion_limit": 4})

    assert [line[0] for line in screenplay(ledger)] == ["user", "ping", "pong", "ping", "pong"]
    assert str(ledger.trace.error).startswith("GraphRecursionError")


async def test_timeout_shows_who_was_at_work(screenplay: Screenplay) -> None:
    async def slow(_: MessagesState) -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    graph = in_a_row(("quick", speaker("Here.")), ("slow", slow))
    with record() as ledger, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await graph.ainvoke(ASK)

    assert screenplay(ledger) == [
        ("user", "quick", "input", "Go."),
        ("quick", "slow", "reply", "Here."),
    ]
    assert ledger.trace.error == "CancelledError"


def test_trace_policy_hides_nothing_from_the_ledger(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("Said.")
    graph = in_a_row(
        ("one", lambda state: {"messages": [model.invoke(state["messages"])]}),
        ("two", speaker("Heard.")),
        trace_policy=TracePolicy(process_inputs=omit_payload, process_outputs=omit_payload),
    )
    with record() as ledger:
        graph.invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "one", "input", "Go."),
        ("one", "two", "reply", "Said."),
        ("two", "user", "reply", "Heard."),
    ]


class Outer(TypedDict, total=False):
    question: str
    answer: str


class Middle(TypedDict, total=False):
    topic: str
    finding: str


class Inner(TypedDict, total=False):
    word: str
    meaning: str


def one_node(state: type[Any], name: str, node: Build) -> Graph:
    graph = StateGraph(state)
    graph.add_node(name, node)
    graph.add_edge(START, name)
    return graph.compile()


def test_three_graphs_deep_with_states_of_their_own(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("a sea mammal")
    lexicon = one_node(
        Inner, "lexicon", lambda s: {"meaning": model.invoke(f"Define {s['word']}").content}
    )
    library = one_node(
        Middle,
        "library",
        lambda s: {"finding": f"It is {lexicon.invoke({'word': s['topic']})['meaning']}."},
    )
    graph = one_node(
        Outer,
        "clerk",
        lambda s: {
            "answer": f"Yes: {library.invoke({'topic': s['question'].split()[-1]})['finding']}"
        },
    )
    with record() as ledger:
        graph.invoke({"question": "What is an otter"})

    assert screenplay(ledger) == [
        ("user", "clerk", "input", "What is an otter"),
        ("clerk", "clerk/library", "delegate", "otter"),
        ("clerk/library", "clerk/library/lexicon", "delegate", "otter"),
        ("clerk/library/lexicon", "clerk/library", "reply", "a sea mammal"),
        ("clerk/library", "clerk", "state", "It is a sea mammal."),
        ("clerk", "user", "state", "Yes: It is a sea mammal."),
    ]
    texts = {m.id: m.text for m in ledger}
    why = {m.text: [texts[cause] for cause in m.cause] for m in ledger}
    assert why["It is a sea mammal."] == ["a sea mammal"]
    assert why["Yes: It is a sea mammal."] == ["It is a sea mammal."]


def test_sends_from_a_subgraph_to_its_parent(screenplay: Screenplay) -> None:
    def leave(_: MessagesState) -> Command[Any]:
        errands = [Send("out", {"messages": [HumanMessage(f"Do {n}.")]}) for n in (1, 2)]
        return Command(graph=Command.PARENT, goto=errands)

    inner = in_a_row(("inner", leave))
    graph = StateGraph(MessagesState)
    graph.add_node("sub", inner)
    graph.add_node("out", lambda s: {"messages": [AIMessage(f"Did {s['messages'][-1].text}")]})
    graph.add_node("join", speaker("All done."))
    graph.add_edge(START, "sub")
    graph.add_edge("out", "join")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "sub/inner", "input", "Go."),
        ("sub/inner", "out", "handoff", "Do 1."),
        ("sub/inner", "out", "handoff", "Do 2."),
        ("out", "join", "reply", "Did Do 1."),
        ("out", "join", "reply", "Did Do 2."),
        ("join", "user", "reply", "All done."),
    ]
    names = [ledger.instances[m.activation] for m in ledger if m.sender == "out" and m.activation]
    assert names == ["out#1", "out#2"]


def test_content_blocks_are_kept_and_read_as_text(scripted: Build, screenplay: Screenplay) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked: Any = {"messages": [HumanMessage([{"type": "text", "text": "What is this?"}, picture])]}
    model = scripted(AIMessage([{"type": "text", "text": "A cat"}, {"type": "text", "text": "."}]))
    with record() as ledger:
        in_a_row(("eye", lambda s: {"messages": [model.invoke(s["messages"])]})).invoke(asked)

    assert screenplay(ledger) == [
        ("user", "eye", "input", "What is this?"),
        ("eye", "user", "reply", "A cat."),
    ]
    assert "data:image/png" in str(ledger.messages[0].content)


async def test_fifty_runs_at_once_keep_their_tool_ids_and_words_apart(scripted: Build) -> None:
    async def sample(number: int) -> Trace:
        model = scripted(f"reply {number}")

        async def speak(state: MessagesState) -> dict[str, Any]:
            await asyncio.sleep(0.001)
            return {"messages": [await model.ainvoke(state["messages"])]}

        graph = in_a_row(("one", speak), ("two", speak))
        with record() as ledger:
            await graph.ainvoke({"messages": [HumanMessage(f"ask {number}", id="same id")]})
        return ledger.trace

    traces = await asyncio.gather(*(sample(number) for number in range(50)))

    for number, trace in enumerate(traces):
        assert [m.text for m in trace.messages] == [f"ask {number}", *[f"reply {number}"] * 2]


def calls_of_the_recorder(messages: int) -> int:
    """Count the functions of the recorder that run while two agents talk."""
    counted = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call" and "recorder" in frame.f_code.co_filename

    graph = StateGraph(MessagesState)
    for name, other in (("ping", "pong"), ("pong", "ping")):
        graph.add_node(name, speaker(f"I am {name}."))
        graph.add_conditional_edges(
            name, lambda s, o=other: END if len(s["messages"]) == messages else o
        )
    graph.add_edge(START, "ping")
    with record() as ledger:
        sys.setprofile(count)
        try:
            graph.compile().invoke(ASK, {"recursion_limit": messages})
        finally:
            sys.setprofile(None)
    assert len(ledger) == messages
    return counted


def test_work_grows_linearly_with_the_conversation() -> None:
    calls_of_the_recorder(10)
    short, long = calls_of_the_recorder(50), calls_of_the_recorder(500)

    assert long < 11 * short


def test_call_of_a_tool_that_the_user_runs_goes_to_the_user(
    scripted: Build, screenplay: Screenplay
) -> None:
    call = {"name": "open_door", "args": {}, "id": "1", "type": "tool_call"}
    model = scripted(AIMessage("", tool_calls=[call]))
    with record() as ledger:
        in_a_row(("robot", lambda s: {"messages": [model.invoke(s["messages"])]})).invoke(ASK)

    assert screenplay(ledger)[-1] == ("robot", "user", "call", "open_door()")


class Counted(TypedDict, total=False):
    question: str
    rounds: int


def test_change_of_the_state_that_nobody_reads_is_no_message(screenplay: Screenplay) -> None:
    graph = StateGraph(Counted, output_schema=Outer)
    graph.add_node("counter", lambda _: {"rounds": 7})
    graph.add_edge(START, "counter")
    with record() as ledger:
        graph.compile().invoke({"question": "How often?"})

    assert screenplay(ledger) == [("user", "counter", "input", "How often?")]
    assert "counter" in {span.name for span in ledger.trace.spans}


@pytest.mark.parametrize(
    "mode", ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]
)
def test_streams_of_subgraphs_are_heard_in_every_mode(
    screenplay: Screenplay, mode: StreamMode
) -> None:
    graph = in_a_row(("team", in_a_row(("writer", speaker("Here.")))), ("critic", speaker("Fine.")))
    with record() as ledger:
        list(graph.stream(ASK, stream_mode=[mode, "updates"], subgraphs=True))

    assert screenplay(ledger) == [
        ("user", "team/writer", "input", "Go."),
        ("team/writer", "critic", "reply", "Here."),
        ("critic", "user", "reply", "Fine."),
    ]


def test_model_with_callbacks_of_its_own_speaks_for_its_node(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("Going.")

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"], config={"callbacks": []})]}

    with record() as ledger:
        in_a_row(("walker", node)).invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "walker", "input", "Go."),
        ("walker", "user", "reply", "Going."),
    ]


def test_user_sees_the_last_word_though_somebody_read_it_before(screenplay: Screenplay) -> None:
    with record() as ledger:
        in_a_row(("one", speaker("Last word.")), ("keeper", lambda _: {})).invoke(ASK)

    assert screenplay(ledger)[-1] == ("one", "keeper", "reply", "Last word.")
    assert ledger.messages[-1].seen_by == ("user",)
