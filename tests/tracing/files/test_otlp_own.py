from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.tracing.files.conftest import ReadFile

Json = Any


def bubble(route: str, text: str, *calls: Json) -> Json:
    return {"role": route, "parts": [{"type": "text", "content": text}, *calls]}


def answer(tool: str, call: str, text: str) -> Json:
    part = {"type": "tool_call_response", "id": call, "response": text}
    return {"role": "tool", "name": tool, "parts": [part]}


def exported(otlp: Callable[..., Json]) -> Json:
    """Triage hands over to the desk, which looks something up."""
    call = {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"x": "a"}}
    said = {"gen_ai.operation.name": "chat", "linenotes.message.id": "m3"}
    handoff = {
        "gen_ai.transfer.target.name": "desk",
        "linenotes.message.id": "m2",
        "linenotes.message.kind": "handoff",
    }
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find",
        "linenotes.message.id": "m4",
    }
    return otlp(
        {
            "name": "invoke_agent support",
            "attributes": {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "support",
                "linenotes.schema.version": "0.1.0",
                "linenotes.case": "c7",
            },
        },
        _agent(
            "triage",
            {"m1": bubble("user → triage", "Hi")},
            {"m2": bubble("triage → desk", "banking")},
        ),
        {"name": "triage → desk", "parent": 2, "attributes": handoff},
        _agent(
            "desk",
            {"m2": bubble("triage → desk", "banking"), "m4": answer("find", "c1", "here")},
            {"m3": bubble("desk → find", "", call), "m5": bubble("desk → user", "It is here.")},
        ),
        {"name": "chat gpt-5", "parent": 4, "attributes": said},
        {"name": "execute_tool find", "parent": 4, "attributes": tool},
    )


def _agent(name: str, received: dict[str, Json], sent: dict[str, Json]) -> Json:
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "linenotes.message.received": list(received),
        "linenotes.message.sent": list(sent),
        "gen_ai.input.messages": list(received.values()),
        "gen_ai.output.messages": list(sent.values()),
    }
    return {"name": f"invoke_agent {name}", "attributes": attributes}


def test_what_linenotes_exported_comes_back_with_its_ids_kinds_and_routes(
    read_file: ReadFile, otlp: Callable[..., Json]
) -> None:
    (found,) = read_file(exported(otlp))
    assert {message.id: (message.kind, message.route) for message in found.trace.messages} == {
        "m1": ("input", "user → triage"),
        "m2": ("handoff", "triage → desk"),
        "m3": ("call", "desk → find"),
        "m4": ("result", "find → desk"),
        "m5": ("reply", "desk → user"),
    }
    by_id = {message.id: message for message in found.trace.messages}
    assert by_id["m4"].cause == ("m3",)
    assert by_id["m3"].sampled


def test_its_spans_have_their_names_and_types_again(
    read_file: ReadFile, otlp: Callable[..., Json]
) -> None:
    (found,) = read_file(exported(otlp))
    assert [(span.name, span.type) for span in found.trace.spans] == [
        ("support", "WORKFLOW"),
        ("triage", "AGENT"),
        ("triage → desk", "HANDOFF"),
        ("desk", "AGENT"),
        ("chat gpt-5", "CHAT_MODEL"),
        ("find", "TOOL"),
    ]
    assert found.case == "c7"
