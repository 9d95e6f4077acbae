"""What stands in the live log at any moment is what the trace will say, without the prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.project import Project, Settings
from linenotes.tracing import Message, Span, Trace, live_traces, record

Build = Callable[..., Any]
ASK: Any = {"messages": [("user", "My card is gone.")]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    return Project(root=tmp_path, settings=Settings())


def only(project: Project) -> Trace:
    [live] = live_traces(project)
    return live.trace


def said(message: Message) -> tuple[object, ...]:
    return (message.id, message.kind, message.sender, message.recipients, message.text)


def skeletons(trace: Trace) -> set[tuple[object, ...]]:
    """The spans that are work, and not mere ticks for what was handed over."""
    return {_skeleton(span) for span in trace.spans if span.type != "HANDOFF"}


def _skeleton(span: Span) -> tuple[object, ...]:
    return (span.span_id, span.parent_id, span.name, span.type, span.start_ns, span.end_ns)


def test_an_ended_log_says_what_the_trace_says(support_desk: Build, project: Project) -> None:
    with record(agent="desk", case="c1", sample=2, project=project, durable=True) as ledger:
        support_desk().invoke(ASK)

    live, trace = only(project), ledger.trace
    assert [said(m) for m in live.messages] == [said(m) for m in trace.messages]
    assert [m.cause for m in live.messages] == [m.cause for m in trace.messages]
    assert [m.tokens for m in live.messages] == [m.tokens for m in trace.messages]
    assert skeletons(live) == skeletons(trace)
    assert (live.name, live.case, live.sample, live.state) == ("desk", "c1", 2, "OK")
    assert (live.request, live.response) == (trace.request, trace.response)


def test_a_node_that_executes_tools_is_no_agent(
    researcher_and_writer: Build, project: Project
) -> None:
    with record(project=project, durable=True) as ledger:
        researcher_and_writer().invoke(ASK)

    live = only(project)
    assert skeletons(live) == skeletons(ledger.trace)
    assert [s.name for s in live.spans if s.type == "AGENT"] == [
        "researcher", "researcher", "writer",
    ]  # fmt: skip


def test_the_agent_at_work_is_running_and_has_what_it_was_given(project: Project) -> None:
    seen: list[Trace] = []

    def speaker(state: MessagesState) -> dict[str, Any]:
        seen.append(only(project))
        return {"messages": [AIMessage("hello")]}

    graph = StateGraph(MessagesState)
    graph.add_node("one", speaker)
    graph.add_node("two", speaker)
    graph.add_edge(START, "one")
    graph.add_edge("one", "two")
    with record(project=project, durable=True):
        graph.compile().invoke(ASK)

    assert [trace.state for trace in seen] == ["IN_PROGRESS", "IN_PROGRESS"]
    assert [trace.running for trace in seen] == [("one",), ("two",)]
    assert [[(m.sender, m.recipients) for m in trace.messages] for trace in seen] == [
        [("user", ("one",))],
        [("user", ("one",)), ("one", ("two",))],
    ]


def test_no_prompt_is_written(support_desk: Build, project: Project) -> None:
    with record(project=project, durable=True) as ledger:
        support_desk().invoke(ASK)

    [file] = project.live.iterdir()
    assert b"You are triage." in ledger.trace.to_json()
    assert b"You are triage." not in file.read_bytes()


def test_a_failure_is_noted_where_it_arose(chain: Build, project: Project) -> None:
    with pytest.raises(RuntimeError), record(project=project, durable=True):
        chain("the plan", RuntimeError("no paper left"), "").invoke({"question": "Why?"})

    live = only(project)
    assert live.state == "ERROR"
    assert live.error == "RuntimeError: no paper left"
    failed = {span.name for span in live.spans if span.status == "ERROR"}
    assert failed >= {"worker", "chat scripted-1"}


def test_what_no_json_can_hold_is_written_out(project: Project) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("one", lambda _: {"messages": [AIMessage("half an emoji: \ud83d")]})
    graph.add_edge(START, "one")
    with record(project=project, durable=True):
        graph.compile().invoke(ASK)

    assert only(project).messages[-1].text == "half an emoji: \\ud83d"


def test_without_durable_nothing_is_written(
    chain: Build, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    with record():
        chain().invoke({"question": "Why?"})

    assert not project.state.exists()


def test_the_log_knows_the_conversation_that_it_belongs_to(project: Project) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("robot", lambda _: {"messages": [AIMessage("Hello.")]})
    graph.add_edge(START, "robot")
    config: Any = {"configurable": {"thread_id": 7}}
    with record(durable=True, project=project) as ledger:
        graph.compile(checkpointer=InMemorySaver()).invoke(ASK, config)

    assert only(project).thread == ledger.trace.thread == "7"
