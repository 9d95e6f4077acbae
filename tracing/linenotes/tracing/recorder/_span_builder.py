"""The trace of a recording, built from its runs and rows in one go.

Agents, model calls, tools and retrievers make spans, each under the nearest run above it that
makes one; plumbing makes none. A row that was routed makes a tick of its own under its sender.
The receiver's span links to it, and for any other row to the span of the model, tool or agent
that said it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from langgraph.errors import GraphBubbleUp

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER, Message
from linenotes.tracing._trace import Span, SpanEvent, SpanLink, SpanType, Trace, TraceState
from linenotes.tracing._values import json_value
from linenotes.tracing.recorder._content import bubble, error_text, payload_text
from linenotes.tracing.recorder._runs import new_span_id
from linenotes.tracing.recorder._span_content import (
    agent_attributes,
    error_event,
    interrupt_event,
    model_attributes,
    model_request,
    model_response,
    tool_attributes,
    tool_output,
)
from linenotes.tracing.recorder._transfers import transfers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import JsonValue

    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Activation, Run

_ROUTED = frozenset({"handoff", "send"})
SPAN_TYPES: Mapping[str, SpanType] = {
    "model": "CHAT_MODEL",
    "tool": "TOOL",
    "retriever": "RETRIEVER",
    "chain": "AGENT",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Everything that was heard of one execution."""

    trace_id: str
    agent: str | None
    case: str | None
    sample: int | None
    runs: Sequence[Run]
    roots: Sequence[Run]
    rows: Sequence[Entry]
    start_ns: int
    end_ns: int | None
    error: BaseException | None
    interrupted: bool
    root_id: str
    """The id of the root span."""

    @property
    def name(self) -> str:
        """The agent's name: the one it was given, or that of its graph."""
        return self.agent or (self.roots[0].name if self.roots else "") or "agent"

    @property
    def thread(self) -> str | None:
        """The thread of its last graph: a thread id is what LangGraph keeps a state under."""
        return thread_of(self.roots[-1]) if self.roots else None


def build_trace(recorded: Recorded) -> Trace:
    """Return the trace of what was recorded, finished or not."""
    return _Builder(recorded).build()


class _Builder:
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._messages = {row: row.to_message() for row in recorded.rows}
        self._runs = [run for run in recorded.runs if makes_span(run)]
        self._bubbles = {message.id: bubble(message) for message in self._messages.values()}
        self._shapes: dict[int, JsonValue] = {}
        self._origins = {id(run.error): run for run in self._runs if run.error}
        self._links: dict[Run, list[SpanLink]] = {}
        self._said = {run.message: run for run in self._runs if run.message}
        """The model or the tool that said a message."""
        self._transfers = transfers(self._runs, self._messages, lambda run: stay(run).actor)

    def build(self) -> Trace:
        recorded = self._recorded
        handoffs = [span for row in recorded.rows for span in self._delivered(row)]
        spans = [self._root(), *(self._span(run) for run in self._runs), *handoffs]
        last = recorded.roots[-1].start_ns if recorded.roots else 0
        messages = tuple(self._messages.values())
        asked = [message.text for message in messages if message.kind == "input"]
        got = [m.text for m in messages if USER in m.recipients and m.start_ns >= last]
        return Trace(
            trace_id=recorded.trace_id,
            name=recorded.name,
            state=self._state(),
            start_ns=recorded.start_ns,
            end_ns=recorded.end_ns,
            request="\n".join(asked) or self._raw_request(),
            response="\n".join(got),
            spans=tuple(spans),
            messages=messages,
            case=recorded.case,
            sample=recorded.sample,
            thread=recorded.thread,
            error=error_text(recorded.error) if recorded.error else None,
        )

    def _raw_request(self) -> str:
        return payload_text(self._recorded.roots[0].inputs) if self._recorded.roots else ""

    def _state(self) -> TraceState:
        recorded = self._recorded
        if recorded.error is not None:
            return "ERROR"
        waiting = recorded.interrupted or any(root.end_ns is None for root in recorded.roots)
        return "IN_PROGRESS" if waiting or recorded.end_ns is None else "OK"

    def _root(self) -> Span:
        recorded = self._recorded
        asked = [m for m in self._messages.values() if m.kind == "input"]
        shown = [m for m in self._messages.values() if m.recipients and m.kind != "ack"]
        attributes: dict[str, JsonValue] = {
            names.OPERATION_NAME: names.INVOKE_AGENT,
            names.AGENT_NAME: recorded.name,
            names.SCHEMA: names.SCHEMA_VERSION,
        }
        if recorded.case is not None:
            attributes[names.CASE] = recorded.case
        if recorded.sample is not None:
            attributes[names.SAMPLE] = recorded.sample
        error = recorded.error
        arose_here = error is not None and id(error) not in self._origins
        state = self._state()
        return Span(
            span_id=recorded.root_id,
            parent_id=None,
            name=recorded.name,
            type="WORKFLOW",
            start_ns=recorded.start_ns,
            end_ns=recorded.end_ns,
            status="UNSET" if state == "IN_PROGRESS" else state,
            inputs=self._shown(asked) or self._raw_request(),
            outputs=self._shown(shown),
            attributes=attributes,
            events=(error_event(error, recorded.end_ns or 0),) if error and arose_here else (),
        )

    def _span(self, run: Run) -> Span:
        inputs, outputs, attributes = self._contents(run)
        return Span(
            span_id=run.span_id,
            parent_id=parent_id(run, self._recorded.root_id),
            name=span_name(run),
            type=SPAN_TYPES[run.kind],
            start_ns=run.start_ns,
            end_ns=run.end_ns,
            status=span_status(run),
            inputs=inputs,
            outputs=outputs,
            attributes=attributes,
            events=self._events(run),
            links=tuple(self._links.get(run, ())),
        )

    def _contents(self, run: Run) -> tuple[JsonValue, JsonValue, dict[str, JsonValue]]:
        """Return the inputs, outputs and attributes of a run's span."""
        message = self._messages[run.message] if run.message else None
        if run.kind == "model":
            return (
                model_request(run, self._shapes),
                model_response(run, self._shapes),
                model_attributes(run, message),
            )
        if run.kind == "tool":
            said = tool_attributes(run, message) | self._transfers.get(run, {})
            return json_value(run.inputs), tool_output(run), said
        if run.kind == "retriever":
            attributes: dict[str, JsonValue] = {names.OPERATION_NAME: names.RETRIEVAL}
            return json_value(run.inputs), json_value(run.outputs), attributes
        activation = stay(run)
        known = self._messages
        received = [known[row] for row in activation.received if row in known]
        sent = [known[row] for row in activation.sent if row in known]
        attributes = agent_attributes(run, activation.actor, received, sent)
        return self._shown(received), self._shown(sent), attributes

    def _shown(self, messages: Iterable[Message]) -> list[JsonValue]:
        return [self._bubbles[message.id] for message in messages]

    def _events(self, run: Run) -> tuple[SpanEvent, ...]:
        """Return a run's exception where it arose; the spans above it only have its status."""
        if run.error is None or self._origins[id(run.error)] is not run:
            return ()
        if isinstance(run.error, GraphBubbleUp):
            return (interrupt_event(run.error, run.ended_ns),)
        return (error_event(run.error, run.ended_ns),)

    def _delivered(self, row: Entry) -> list[Span]:
        """Link each actor that got a message to the span that said it, for a routed one a tick."""
        message, sender = self._messages[row], row.activation.run if row.activation else None
        at = (sender.end_ns if sender else None) or row.end_ns
        ticks: list[Span] = []
        said = self._said.get(row, sender)
        for receiver in row.deliveries:
            origin = (
                said.span_id if said and makes_span(said) and said is not receiver.run else None
            )
            if row.kind in _ROUTED:
                ticks.append(self._handoff(message, sender, receiver, at))
                origin = ticks[-1].span_id
            if origin:
                link = SpanLink(origin, _relation(message, receiver.actor))
                self._links.setdefault(receiver.run, []).append(link)
        return ticks

    def _handoff(self, message: Message, sender: Run | None, receiver: Activation, at: int) -> Span:
        return Span(
            span_id=new_span_id(),
            parent_id=sender.span_id if sender and makes_span(sender) else self._recorded.root_id,
            name=f"{message.sender.rpartition('/')[2]} → {receiver.name}",
            type="HANDOFF",
            start_ns=at,
            end_ns=at,
            status="OK",
            inputs=self._shown([message]),
            attributes={
                names.TRANSFER_MODE: names.HAND_OVER,
                names.TRANSFER_TARGET: receiver.actor,
                **_relation(message, receiver.actor),
            },
        )


def _relation(message: Message, recipient: str) -> dict[str, JsonValue]:
    return {
        names.MESSAGE_ID: message.id,
        names.MESSAGE_KIND: message.kind,
        names.MESSAGE_SENDER: message.sender,
        names.MESSAGE_RECIPIENT: recipient,
    }


def thread_of(root: Run) -> str | None:
    """Return LangGraph's id of the conversation that a graph goes on with."""
    thread = root.details.get("thread_id")
    return None if thread is None else str(thread)


def makes_span(run: Run) -> bool:
    """Tell whether `run` makes a span; plumbing makes none."""
    if run.kind != "chain":
        return True
    if run.scope and run.scope.activation and run.scope.activation.run is run:
        return True
    return run.activation is not None and run.activation.run is run


def parent_id(run: Run, root_id: str) -> str:
    """Return the id of the span that the span of `run` is inside of."""
    above = run.parent
    while above is not None and not makes_span(above):
        above = above.parent
    return above.span_id if above else root_id


def stay(run: Run) -> Activation:
    """Return the activation whose span is that of `run`, which is an agent's."""
    activation = run.scope.activation if run.scope and run.scope.activation else run.activation
    assert activation is not None
    return activation


def span_name(run: Run) -> str:
    """Return the name of the span of `run`."""
    if run.kind == "model":
        return f"{names.CHAT} {run.model or 'model'}"
    return stay(run).name if run.kind == "chain" else run.name


def span_status(run: Run) -> Literal["OK", "ERROR", "UNSET"]:
    """Return how `run` ended; UNSET while it runs or waits for a person."""
    if run.end_ns is None or isinstance(run.error, GraphBubbleUp):
        return "UNSET"
    return "ERROR" if run.error else "OK"
