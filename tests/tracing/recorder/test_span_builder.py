"""The span tree: nesting, names, types, contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.tracing import Span, Trace, record

Build = Callable[..., Any]
ASK: Any = {"messages": [("user", "My card is gone.")]}


def tree(trace: Trace) -> list[tuple[str, str, str | None]]:
    """The spans as (type, name, name of the parent), sorted."""
    names = {span.span_id: span.name for span in trace.spans}
    rows = [(s.type, s.name, names[s.parent_id] if s.parent_id else None) for s in trace.spans]
    return sorted(rows, key=str)


def named(trace: Trace, name: str) -> Span:
    return next(span for span in trace.spans if span.name == name)


def test_agents_contain_their_model_calls_and_handoffs(support_desk: Build, play: Build) -> None:
    with record() as ledger:
        play(support_desk(), ASK)

    assert tree(ledger.trace) == [
        ("AGENT", "desk", "support_desk"),
        ("AGENT", "reviewer", "support_desk"),
        ("AGENT", "specialist", "support_desk"),
        ("AGENT", "triage", "support_desk"),
        ("CHAT_MODEL", "chat scripted-1", "reviewer"),
        ("CHAT_MODEL", "chat scripted-1", "specialist"),
        ("CHAT_MODEL", "chat scripted-1", "triage"),
        ("HANDOFF", "triage → reviewer", "triage"),
        ("HANDOFF", "triage → specialist", "triage"),
        ("WORKFLOW", "support_desk", None),
    ]


def test_parents_come_before_children_and_last_longer(support_desk: Build, play: Build) -> None:
    with record() as ledger:
        play(support_desk(), ASK)

    seen: dict[str, Span] = {}
    for span in ledger.trace.spans:
        assert span.end_ns is not None
        if span.parent_id is not None:
            parent = seen[span.parent_id]
            assert parent.end_ns is not None
            assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns
        seen[span.span_id] = span
    assert len(seen) == len(ledger.trace.spans)


def test_tools_stand_beside_the_agent_that_called_them(researcher_and_writer: Build) -> None:
    with record(agent="team") as ledger:
        researcher_and_writer().invoke({"messages": [("user", "Item 3?")]})

    assert [(span.type, span.name) for span in ledger.trace.spans] == [
        ("WORKFLOW", "team"),
        ("AGENT", "researcher"),
        ("CHAT_MODEL", "chat scripted-1"),
        ("TOOL", "lookup"),
        ("AGENT", "researcher"),
        ("CHAT_MODEL", "chat scripted-1"),
        ("AGENT", "writer"),
        ("CHAT_MODEL", "chat scripted-1"),
    ]
    tool = named(ledger.trace, "lookup")
    assert tool.inputs == {"item": 3}
    assert tool.outputs == "value 3"
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert tool.attributes["gen_ai.tool.call.id"] == "c3"
    assert tool.attributes["gen_ai.tool.description"] == "Find an item."


def test_failed_tool_has_the_exception_and_the_agent_has_not(researcher_and_writer: Build) -> None:
    with record() as ledger:
        researcher_and_writer(-1).invoke({"messages": [("user", "Item -1?")]})

    tool = named(ledger.trace, "lookup")
    assert tool.status == "ERROR"
    assert tool.events[0].attributes["exception.type"] == "ValueError"
    assert {span.status for span in ledger.trace.spans if span is not tool} == {"OK"}


def test_plumbing_makes_no_spans_and_does_not_break_nesting(scripted: Build) -> None:
    chain = (
        ChatPromptTemplate.from_messages([("user", "{q}")]) | scripted("Yes.") | StrOutputParser()
    )

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(chain.invoke({"q": "?"}))]}

    graph = StateGraph(MessagesState)
    graph.add_node(node)
    graph.add_edge(START, "node")
    with record() as ledger:
        graph.compile(name="graph").invoke(ASK)

    assert tree(ledger.trace) == [
        ("AGENT", "node", "graph"),
        ("CHAT_MODEL", "chat scripted-1", "node"),
        ("WORKFLOW", "graph", None),
    ]
    assert [m.text for m in ledger if m.sender == "node"] == ["Yes."]


def test_agent_shows_what_it_received_and_what_it_sent(support_desk: Build) -> None:
    with record() as ledger:
        support_desk().invoke(ASK)

    triage, desk = named(ledger.trace, "triage"), named(ledger.trace, "desk")
    assert triage.inputs == [
        {"role": "user → triage", "parts": [{"type": "text", "content": "My card is gone."}]}
    ]
    assert triage.outputs == [
        {
            "role": "triage → specialist, reviewer",
            "parts": [{"type": "text", "content": "banking"}],
        }
    ]
    assert isinstance(desk.inputs, list)
    assert len(desk.inputs) == 2
    assert triage.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert triage.attributes["gen_ai.agent.name"] == "triage"
    assert triage.attributes["linenotes.message.sent"] == [ledger.messages[1].id]
    assert triage.attributes["linenotes.step"] == 1


def test_root_holds_the_whole_conversation(researcher_and_writer: Build) -> None:
    with record() as ledger:
        researcher_and_writer().invoke({"messages": [("user", "Item 3?")]})

    root = ledger.trace.spans[0]
    assert root.inputs == [
        {"role": "user → researcher", "parts": [{"type": "text", "content": "Item 3?"}]}
    ]
    assert root.outputs == [
        {"role": "user → researcher", "parts": [{"type": "text", "content": "Item 3?"}]},
        {
            "role": "researcher → lookup",
            "parts": [
                {"type": "text", "content": "Let me look."},
                {"type": "tool_call", "id": "c3", "name": "lookup", "arguments": {"item": 3}},
            ],
        },
        {
            "role": "tool",
            "name": "lookup",
            "parts": [{"type": "tool_call_response", "id": "c3", "response": "value 3"}],
        },
        {"role": "researcher → writer", "parts": [{"type": "text", "content": "It is found."}]},
        {"role": "writer → user", "parts": [{"type": "text", "content": "The answer."}]},
    ]


def test_model_call_has_the_shape_of_the_openai_api(researcher_and_writer: Build) -> None:
    with record() as ledger:
        researcher_and_writer().invoke({"messages": [("user", "Item 3?")]})

    first, second, _ = (s for s in ledger.trace.spans if s.type == "CHAT_MODEL")
    assert isinstance(first.inputs, dict)
    assert first.inputs["model"] == "scripted-1"
    assert first.inputs["messages"] == [{"role": "user", "content": "Item 3?"}]
    assert first.inputs["tools"] == first.attributes["mlflow.chat.tools"]
    assert first.attributes["mlflow.message.format"] == "openai"
    assert first.attributes["gen_ai.operation.name"] == "chat"
    assert first.attributes["gen_ai.request.model"] == "scripted-1"
    assert first.attributes["gen_ai.provider.name"] == "script"
    assert first.attributes["gen_ai.usage.input_tokens"] == 10
    assert first.attributes["mlflow.chat.tokenUsage"] == {
        "input_tokens": 10,
        "output_tokens": 2,
        "total_tokens": 12,
    }
    assert isinstance(first.outputs, dict)
    assert first.outputs["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [
                    {
                        "id": "c3",
                        "type": "function",
                        "function": {"name": "lookup", "arguments": '{"item": 3}'},
                    }
                ],
            },
            "finish_reason": None,
        }
    ]
    assert isinstance(second.inputs, dict)
    messages = second.inputs["messages"]
    assert isinstance(messages, list)
    assert messages[2] == {
        "role": "tool",
        "content": "value 3",
        "name": "lookup",
        "tool_call_id": "c3",
    }


def test_receiver_links_to_the_handoff(support_desk: Build) -> None:
    with record() as ledger:
        support_desk().invoke(ASK)

    handoff = named(ledger.trace, "triage → specialist")
    (link,) = named(ledger.trace, "specialist").links
    assert link.span_id == handoff.span_id
    assert link.attributes["linenotes.message.sender"] == "triage"
    assert link.attributes["linenotes.message.recipient"] == "specialist"
    assert handoff.attributes["gen_ai.transfer.target.name"] == "specialist"
    assert handoff.attributes["gen_ai.transfer.mode"] == "pass_control"
    assert handoff.attributes["linenotes.message.id"] == ledger.messages[1].id
    assert handoff.start_ns == handoff.end_ns


@pytest.mark.parametrize("reply", [RuntimeError("The model is down.")])
def test_exception_is_an_event_of_the_span_where_it_arose(chain: Build, reply: Exception) -> None:
    with pytest.raises(RuntimeError), record() as ledger:
        chain("the plan", reply, "never").invoke({"question": "?"})

    spans = ledger.trace.spans
    events = [(span.type, event.attributes) for span in spans for event in span.events]
    assert [kind for kind, _ in events] == ["CHAT_MODEL"]
    assert events[0][1]["exception.message"] == "The model is down."
    assert "RuntimeError" in str(events[0][1]["exception.stacktrace"])
    failed = [(span.type, span.name) for span in spans if span.status == "ERROR"]
    assert failed == [
        ("WORKFLOW", "LangGraph"),
        ("AGENT", "worker"),
        ("CHAT_MODEL", "chat scripted-1"),
    ]


def test_receiver_links_to_the_span_that_said_what_it_got(researcher_and_writer: Build) -> None:
    with record() as ledger:
        researcher_and_writer().invoke(ASK)

    spans = {span.span_id: span for span in ledger.trace.spans}
    links = {
        (spans[link.span_id].type, link.attributes["linenotes.message.kind"], span.name)
        for span in ledger.trace.spans
        for link in span.links
    }
    assert links == {("TOOL", "result", "researcher"), ("CHAT_MODEL", "reply", "writer")}
    (link,) = named(ledger.trace, "writer").links
    assert link.attributes["linenotes.message.id"] == ledger.messages[-2].id
    assert link.attributes["linenotes.message.recipient"] == "writer"
