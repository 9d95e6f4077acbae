from __future__ import annotations

from typing import Any

from linenotes.tracing import Trace
from linenotes.tracing.files._chat_messages import read_messages
from linenotes.tracing.files._chat_trace import ChatOrigin, chat_trace

_START = 1_790_000_000_000_000_000
_US = 1_000


def trace(messages: list[Any], **origin: Any) -> Trace:  # noqa: ANN401  fields of several types
    known = {
        "trace_id": "tr-" + "a" * 32,
        "agent": "desk",
        "case": "c1",
        "sample": 0,
        "start_ns": _START,
    }
    return chat_trace(read_messages(messages, "messages"), ChatOrigin(**{**known, **origin}))


def test_spans_have_the_form_of_a_recording(lookup: list[Any]) -> None:
    found = trace(lookup, model="gpt-4o")
    root, agent, first, tool, second = found.spans
    assert [(span.type, span.name) for span in found.spans] == [
        ("WORKFLOW", "desk"),
        ("AGENT", "desk"),
        ("CHAT_MODEL", "chat gpt-4o"),
        ("TOOL", "find"),
        ("CHAT_MODEL", "chat gpt-4o"),
    ]
    assert [span.parent_id for span in found.spans[1:]] == [root.span_id, *[agent.span_id] * 3]
    ids = [message.id for message in found.messages]
    assert agent.attributes["linenotes.message.received"] == [ids[0], ids[2]]
    assert agent.attributes["linenotes.message.sent"] == [ids[1], ids[3]]
    assert first.attributes["linenotes.message.id"] == ids[1]
    assert (tool.inputs, tool.outputs) == ({"x": "a"}, "in Köln")
    assert tool.attributes["gen_ai.tool.call.id"] == "c1"
    assert second.attributes["gen_ai.request.model"] == "gpt-4o"


def test_a_model_was_shown_all_that_was_said_before(lookup: list[Any]) -> None:
    request: Any = trace(lookup).spans[4].inputs
    assert [message["role"] for message in request["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]
    response: Any = trace(lookup).spans[4].outputs
    assert response["choices"][0]["message"]["content"] == "It is in Köln."


def test_request_and_response_are_what_the_user_said_and_got(lookup: list[Any]) -> None:
    found = trace(lookup)
    assert (found.request, found.response) == ("Where is a?", "It is in Köln.")
    assert (found.case, found.sample, found.state) == ("c1", 0, "OK")


def test_the_request_is_the_first_thing_that_the_user_said(lookup: list[Any]) -> None:
    assert trace([*lookup, {"role": "user", "content": "Thanks."}]).request == "Where is a?"


def test_a_chat_without_times_is_in_order_a_microsecond_apart(lookup: list[Any]) -> None:
    found = trace(lookup)
    assert found.start_ns == _START + 1 * _US
    ends = [message.end_ns for message in found.messages]
    assert ends == [_START + n * _US for n in (2, 3, 4, 5)]


def test_given_times_are_kept(lookup: list[Any]) -> None:
    timed = [{**message, "timestamp": 1_700_000_000 + n} for n, message in enumerate(lookup)]
    found = trace(timed)
    assert found.messages[1].start_ns == 1_700_000_001_000_000_000
    assert found.messages[1].end_ns == 1_700_000_002_000_000_000
    assert found.end_ns == 1_700_000_004_000_000_000


def test_tokens_are_counted_where_the_file_has_them(lookup: list[Any]) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2}
    found = trace([*lookup[:-1], {**lookup[-1], "usage": usage}])
    assert found.ledger.tokens.total == 9
    assert found.spans[4].attributes["gen_ai.usage.input_tokens"] == 7


def test_what_else_the_file_says_of_a_message_stays_with_it(lookup: list[Any]) -> None:
    response: Any = trace([*lookup[:-1], {**lookup[-1], "refusal": None, "mood": "calm"}])
    assert response.spans[4].outputs["choices"][0]["message"]["mood"] == "calm"


def test_a_chat_that_failed_is_an_error(lookup: list[Any]) -> None:
    found = trace(lookup, error="RateLimitError: slow down")
    assert (found.state, found.error) == ("ERROR", "RateLimitError: slow down")
    assert found.spans[0].events[0].name == "exception"


def test_the_same_chat_is_the_same_trace(lookup: list[Any]) -> None:
    assert trace(lookup).to_json() == trace(lookup).to_json()
    assert Trace.from_json(trace(lookup).to_json()) == trace(lookup)


def test_the_prompts_of_a_long_chat_are_cut_in_the_middle_with_a_mark(lookup: list[Any]) -> None:
    long = [lookup[0], *[{"role": r, "content": "x"} for r in ("user", "assistant")] * 50]
    request: Any = trace(long).spans[-1].inputs
    first, mark, *rest = request["messages"]
    assert (first["content"], len(rest)) == ("Be kind.", 59)
    assert mark["content"].startswith("… (40 earlier messages are left out here")
    assert len(trace(long).messages) == 100
