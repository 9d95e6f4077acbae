from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import JsonValue

from linenotes.tracing.export._gen_ai_messages import (
    agent_input,
    agent_output,
    model_input,
    model_output,
)


def test_a_prompt_is_written_as_parts() -> None:
    call = {"id": "c1", "function": {"name": "find", "arguments": '{"name": "Müller"}'}}
    request: Any = {
        "messages": [
            {"role": "user", "content": "Find him.", "name": "anna"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "A-17"},
        ]
    }
    assert json.loads(str(model_input(request))) == [
        {"role": "user", "name": "anna", "parts": [{"type": "text", "content": "Find him."}]},
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "tool_call",
                    "id": "c1",
                    "name": "find",
                    "arguments": {"name": "Müller"},
                }
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "A-17"}],
        },
    ]


def test_blocks_that_are_no_text_are_left_as_they_are() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    (message,) = json.loads(
        str(model_input({"messages": [{"role": "user", "content": content}]}))  # type: ignore[dict-item]
    )
    assert message["parts"] == [{"type": "text", "content": "What is this?"}, picture]


@pytest.mark.parametrize(
    ("arguments", "sent"), [("{broken", "{broken"), ({"a": 1}, {"a": 1}), (None, None)]
)
def test_arguments_are_sent_however_the_model_wrote_them(
    arguments: JsonValue, sent: object
) -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    message: Any = {"role": "assistant", "content": None, "tool_calls": [call]}
    (spoken,) = json.loads(str(model_output({"choices": [{"message": message}]})))
    assert spoken["parts"][0]["arguments"] == sent


def test_why_a_model_stopped_is_said() -> None:
    choice: Any = {"message": {"role": "assistant", "content": "x"}, "finish_reason": "length"}
    (spoken,) = json.loads(str(model_output({"choices": [choice]})))
    assert spoken["finish_reason"] == "length"


@pytest.mark.parametrize("odd", [None, "text", [], {}, {"messages": None}, {"choices": [1]}])
def test_a_call_that_is_no_chat_has_no_messages(odd: JsonValue) -> None:
    assert model_input(odd) is None
    assert model_output(odd) is None


def test_text_alone_is_a_message() -> None:
    assert json.loads(str(agent_input("hello"))) == [
        {"role": "user", "parts": [{"type": "text", "content": "hello"}]}
    ]
    (message,) = json.loads(str(agent_output({"answer": 1})))
    assert message["parts"] == [{"type": "text", "content": '{"answer":1}'}]
    assert agent_input(None) is None
    assert agent_output([]) is None
