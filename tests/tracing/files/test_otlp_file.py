from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing import Trace
from linenotes.tracing.files._json_file import Document
from linenotes.tracing.files._otlp_file import read_otlp

if TYPE_CHECKING:
    from tests.tracing.files.conftest import ReadFile

Otlp = Callable[..., Any]
Json = Any
HI = {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "It is here."}]}
CALL = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "find"}]}
RESULT = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "here"}]}


def span(name: str, **attributes: Json) -> Json:
    operation = name.split(" ", maxsplit=1)[0]
    given = {f"gen_ai.{key.replace('__', '.')}": value for key, value in attributes.items()}
    return {"name": name, "attributes": {"gen_ai.operation.name": operation, **given}}


def chat(asked: list[Json], said: Json) -> Json:
    return span(
        "chat gpt-5", usage__input_tokens=10, input__messages=asked, output__messages=[said]
    )


@pytest.fixture
def export(otlp: Otlp) -> dict[str, Any]:
    score = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 1.0}
    desk = span("invoke_agent desk", agent__name="desk")
    tool = span(
        "execute_tool find", tool__name="find", tool__call__id="c", tool__call__result="here"
    )
    made: dict[str, Any] = otlp(
        {**desk, "events": [("gen_ai.evaluation.result", score)]},
        chat([HI], CALL),
        tool,
        chat([HI, CALL, RESULT], ANSWER),
    )
    return made


def test_spans_of_which_none_says_anything_are_no_conversations(
    read_file: ReadFile, otlp: Otlp
) -> None:
    with pytest.raises(TraceFileError, match=r"none has an attribute `gen_ai\.…`"):
        read_file(otlp({"name": "GET /", "attributes": {"http.request.method": "GET"}}))


def test_spans_are_kept_and_messages_derived(read_file: ReadFile, export: dict[str, Any]) -> None:
    (found,) = read_file(export)
    trace = found.trace
    assert trace.trace_id == "tr-" + "a" * 32
    assert [(span.span_id[-1], span.name, span.type) for span in trace.spans] == [
        ("1", "invoke_agent desk", "AGENT"),
        ("2", "chat gpt-5", "CHAT_MODEL"),
        ("3", "execute_tool find", "TOOL"),
        ("4", "chat gpt-5", "CHAT_MODEL"),
    ]
    assert (trace.name, trace.request, trace.response) == ("desk", "Hi", "It is here.")
    assert len(trace.messages) == 4
    assert trace.spans[1].attributes["gen_ai.usage.input_tokens"] == 10
    assert trace.spans[2].outputs == "here"
    assert (found.case, found.sample, found.scores) == ("tr-" + "a" * 12, 0, {"helpful": 1.0})
    assert Trace.from_json(trace.to_json()) == trace


def test_the_same_export_as_lines_is_the_same_trace(
    read_file: ReadFile, export: dict[str, Any]
) -> None:
    (whole,) = read_file(export)
    (lines,) = read_file(export, export)
    assert lines.trace.to_json() == whole.trace.to_json()


def test_case_and_sample_are_read_where_linenotes_wrote_them(
    read_file: ReadFile, otlp: Otlp
) -> None:
    (found,) = read_file(otlp({"attributes": {"linenotes.case": "c7", "linenotes.sample": 2}}))
    assert (found.case, found.sample) == ("c7", 2)


def test_a_trace_that_failed_says_why(read_file: ReadFile, otlp: Otlp) -> None:
    exception = {"exception.type": "ValueError", "exception.message": "no"}
    (found,) = read_file(
        otlp(
            {
                **span("invoke_agent desk"),
                "status": {"code": 2},
                "events": [("exception", exception)],
            }
        )
    )
    assert (found.trace.state, found.trace.error) == ("ERROR", "ValueError: no")


def test_a_file_without_spans_is_an_error(read_file: ReadFile) -> None:
    with pytest.raises(TraceFileError, match="holds no spans"):
        read_file({"resourceSpans": []})


def calls_while_reading(messages: int, otlp: Otlp) -> Counter[str]:
    """Count the calls of each function of ours while a conversation is read.

    Each model call repeats what was said just before, so the file grows linearly.
    """
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "linenotes" in frame.f_code.co_filename:
            counted[frame.f_code.co_name] += 1

    said = [
        {"role": role, "parts": [{"type": "text", "content": f"words {n // 4}"}]}
        for n, role in zip(range(messages), cycle(["user", "assistant"]))
    ]
    turns = [chat(said[max(0, n - 3) : n + 1], said[n + 1]) for n in range(0, messages, 2)]
    export = otlp(span("invoke_agent desk", agent__name="desk"), *turns)
    documents = [Document("file", export)]
    sys.setprofile(count)
    try:
        (found,) = read_otlp(documents, agent=None)
    finally:
        sys.setprofile(None)
    assert len(found.trace.messages) >= messages // 2
    return counted


def test_work_grows_linearly_with_the_messages_and_each_span_is_read_once(otlp: Otlp) -> None:
    short, long = calls_while_reading(50, otlp), calls_while_reading(500, otlp)
    assert long.total() < 11 * short.total()
    assert long["exchange"] == 250
