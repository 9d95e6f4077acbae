from __future__ import annotations

from typing import Any

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing import Tokens
from linenotes.tracing.files._chat_messages import ChatMessage, nanoseconds, read_messages


def message(**written: Any) -> ChatMessage:  # noqa: ANN401  JSON of any shape
    return read_messages([written], "messages")[0]


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
        {"id": "c", "name": "f", "arguments": {"x": 1}},
        {"id": "c", "name": "f", "args": {"x": 1}},
    ],
)
def test_calls_are_read_in_every_shape(call: Any) -> None:  # noqa: ANN401  JSON of any shape
    (found,) = message(role="assistant", tool_calls=[call]).calls
    assert (found.id, found.name, found.args, found.text) == ("c", "f", {"x": 1}, "f(x=1)")


def test_a_function_call_of_the_older_api_is_a_call() -> None:
    found = message(role="assistant", content=None, function_call={"name": "f", "arguments": "{}"})
    assert [call.text for call in found.calls] == ["f()"]


def test_arguments_that_are_no_json_are_kept_as_the_model_wrote_them() -> None:
    found = message(role="assistant", tool_calls=[{"name": "f", "arguments": '{"x": '}])
    assert found.calls[0].args == '{"x": '
    assert found.calls[0].text == 'f("{\\"x\\": ")'


def test_blocks_have_their_text_and_are_kept() -> None:
    blocks = [{"type": "text", "text": "Look: "}, {"type": "image_url", "image_url": {"url": "u"}}]
    found = message(role="user", content=blocks)
    assert (found.text, found.blocks) == ("Look: ", blocks)


def test_a_tool_may_return_any_json() -> None:
    assert message(role="tool", tool_call_id="c", content={"a": 1}).text == '{"a": 1}'


@pytest.mark.parametrize(
    ("written", "role"),
    [("developer", "system"), ("human", "user"), ("ai", "assistant"), ("function", "tool")],
)
def test_other_names_of_roles_are_known(written: str, role: str) -> None:
    assert message(role=written, content="x").role == role


def test_usage_is_read_in_both_spellings() -> None:
    openai = {
        "prompt_tokens": 5,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert message(role="assistant", content="", usage=openai).tokens == Tokens(5, 3, 2, 1)
    other = {"input_tokens": 5, "output_tokens": 3}
    assert message(role="assistant", content="", usage=other).tokens == Tokens(5, 3)


@pytest.mark.parametrize("written", [1_700_000_000, 1_700_000_000_000, "2023-11-14T22:13:20Z"])
def test_times_are_seconds_milliseconds_or_iso(written: float | str) -> None:
    assert nanoseconds(written, "x") == 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"role": "robot"}, r"messages\[0\].role is 'robot'. A role is one of"),
        ({"content": "x"}, r"messages\[0\].role is None"),
        ({"role": "user", "content": 7}, r"messages\[0\].content is a number"),
        ({"role": "assistant", "tool_calls": {}}, r"messages\[0\].tool_calls is an object"),
        ({"role": "assistant", "tool_calls": [{}]}, r"tool_calls\[0\] names no function"),
        ({"role": "user", "content": "", "timestamp": "noon"}, r"timestamp is 'noon'"),
        ({"role": "user", "content": "", "timestamp": 10**30}, r"should be an ISO 8601 time"),
        ({"role": "user", "content": "", "timestamp": "9999-12-31"}, r"between 1970 and 2255"),
        ({"role": "user", "content": "", "timestamp": "0001-01-01"}, r"between 1970 and 2255"),
        ({"role": "user", "content": "", "name": ["a"]}, r"name is a list"),
    ],
)
def test_what_is_no_message_is_named_with_its_place(written: dict[str, Any], told: str) -> None:
    with pytest.raises(TraceFileError, match=told):
        message(**written)
