from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import JsonValue

from linenotes.evals import Sample, Score, Scorer
from linenotes.evals.scorers import called_tool


@pytest.fixture
def sample(conversation: Callable[..., Sample]) -> Sample:
    made = conversation(
        "input user → desk: where is my card",
        "call desk → search: search(...)",
        "result search → desk: it is on its way",
        "desk → user: on its way",
    )
    calls: JsonValue = [
        {"id": "1", "name": "search", "args": {"query": "card", "limit": 3}},
        {"id": "2", "name": "search", "args": {"query": "post"}},
    ]
    messages = list(made.trace.messages)
    messages[1] = replace(messages[1], content={"tool_calls": calls})
    return replace(made, trace=replace(made.trace, messages=tuple(messages)))


@pytest.mark.parametrize(
    ("scorer", "passes"),
    [
        (called_tool("search"), True),
        (called_tool("search", query="card"), True),
        (called_tool("search", query="card", limit=3), True),
        (called_tool("search", query="post", limit=3), False),
        (called_tool("search", query=lambda query: "os" in str(query)), True),
        (called_tool("search", limit=lambda limit: limit == 4), False),
        (called_tool("book"), False),
    ],
)
def test_a_tool_was_called_with_arguments(
    sample: Sample, judged: Callable[..., Score], scorer: Scorer, passes: bool
) -> None:
    assert judged(scorer, sample).value is passes


def test_the_rationale_names_the_message_or_what_was_called_instead(
    sample: Sample, judged: Callable[..., Score], conversation: Callable[..., Sample]
) -> None:
    assert judged(called_tool("search", limit=3), sample).rationale == (
        "search was called so in #2 desk → search."
    )
    assert judged(called_tool("search", query="x"), sample).rationale == (
        "search was not called so: its arguments were #2 desk {'query': 'card', 'limit': 3}; "
        "#2 desk {'query': 'post'}."
    )
    assert judged(called_tool("book"), sample).rationale == (
        "book was not called so: calls stand in #2 desk → search."
    )
    assert judged(called_tool("book"), conversation("desk → user: hello")).rationale == (
        "book was not called so: no tool was called."
    )


def test_a_predicate_that_raises_is_an_error(sample: Sample, judged: Callable[..., Score]) -> None:
    def broken(query: object) -> bool:
        raise LookupError(query)

    assert str(judged(called_tool("search", query=broken), sample).error) == "LookupError: card"
