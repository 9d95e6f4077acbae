"""The `record()` block: what it hears, when it tells, and that blocks never mix."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt

from linenotes.tracing import LiveLedger, Message, Trace, record

Build = Callable[..., Any]
Node = Callable[..., Any]
ASK: Any = {"messages": [("user", "My card is gone.")]}


def test_ledger_becomes_a_finished_trace(support_desk: Build) -> None:
    with record(agent="desk", case="case-1", sample=2, trace_id="tr-" + "0" * 32) as ledger:
        support_desk().invoke(ASK)

    trace = ledger.trace
    assert (trace.trace_id, trace.name, trace.case, trace.sample, trace.state) == (
        "tr-" + "0" * 32,
        "desk",
        "case-1",
        2,
        "OK",
    )
    assert trace.request == "My card is gone."
    assert trace.response == "Dear customer: Answer for freeze_account."
    assert trace.messages == ledger.messages
    assert trace.end_ns is not None
    assert trace.start_ns < trace.end_ns
    assert Trace.from_json(trace.to_json()) == trace


def test_trace_is_named_after_the_graph_and_has_a_random_id(support_desk: Build) -> None:
    ids = set()
    for _ in range(2):
        with record() as ledger:
            support_desk().invoke(ASK)
        ids.add(ledger.trace_id)
        assert ledger.trace.trace_id == ledger.trace_id
        assert ledger.trace.name == "support_desk"

    assert len(ids) == 2
    assert all(len(i) == 35 and i.startswith("tr-") for i in ids)


def test_ledger_can_be_read_while_a_graph_runs() -> None:
    seen: list[tuple[int, str]] = []

    def speaker(state: MessagesState) -> dict[str, Any]:
        seen.append((len(ledger), ledger.trace.state))
        return {"messages": [AIMessage("hello")]}

    graph = StateGraph(MessagesState)
    graph.add_node("one", speaker)
    graph.add_node("two", speaker)
    graph.add_edge(START, "one")
    graph.add_edge("one", "two")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert seen == [(1, "IN_PROGRESS"), (2, "IN_PROGRESS")]


def test_each_message_is_announced_once_with_its_recipients(
    support_desk: Build, play: Build
) -> None:
    told: list[Message] = []
    with record(on_message=told.append) as ledger:
        play(support_desk(opinions=("wrong team", "agreed")), ASK)

    key = [(m.id, m.sender, m.kind, m.text) for m in ledger]
    assert sorted((m.id, m.sender, m.kind, m.text) for m in told) == sorted(key)
    assert told[0].recipients == ("triage",)
    assert set(told[1].recipients) == {"specialist", "reviewer"}
    assert told[-1].recipients == ("user",)


async def test_message_is_announced_before_its_recipient_answers(chain: Build) -> None:
    told: list[Message] = []
    heard_by_then: list[tuple[str, ...]] = []

    async def wait() -> None:
        await asyncio.sleep(0.01)
        heard_by_then.append(tuple(m.sender for m in told))

    with record(on_message=told.append):
        await chain(wait=wait).ainvoke({"question": "What now?"})

    assert heard_by_then == [(), ("user",), ("user", "planner")]


async def test_fan_out_is_announced_with_all_recipients_before_they_answer(
    scripted: Build,
) -> None:
    told: list[Message] = []
    go = asyncio.Event()

    def node(name: str) -> Node:
        model = scripted(name)

        async def speak(state: MessagesState) -> dict[str, Any]:
            said = await model.ainvoke(state["messages"])
            await go.wait()
            return {"messages": [said]}

        return speak

    graph = StateGraph(MessagesState)
    for name in ("left", "right"):
        graph.add_node(name, node(name))
        graph.add_edge(START, name)
    with record(on_message=told.append):
        running = asyncio.create_task(graph.compile().ainvoke(ASK))
        await asyncio.sleep(0.05)
        assert [set(m.recipients) for m in told] == [{"left", "right"}]
        go.set()
        await running


def test_failing_listener_is_reported_when_the_block_ends(support_desk: Build) -> None:
    def fail(message: Message) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), record(on_message=fail) as ledger:
        result = support_desk().invoke(ASK)

    assert result["messages"][-1].content.startswith("Dear customer")
    assert len(ledger.trace.messages) == 5


async def test_fifty_concurrent_recordings_never_mix(chain: Build) -> None:
    async def sample(number: int) -> Trace:
        graph = chain(*(f"{role} {number}" for role in "abc"), wait=lambda: asyncio.sleep(0.001))
        with record(case=str(number)) as ledger:
            await graph.ainvoke({"question": f"question {number}"})
        return ledger.trace

    traces = await asyncio.gather(*(sample(number) for number in range(50)))

    for number, trace in enumerate(traces):
        assert trace.case == str(number)
        assert [m.text for m in trace.messages] == [
            f"question {number}",
            *(f"{role} {number}" for role in "abc"),
        ]
        assert len(trace.spans) == 7
    assert len({trace.trace_id for trace in traces}) == 50


def test_recordings_in_threads_never_mix(support_desk: Build) -> None:
    def sample(number: int) -> list[str]:
        with record() as ledger:
            support_desk(team=f"team {number}").invoke(ASK)
        return [message.text for message in ledger]

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(sample, range(24)))

    assert [said[1] for said in texts] == [f"team {number}" for number in range(24)]
    assert {len(said) for said in texts} == {5}


def test_inner_block_has_a_trace_of_its_own(chain: Build) -> None:
    with record() as outer:
        chain().invoke({"question": "first"})
        with record() as inner:
            chain().invoke({"question": "second"})
        chain().invoke({"question": "third"})

    assert [m.text for m in inner if m.kind == "input"] == ["second"]
    assert [m.text for m in outer if m.kind == "input"] == ["first", "third"]


def test_nothing_is_heard_outside_of_the_block(chain: Build) -> None:
    graph = chain()
    with record() as ledger:
        pass
    graph.invoke({"question": "unheard"})

    assert ledger.messages == ()
    assert ledger.trace.state == "OK"
    assert [span.type for span in ledger.trace.spans] == ["WORKFLOW"]


def test_exception_in_a_node_keeps_what_was_said(chain: Build) -> None:
    with pytest.raises(RuntimeError), record() as ledger:
        chain("the plan", RuntimeError("The model is down."), "never").invoke({"question": "?"})

    trace = ledger.trace
    assert trace.state == "ERROR"
    assert trace.error == "RuntimeError: The model is down."
    assert [(m.sender, m.recipients, m.text) for m in ledger] == [
        ("user", ("planner",), "?"),
        ("planner", ("worker",), "the plan"),
    ]


def test_exception_that_the_script_handles_leaves_the_next_graph_in_peace(chain: Build) -> None:
    with record() as ledger:
        with pytest.raises(RuntimeError):
            chain(RuntimeError("Once."), "", "").invoke({"question": "?"})
        chain().invoke({"question": "?"})

    assert ledger.trace.state == "OK"
    assert ledger.trace.response == "the answer"


def test_exception_of_the_script_itself_is_the_traces(chain: Build) -> None:
    kept: list[LiveLedger] = []

    def script() -> None:
        with record() as ledger:
            kept.append(ledger)
            chain().invoke({"question": "?"})
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        script()

    (ledger,) = kept
    assert ledger.trace.state == "ERROR"
    assert ledger.trace.error == "ValueError: mine"
    assert ledger.trace.spans[0].events[0].name == "exception"


async def test_cancelled_graph_is_an_error(chain: Build) -> None:
    with record() as ledger:
        graph = chain(wait=lambda: asyncio.sleep(9))
        task = asyncio.create_task(graph.ainvoke({"question": "?"}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert ledger.trace.state == "ERROR"
    assert ledger.trace.error == "CancelledError"
    assert [(m.text, m.recipients) for m in ledger] == [("?", ("planner",))]


async def test_graph_that_outlives_its_block_is_in_progress(chain: Build) -> None:
    with record() as ledger:
        graph = chain(wait=lambda: asyncio.sleep(9))
        task = asyncio.create_task(graph.ainvoke({"question": "?"}))
        await asyncio.sleep(0.05)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.trace.state == "IN_PROGRESS"
    assert [(m.text, m.recipients) for m in ledger] == [("?", ("planner",))]
    assert [(s.name, s.end_ns) for s in ledger.trace.spans[1:]] == [("planner", None)]


def test_stream_that_is_left_early_is_no_error(chain: Build) -> None:
    with record() as ledger:
        stream = chain().stream({"question": "?"}, stream_mode="updates")
        next(stream)
        stream.close()

    assert ledger.trace.state == "OK"
    assert ledger.trace.error is None
    assert [m.text for m in ledger] == ["?", "the plan"]


def test_graph_that_waits_for_a_person_is_in_progress() -> None:
    def editor(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"The person said {interrupt('Is it good?')}.")]}

    graph = StateGraph(MessagesState)
    graph.add_node(editor)
    graph.add_edge(START, "editor")
    compiled = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    with record() as waiting:
        compiled.invoke(ASK, config)
    with record() as resumed:
        compiled.invoke(Command(resume="yes"), config)

    assert waiting.trace.state == "IN_PROGRESS"
    assert waiting.trace.error is None
    span = waiting.trace.spans[1]
    assert (span.name, span.status, span.events[0].name) == ("editor", "UNSET", "interrupt")
    assert resumed.trace.state == "OK"
    assert resumed.trace.response == "The person said yes."


class Heavy:
    """Something big in the state."""


class HeavyState(TypedDict, total=False):
    question: str
    thing: Heavy


def test_finished_recording_keeps_nothing_of_the_graphs_run() -> None:
    alive: list[weakref.ref[object]] = []

    def node(state: HeavyState) -> dict[str, Any]:
        heavy = Heavy()
        alive.append(weakref.ref(heavy))
        return {"thing": heavy}

    graph = StateGraph(HeavyState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    with record() as ledger:
        graph.compile().invoke({"question": "?"})

    gc.collect()
    assert ledger.trace.state == "OK"
    assert [ref() for ref in alive] == [None]


def test_event_that_defeats_the_recorder_is_reported_and_harms_nothing() -> None:
    def node(state: MessagesState) -> dict[str, Any]:
        broken = AIMessage("hello")
        vars(broken)["response_metadata"] = None
        return {"messages": [broken]}

    graph = StateGraph(MessagesState)
    graph.add_node(node)
    graph.add_edge(START, "node")
    with pytest.warns(RuntimeWarning, match="The recorder failed on 1 events"), record() as ledger:
        result = graph.compile().invoke(ASK)

    assert result["messages"][-1].content == "hello"
    assert ledger.trace.state == "OK"


def test_door_is_light() -> None:
    heavy = "{'langchain_core', 'langgraph', 'mlflow', 'opentelemetry'}"
    code = f"import sys, linenotes.tracing; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


class _MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("No words.")


def test_the_graphs_own_exception_comes_through_whatever_it_is(chain: Build) -> None:
    with pytest.raises(_MuteError), record() as ledger:
        chain(_MuteError(), "never", "never").invoke({"question": "?"})

    assert (ledger.trace.state, ledger.trace.error) == ("ERROR", "_MuteError: <_MuteError>")


def test_a_trace_that_cannot_be_built_is_a_bare_one(
    chain: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("linenotes.tracing.recorder._recording.build_trace", fail)
    with pytest.warns(RuntimeWarning, match="too deep"), record(case="c1") as ledger:
        chain().invoke({"question": "?"})

    assert (ledger.trace.state, ledger.trace.case, ledger.trace.spans) == ("OK", "c1", ())
    assert [message.text for message in ledger][-1] == "the answer"


@pytest.mark.parametrize("levels", [1, 5_000])
def test_a_value_that_does_not_end_is_cut(levels: int) -> None:
    value: dict[str, object] = {"more": 1}
    inner = value
    for _ in range(levels):
        inner["inside"] = inner = {"more": 1}
    if levels == 1:
        inner["inside"] = value
    graph = StateGraph(MessagesState)
    graph.add_node("maker", lambda _: Command(goto=Send("reader", value)))
    graph.add_node("reader", lambda _: {"messages": [AIMessage("Read.")]})
    graph.add_edge(START, "maker")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert [message.kind for message in ledger.trace.messages] == ["input", "handoff", "reply"]
    assert ledger.trace.spans
