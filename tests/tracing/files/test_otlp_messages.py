from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from linenotes.tracing.files._json_file import Document
from linenotes.tracing.files._otlp_json import read_spans
from linenotes.tracing.files._otlp_messages import Exchange, exchange

Otlp = Callable[..., Any]
CALL = {"type": "tool_call", "id": "c", "name": "find", "arguments": {"x": 1}}
PARTS = {
    "gen_ai.input.messages": [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "ok"}]},
    ],
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "text", "content": "Wait."}, CALL]}
    ],
}
LISTED_CALL = {"id": "c", "function": {"name": "find", "arguments": '{"x": 1}'}}
EVENTS = [
    ("gen_ai.system.message", {"content": "Be kind."}),
    ("gen_ai.user.message", {"content": "Hi"}),
    ("gen_ai.tool.message", {"content": "ok", "id": "c"}),
    ("gen_ai.choice", {"message": {"content": "Wait.", "tool_calls": [LISTED_CALL]}}),
]
PROMPT = {
    "gen_ai.prompt": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "tool", "content": "ok", "tool_call_id": "c"},
    ],
    "gen_ai.completion": [{"role": "assistant", "content": "Wait.", "tool_calls": [LISTED_CALL]}],
}


def read(otlp: Otlp, **span: Any) -> Exchange:  # noqa: ANN401  JSON of any shape
    (found,) = read_spans([Document("file", otlp(span))])
    return exchange(found)


@pytest.mark.parametrize(
    "span",
    [
        {"attributes": PARTS},
        {"events": EVENTS},
        {"attributes": PROMPT},
        {"events": [("gen_ai.client.inference.operation.details", PARTS)]},
    ],
)
def test_all_forms_of_the_conventions_say_the_same(otlp: Otlp, span: dict[str, Any]) -> None:
    found = read(otlp, **span)
    assert [(m.role, m.text, m.call_id) for m in found.inputs] == [
        ("system", "Be kind.", None),
        ("user", "Hi", None),
        ("tool", "ok", "c"),
    ]
    (said,) = found.outputs
    assert (said.text, [call.text for call in said.calls]) == ("Wait.", ["find(x=1)"])


def test_attributes_count_where_events_say_something_else(otlp: Otlp) -> None:
    found = read(otlp, attributes=PARTS, events=[("gen_ai.user.message", {"content": "Bye"})])
    assert [m.text for m in found.inputs if m.role == "user"] == ["Hi"]


def test_parts_that_are_no_text_are_kept(otlp: Otlp) -> None:
    image = {"type": "uri", "uri": "file://a.png"}
    message = {"role": "user", "parts": [{"type": "text", "content": "Look"}, image]}
    (found,) = read(otlp, attributes={"gen_ai.input.messages": [message]}).inputs
    assert found.text == "Look"
    assert found.blocks == [{"type": "text", "text": "Look"}, image]


def test_a_span_without_content_says_nothing(otlp: Otlp) -> None:
    assert read(otlp) == Exchange((), ())
