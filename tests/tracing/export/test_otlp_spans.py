from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import JsonValue

from linenotes.tracing import FiledTrace, Span, Trace, TraceScore
from linenotes.tracing.export._otlp_spans import otlp_spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

MakeTrace = Callable[..., Trace]
MakeFiled = Callable[..., FiledTrace]


@pytest.fixture(autouse=True)
def _no_service_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


def test_ids_times_and_the_tree_are_those_of_the_trace(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    for ours, theirs in zip(trace.spans, otlp_spans(FiledTrace(trace)), strict=True):
        assert theirs.context is not None
        assert f"tr-{theirs.context.trace_id:032x}" == trace.trace_id
        assert f"{theirs.context.span_id:016x}" == ours.span_id
        parent = f"{theirs.parent.span_id:016x}" if theirs.parent else None
        assert parent == ours.parent_id
        assert (theirs.start_time, theirs.end_time) == (ours.start_ns, ours.end_ns)


def test_spans_are_named_as_the_conventions_say_with_the_names_of_agents_intact(
    desk_trace: MakeTrace,
) -> None:
    assert [span.name for span in otlp_spans(FiledTrace(desk_trace()))] == [
        "invoke_agent support_desk",
        "invoke_agent triage",
        "chat smollm2-135m",
        "triage → specialist",
        "invoke_agent specialist",
        "chat smollm2-135m",
        "execute_tool find_account",
        "invoke_agent reviewer",
        "chat smollm2-135m",
        "invoke_agent desk",
    ]


def test_models_are_clients_and_all_else_is_internal(desk_trace: MakeTrace) -> None:
    spans = otlp_spans(FiledTrace(desk_trace()))
    clients = {span.name for span in spans if span.kind is SpanKind.CLIENT}
    assert clients == {"chat smollm2-135m"}
    assert {span.kind for span in spans} == {SpanKind.CLIENT, SpanKind.INTERNAL}


def test_an_agent_shows_what_it_received_and_sent(desk_trace: MakeTrace) -> None:
    triage = _spans(FiledTrace(desk_trace()))["invoke_agent triage"]
    assert triage["gen_ai.operation.name"] == "invoke_agent"
    assert triage["gen_ai.agent.name"] == "triage"
    assert list(triage["linenotes.message.sent"]) == ["m2", "m3"]
    received = json.loads(triage["gen_ai.input.messages"])
    assert received[0]["role"] == "user → triage"
    sent = json.loads(triage["gen_ai.output.messages"])
    assert [message["role"] for message in sent] == ["triage → specialist", "triage → reviewer"]
    assert {message["finish_reason"] for message in sent} == {"stop"}


def test_the_root_holds_the_conversation_and_by_what_the_trace_is_found(
    desk_filed: MakeFiled,
) -> None:
    filed = desk_filed("card-lost", 2, run_id="ab" * 16)
    root = _spans(filed)["invoke_agent support_desk"]
    spoken = json.loads(root["gen_ai.output.messages"])
    assert [message["role"] for message in spoken] == [m.route for m in filed.trace.messages[1:]]
    found_by = {key: root[key] for key in root if key.startswith(("linenotes.", "session"))}
    assert found_by == {
        "session.id": "card-lost",
        "linenotes.case": "card-lost",
        "linenotes.sample": 2,
        "linenotes.run": "ab" * 16,
        "linenotes.version": "triage@2",
    }


def test_a_model_call_has_its_prompt_and_reply_and_nothing_of_mlflow(
    desk_trace: MakeTrace,
) -> None:
    model = _spans(FiledTrace(desk_trace()))["chat smollm2-135m"]
    assert json.loads(model["gen_ai.input.messages"])[0] == {
        "role": "system",
        "parts": [{"type": "text", "content": "Name the team."}],
    }
    assert json.loads(model["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "agree"}],
            "finish_reason": "stop",
        }
    ]
    assert not [key for key in model if key.startswith("mlflow.")]


def test_a_tool_has_its_arguments_and_its_result(desk_trace: MakeTrace) -> None:
    tool = _spans(FiledTrace(desk_trace()))["execute_tool find_account"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"name": "Müller"}
    assert tool["gen_ai.tool.call.result"] == "A-17"


def test_a_handoff_is_no_model_call(desk_trace: MakeTrace) -> None:
    handoff = _spans(FiledTrace(desk_trace()))["triage → specialist"]
    assert handoff.keys() == {"gen_ai.transfer.target.name", "linenotes.message.content"}
    assert "banking" in handoff["linenotes.message.content"]


def test_a_receiver_is_linked_to_the_handoff(desk_trace: MakeTrace) -> None:
    spans = {span.name: span for span in otlp_spans(FiledTrace(desk_trace()))}
    (link,) = spans["invoke_agent specialist"].links
    assert link.context == spans["triage → specialist"].context
    assert dict(link.attributes or {}) == {"relation": "handoff"}


def test_an_error_has_status_type_and_event(desk_trace: MakeTrace) -> None:
    root, *_ = otlp_spans(FiledTrace(desk_trace(state="ERROR")))
    assert root.status.status_code is StatusCode.ERROR
    assert root.status.description == "no answer in 60 s"
    assert dict(root.attributes or {})["error.type"] == "TimeoutError"
    (event,) = root.events
    assert event.name == "exception"
    assert dict(event.attributes or {})["exception.type"] == "TimeoutError"


def test_scores_are_events_on_what_they_judge(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    scores = (
        TraceScore("route_ok", value=True, rationale="As expected."),
        TraceScore("short", value=0.5, span_id=trace.spans[1].span_id),
    )
    root, triage, *_ = otlp_spans(FiledTrace(trace, scores=scores))
    assert [dict(event.attributes or {}) for event in root.events] == [
        {
            "gen_ai.evaluation.name": "route_ok",
            "gen_ai.evaluation.score.value": 1.0,
            "gen_ai.evaluation.score.label": "pass",
            "gen_ai.evaluation.explanation": "As expected.",
        }
    ]
    assert [event.name for event in triage.events] == ["gen_ai.evaluation.result"]


def test_the_service_is_the_agent_unless_the_environment_names_one(
    desk_trace: MakeTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = FiledTrace(desk_trace())
    assert otlp_spans(filed)[0].resource.attributes["service.name"] == "linenotes/support_desk"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk-in-test")
    assert otlp_spans(filed)[0].resource.attributes["service.name"] == "desk-in-test"


def test_the_scope_says_which_conventions_are_followed(desk_trace: MakeTrace) -> None:
    scope = otlp_spans(FiledTrace(desk_trace()))[0].instrumentation_scope
    assert scope is not None
    assert scope.name == "linenotes"
    assert scope.schema_url == "https://opentelemetry.io/schemas/gen-ai/0.1.0"


def test_what_has_not_ended_ends_with_the_trace(desk_trace: MakeTrace) -> None:
    trace = desk_trace(state="IN_PROGRESS")
    root, *_ = otlp_spans(FiledTrace(trace))
    assert root.end_time == trace.last_ns
    assert root.status.status_code is StatusCode.UNSET


def test_a_trace_without_spans_is_one_span(desk_trace: MakeTrace) -> None:
    trace = replace(desk_trace(), spans=(), messages=())
    (root,) = otlp_spans(FiledTrace(trace))
    assert root.name == "invoke_agent support_desk"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (True, True),
        (3, 3),
        (2**70, str(2**70)),
        (["a", "b"], ["a", "b"]),
        ([], []),
        ([1, "a"], '[1,"a"]'),
        ({"a": None}, '{"a":null}'),
    ],
)
def test_values_that_the_protocol_has_no_type_for_are_json(value: JsonValue, sent: object) -> None:
    root = Span("1" * 16, None, "x", "WORKFLOW", 1, 2, attributes={"it": value, "no": None})
    trace = Trace("tr-" + "1" * 32, "x", "OK", 1, 2, "", "", (root,), ())
    assert _spans(FiledTrace(trace))["invoke_agent x"] == {
        "gen_ai.operation.name": "invoke_agent",
        "it": sent,
    }


def _spans(filed: FiledTrace) -> dict[str, dict[str, Any]]:
    """Return name to attributes; of spans with one name the last."""
    return {span.name: _attributes(span) for span in otlp_spans(filed)}


def _attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_session_is_the_thread_where_there_is_no_case(desk_trace: MakeTrace) -> None:
    trace = replace(desk_trace(), case=None, thread="t1")
    root = otlp_spans(FiledTrace(trace))[0]
    assert root.attributes is not None
    assert root.attributes["session.id"] == "t1"
