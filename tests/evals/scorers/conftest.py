"""Conversations that are written down as lines, and a scorer that judges them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import JsonValue

from linenotes.evals import Sample, Score, Scorer, score_sample
from linenotes.tracing import Message, MessageKind, Span

Conversation = Callable[..., Sample]
Judge = Callable[..., Score]
_LINE = re.compile(r"(?:(\w+) )?(\S+) → ?(.*?): (.*)")


@pytest.fixture
def conversation(make_sample: Callable[..., Sample]) -> Conversation:
    """Return a sample from lines such as `handoff triage → specialist, reviewer: over to you`.

    A line is a reply unless it says so, and answers the line before it; `causes` names, by their
    places, what another one answers. The messages last a second each.
    """

    def make(*lines: str, causes: dict[int, list[int]] | None = None, **changes: object) -> Sample:
        messages = []
        for number, line in enumerate(lines):
            found = _LINE.fullmatch(line)
            assert found, line
            before = (causes or {}).get(number, [number - 1] if number else [])
            messages.append(_message(number, *found.groups(), before=before))
        sample = make_sample()
        trace = replace(sample.trace, messages=tuple(messages))
        return replace(sample, trace=trace, **changes)  # type: ignore[arg-type]

    return make


def _message(
    number: int, kind: str | None, sender: str, recipients: str, text: str, *, before: list[int]
) -> Message:
    kinds: dict[str, MessageKind] = {"handoff": "handoff", "call": "call", "result": "result"}
    kinds |= {"ack": "ack", "input": "input", "send": "send"}
    start = 1_790_000_000_000_000_000 + number * 1_000_000_000
    return Message(
        id=f"m{number}",
        kind=kinds[kind] if kind else "reply",
        sender=sender,
        recipients=tuple(one for one in recipients.split(", ") if one),
        cause=tuple(f"m{place}" for place in before),
        text=text,
        start_ns=start,
        end_ns=start + 1_000_000_000,
    )


@pytest.fixture
def judged() -> Judge:
    """Return what one scorer says of a sample."""

    def judge(scorer: Scorer, sample: Sample) -> Score:
        (score,) = asyncio.run(score_sample(sample, [scorer]))
        return score

    return judge


@pytest.fixture
def with_tools(conversation: Conversation) -> Sample:
    """A sample whose desk looked something up, with the spans of it."""
    sample = conversation(
        "input user → desk: where is my card",
        "call desk → search: search(query='card')",
        "result search → desk: it is on its way",
        "desk → user: on its way",
        output={"answer": "on its way"},
    )
    messages = list(sample.trace.messages)
    call: JsonValue = {"id": "t1", "name": "search", "args": {"query": "card"}}
    messages[1] = replace(messages[1], content={"tool_calls": [call]})
    messages[2] = replace(messages[2], tool_call_id="t1")
    start, end = messages[0].start_ns, messages[-1].end_ns
    desk = Span("a" * 16, None, "desk", "AGENT", start, end, inputs="where", outputs="on its way")
    search = Span("b" * 16, desk.span_id, "search", "TOOL", start, end, inputs={"query": "card"})
    trace = replace(sample.trace, messages=tuple(messages), spans=(desk, search))
    expected = {"answer": "on its way", "expected_tools": ["search"]}
    case = sample.case.model_copy(update={"expectations": expected})
    return replace(sample, trace=trace, case=case)
