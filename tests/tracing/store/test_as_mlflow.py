from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.entities import Expectation

from linenotes.tracing import FiledTrace, Message, Span, Trace, as_mlflow, trace_id_for

if TYPE_CHECKING:
    from pydantic import JsonValue


def test_a_trace_is_mlflows_own_without_a_store() -> None:
    start = 1_790_000_000_000_000_000
    asked: JsonValue = {"query": "card"}
    desk = Span("a" * 16, None, "desk", "AGENT", start, start + 9)
    search = Span("b" * 16, desk.span_id, "search", "TOOL", start, start + 5, inputs=asked)
    said = Message(id="m1", kind="reply", sender="desk", text="hello", recipients=("user",))
    trace = Trace(
        trace_id=trace_id_for("run", "c1", 0),
        name="desk",
        state="OK",
        start_ns=start,
        end_ns=start + 9,
        request="where is my card",
        response="hello",
        spans=(desk, search),
        messages=(said,),
    )
    found = as_mlflow(FiledTrace(trace, expectations={"answer": "hello"}))
    assert found.info.trace_id == trace.trace_id
    assert found.info.request_preview == "where is my card"
    assert [(one.name, one.parent_id) for one in found.data.spans] == [
        ("desk", None),
        ("search", desk.span_id),
    ]
    assert found.data.spans[1].inputs == asked
    (expected,) = found.info.assessments
    assert isinstance(expected, Expectation)
    assert (expected.name, expected.value) == ("answer", "hello")
