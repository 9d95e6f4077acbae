"""Graphs that nobody here wrote, and what holds for the ledger of any graph."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.graph.state import CompiledStateGraph

from linenotes.evals.testing import Exchange, ScriptedServer
from linenotes.tracing import USER, Ledger, Message, Span, Tokens, Trace, record

if TYPE_CHECKING:
    from langgraph.types import StreamMode

Graph = CompiledStateGraph[Any, Any, Any, Any]
Inputs = dict[str, Any]
PLUMBING = frozenset({"", "None", "__end__", "__start__", "model", "tools"})
LONG_ENOUGH = 20
"""Letters from which on a quotation is one and no chance."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A provider in the environment, so that graphs find it as they find OpenAI."""
    with ScriptedServer() as server, server.in_environment():
        yield server


@dataclass(frozen=True)
class Played:
    """What came of running a graph once."""

    trace: Trace
    output: object
    exchanges: tuple[Exchange, ...]


@pytest.fixture
def play(server: ScriptedServer) -> Iterator[Callable[..., Played]]:
    """Run a graph as `invoke`, `ainvoke`, `stream` or `astream` do, inside `record()`."""

    def run(graph: Graph, inputs: Inputs, way: str = "invoke") -> Played:
        before = len(server.exchanges)
        with record() as ledger:
            output = _run(graph, inputs, way, runner)
        return Played(ledger.trace, output, server.exchanges[before:])

    with asyncio.Runner() as runner:
        yield run


def _run(graph: Graph, inputs: Inputs, way: str, runner: asyncio.Runner) -> object:
    async def consume() -> object:
        modes: list[StreamMode] = ["messages", "values"]
        parts = graph.astream(inputs, stream_mode=modes, subgraphs=True)
        values = [value async for inside, mode, value in parts if mode == "values" and not inside]
        return values[-1]

    match way:
        case "invoke":
            return graph.invoke(inputs)
        case "ainvoke":
            return runner.run(graph.ainvoke(inputs), context=copy_context())
        case "stream":
            parts = graph.stream(inputs, stream_mode=["updates", "values"])
            return [value for mode, value in parts if mode == "values"][-1]
        case _:
            return runner.run(consume(), context=copy_context())


@pytest.fixture
def played() -> Callable[..., Played]:
    """Put together what a test ran itself."""
    return lambda trace, output, exchanges: Played(trace, output, tuple(exchanges))


@pytest.fixture
def screenplay() -> Callable[[Ledger], list[tuple[str, str, str, str]]]:
    """The ledger as (sender, recipients, kind, text)."""
    return lambda ledger: [
        (message.sender, ", ".join(sorted(message.recipients)), message.kind, message.text)
        for message in ledger
    ]


@pytest.fixture
def faults() -> Callable[..., list[str]]:
    """Find what is wrong with a ledger, whatever the graph: one line a fault."""

    def find(played: Played, *, agents: Sequence[str] = ()) -> list[str]:
        trace = played.trace
        return [
            *_faults_of_ids(trace.messages),
            *_faults_of_actors(trace.messages, agents),
            *_faults_of_calls(played),
            *_faults_of_results(played),
            *_faults_of_deliveries(played),
            *_faults_of_spans(trace.spans),
            *(["a trace is not what its JSON says"] if _changed(trace) else []),
        ]

    return find


def _changed(trace: Trace) -> bool:
    return Trace.from_json(trace.to_json()) != trace


def _faults_of_ids(messages: Sequence[Message]) -> Iterator[str]:
    known: set[str] = set()
    for message in messages:
        if message.id in known:
            yield f"two messages have the id {message.id}"
        for cause in set(message.cause) - known:
            yield f"{_told(message)}: its cause {cause} is no earlier message"
        if message.end_ns < message.start_ns:
            yield f"{_told(message)}: ends before it starts"
        known.add(message.id)


def _faults_of_actors(messages: Sequence[Message], agents: Sequence[str]) -> Iterator[str]:
    for message in messages:
        for actor in (message.sender, *message.recipients, *message.seen_by):
            if not PLUMBING.isdisjoint(actor.split("/")):
                yield f"{_told(message)}: {actor!r} is no actor"
        if message.kind == "handoff" and agents:
            for recipient in message.recipients:
                if recipient.rpartition("/")[2] not in agents:
                    yield f"{_told(message)}: {recipient!r} is no agent"
        if message.kind == "ack" and message.sampled:
            yield f"{_told(message)}: a model said it, so it is no ack"


def _faults_of_calls(played: Played) -> Iterator[str]:
    """Every reply of the server is exactly one sampled message, with its usage."""
    sampled = [message for message in played.trace.messages if message.sampled]
    if len(sampled) != len(played.exchanges):
        yield f"{len(played.exchanges)} model calls, {len(sampled)} sampled messages"
    said = Counter(_usage(exchange) for exchange in played.exchanges)
    heard = Counter(message.tokens for message in sampled)
    if said != heard:
        yield f"usage differs: {said - heard} not heard, {heard - said} not said"
    texts = [message.text for message in sampled]
    for exchange in played.exchanges:
        for part in (exchange.text, *(call.name for call in exchange.tool_calls)):
            if not any(part in text or (text and text in part) for text in texts):
                yield f"nobody says {part!r}"


def _usage(exchange: Exchange) -> Tokens:
    return exchange.tokens if exchange.request.include_usage else Tokens()


def _faults_of_results(played: Played) -> Iterator[str]:
    results = {m.text for m in played.trace.messages if m.kind in {"result", "ack"}}
    read = {t.text for e in played.exchanges for t in e.request.turns if t.role == "tool"}
    for text in sorted(read - results):
        yield f"the tool result {text!r} is no row"
    rows = {message.id for message in played.trace.messages}
    handed = [message.text for message in played.trace.messages if message.kind == "handoff"]
    for span in played.trace.spans:
        known = span.attributes.get("linenotes.message.id") in rows
        called = "gen_ai.tool.call.id" in span.attributes
        if (
            span.type == "TOOL"
            and called
            and not known
            and not any(span.name in text for text in handed)
        ):
            yield f"the tool {span.name!r} ran and its result is no row"


def _faults_of_deliveries(played: Played) -> Iterator[str]:
    """Whoever was shown a reply, in whatever form, is among those who got or saw it."""
    said = _rows(played)
    for exchange, message in said:
        if len(exchange.text) < LONG_ENOUGH:
            continue
        reached = {message.sender, *message.recipients, *message.seen_by}
        for later, reader in said:
            shown = later is not exchange and exchange.text in later.request.prompt
            if shown and reader.sender not in reached:
                yield f"{_told(message)}: {reader.sender} read it unseen"
        if exchange.text in _final_text(played.output) and USER not in reached:
            yield f"{_told(message)}: the user got it unseen"


def _rows(played: Played) -> list[tuple[Exchange, Message]]:
    """Pair each exchange with the message that it became, by what was said."""
    left = [message for message in played.trace.messages if message.sampled]
    pairs = []
    for exchange in played.exchanges:
        parts = [exchange.text, *(call.name for call in exchange.tool_calls)]
        fits = [m for m in left if all(part in m.text for part in parts)]
        if fits:
            pairs.append((exchange, fits[0]))
            left.remove(fits[0])
    return pairs


def _final_text(output: object) -> str:
    """Return the last message of the final state, what a person would be shown."""
    messages = output.get("messages") if isinstance(output, dict) else None
    if not messages or not isinstance(messages[-1], BaseMessage):
        return str(output) if messages is None else ""
    return str(messages[-1].text)


def _faults_of_spans(spans: Sequence[Span]) -> Iterator[str]:
    known: dict[str, Span] = {}
    for span in spans:
        if span.span_id in known:
            yield f"two spans have the id {span.span_id}"
        if span.end_ns is None:
            yield f"{span.name}: never ends"
        parent = known.get(span.parent_id or "")
        if span.parent_id and parent is None:
            yield f"{span.name}: its parent is no earlier span"
        if parent and not _contains(parent, span):
            yield f"{span.name}: is not inside {parent.name}"
        known[span.span_id] = span


def _contains(outer: Span, inner: Span) -> bool:
    ends = outer.end_ns is None or inner.end_ns is None or inner.end_ns <= outer.end_ns
    return outer.start_ns <= inner.start_ns and ends


def _told(message: Message) -> str:
    return f"{message.kind} {message.route}: {message.text[:50]!r}"
