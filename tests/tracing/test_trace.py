from __future__ import annotations

import pytest
from pydantic import JsonValue

from linenotes.tracing import Span, SpanEvent


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"exception.type": "ValueError", "exception.message": "No."}, "ValueError: No."),
        ({"exception.message": "No."}, "No."),
        ({"exception.type": "ValueError", "exception.message": ""}, "ValueError"),
        ({}, ""),
    ],
)
def test_an_exception_is_told_by_its_class_and_its_text(
    attributes: dict[str, JsonValue], told: str
) -> None:
    assert SpanEvent("exception", 1, attributes).error == told


def test_the_first_exception_of_a_span_is_its_exception() -> None:
    first, second = SpanEvent("exception", 2), SpanEvent("exception", 3)
    span = Span("0" * 16, None, "a", "AGENT", 1, events=(SpanEvent("note", 1), first, second))
    assert span.exception is first


def test_a_span_without_exceptions_has_none() -> None:
    assert Span("0" * 16, None, "a", "AGENT", 1).exception is None
