from __future__ import annotations

from collections.abc import Callable
from typing import Any

from linenotes.tracing import Ledger
from linenotes.tracing.files._json_file import Document
from linenotes.tracing.files._otlp_json import read_spans
from linenotes.tracing.files._otlp_ledger import OtlpLedger, derive_ledger
from linenotes.tracing.files._otlp_messages import Exchanges

Otlp = Callable[..., Any]
Json = Any


def text(role: str, said: str) -> Json:
    return {"role": role, "parts": [{"type": "text", "content": said}]}


def call(id_: str, tool: str) -> Json:
    part = {"type": "tool_call", "id": id_, "name": tool, "arguments": {}}
    return {"role": "assistant", "parts": [part]}


def response(id_: str, said: str) -> Json:
    part = {"type": "tool_call_response", "id": id_, "response": said}
    return {"role": "tool", "parts": [part]}


def agent(name: str, parent: int | None = 1) -> Json:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    return {"name": f"invoke_agent {name}", "parent": parent, "attributes": attributes}


def chat(parent: int, asked: list[Json], *said: Json) -> Json:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.input.messages": asked,
        "gen_ai.output.messages": list(said),
    }
    return {"parent": parent, "attributes": attributes}


def tool(parent: int, name: str, id_: str, said: str) -> Json:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": id_,
        "gen_ai.tool.call.result": said,
    }
    return {"name": f"execute_tool {name}", "parent": parent, "attributes": attributes}


def ledger(otlp: Otlp, *spans: Json) -> OtlpLedger:
    return derive_ledger(read_spans([Document("file", otlp(*spans))]), Exchanges())


def rows(found: OtlpLedger) -> list[tuple[str, str, str]]:
    return [(m.kind, m.route, m.text) for m in found.messages]


HI = text("user", "Hi")


def test_an_agent_with_a_tool(otlp: Otlp) -> None:
    found = ledger(
        otlp,
        agent("desk", None),
        chat(1, [text("system", "Be kind."), HI], call("c", "find")),
        tool(1, "find", "c", "here"),
        chat(1, [HI, call("c", "find"), response("c", "here")], text("assistant", "It is here.")),
    )
    assert rows(found) == [
        ("input", "user → desk", "Hi"),
        ("call", "desk → find", "find()"),
        ("result", "find → desk", "here"),
        ("reply", "desk → user", "It is here."),
    ]
    assert [m.cause for m in found.messages] == [
        (),
        ("message-0",),
        ("message-1",),
        ("message-2",),
    ]
    assert [m.sampled for m in found.messages] == [False, True, False, True]
    assert (found.messages[1].model, found.messages[1].tokens.total) == ("gpt-5", 14)
    (received,) = found.received.values()
    assert received == ["message-0", "message-2"]


def test_a_reply_is_delivered_where_its_words_turn_up(otlp: Otlp) -> None:
    found = ledger(
        otlp,
        {"name": "pipeline"},
        agent("planner"),
        chat(2, [HI], text("assistant", "Plan: greet.")),
        agent("writer"),
        chat(4, [text("user", "Plan: greet.")], text("assistant", "Good day.")),
        agent("checker"),
        chat(6, [text("user", "Plan: greet."), text("user", "Good day.")], text("assistant", "Ok")),
    )
    assert rows(found) == [
        ("input", "user → planner", "Hi"),
        ("reply", "planner → writer", "Plan: greet."),
        ("reply", "writer → checker", "Good day."),
        ("reply", "checker → user", "Ok"),
    ]
    assert found.messages[1].seen_by == ("checker",)
    assert found.messages[3].cause == ("message-1", "message-2")


def test_an_agent_as_a_tool_is_asked_by_the_agent_around_it(otlp: Otlp) -> None:
    found = ledger(
        otlp,
        agent("boss", None),
        chat(1, [HI], call("c", "ask_writer")),
        agent("writer"),
        chat(3, [text("user", "Write it.")], text("assistant", "Written.")),
        chat(1, [HI, call("c", "ask_writer"), response("c", "Done")], text("assistant", "There.")),
    )
    assert rows(found)[2:4] == [
        ("delegate", "boss → writer", "Write it."),
        ("reply", "writer → boss", "Written."),
    ]


def test_a_wrapper_around_agents_is_nobody(otlp: Otlp) -> None:
    found = ledger(
        otlp, agent("team", None), agent("desk"), chat(2, [HI], text("assistant", "Yes?"))
    )
    assert [route for _, route, _ in rows(found)] == ["user → desk", "desk → user"]


def test_the_same_words_twice_are_two_messages(otlp: Otlp) -> None:
    said = text("assistant", "Yes?")
    found = ledger(
        otlp,
        agent("desk", None),
        chat(1, [HI], said),
        chat(1, [HI, said, HI], text("assistant", "!")),
    )
    assert [route for _, route, _ in rows(found)] == [
        "user → desk",
        "desk → user",
        "user → desk",
        "desk → user",
    ]


def test_an_agent_without_model_spans_says_what_its_own_span_holds(otlp: Otlp) -> None:
    span = agent("desk", None)
    span["attributes"] |= {
        "gen_ai.input.messages": [HI],
        "gen_ai.output.messages": [text("assistant", "Yes?")],
    }
    found = ledger(otlp, span)
    assert rows(found) == [("input", "user → desk", "Hi"), ("reply", "desk → user", "Yes?")]


def test_a_model_outside_of_agents_is_of_its_service(otlp: Otlp) -> None:
    found = ledger(otlp, chat(1, [HI], text("assistant", "Yes?")))
    assert [route for _, route, _ in rows(found)] == ["user → shop", "shop → user"]


def test_only_what_was_said_in_an_agents_span_is_of_its_activation(otlp: Otlp) -> None:
    found = ledger(
        otlp,
        agent("boss", None),
        chat(1, [HI], call("c", "ask_writer")),
        agent("writer"),
        {"name": "step", "parent": 3},
        chat(4, [text("user", "Write it.")], call("d", "look")),
        chat(3, [text("user", "Write it."), response("d", "here")], text("assistant", "Written.")),
    )
    boss, writer = f"{1:016x}", f"{3:016x}"
    assert [(m.kind, m.activation) for m in found.messages] == [
        ("input", None),
        ("call", boss),
        ("delegate", None),
        ("call", writer),
        ("result", None),
        ("reply", writer),
    ]
    assert Ledger(found.messages).instances == {boss: "boss", writer: "writer"}


def test_a_result_that_no_span_tells_of_took_no_time(otlp: Otlp) -> None:
    found = ledger(otlp, chat(1, [HI, response("c", "here")], text("assistant", "It is here.")))
    assert [m.end_ns > m.start_ns for m in found.messages] == [False, False, True]
