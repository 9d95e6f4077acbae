"""From the lines of a live log to the trace as far as it had come.

Lines are folded in order: a later line about a span or a row replaces what an earlier one said.
What follows the last newline was never finished and says nothing, and nothing after a line that
makes no sense is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import JsonValue, TypeAdapter, ValidationError

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER, Message
from linenotes.tracing._trace import Span, SpanEvent, Trace, TraceState
from linenotes.tracing.recorder._live_log import LiveHeader

Line = dict[str, Any]
_SENSELESS = (AttributeError, KeyError, TypeError, ValueError, ValidationError)


@dataclass(frozen=True, slots=True)
class LiveTrace:
    """A recording that no store has yet."""

    trace: Trace
    """What had happened when it was last heard of, with open spans for what ran."""
    alive: bool
    """True while its process goes on with it; it is abandoned otherwise."""
    ended: bool
    """True when it came to its own end, and only nobody has kept its trace."""
    heard_ns: int
    """When it was last heard of."""
    pid: int
    """The process that wrote it."""


def read_live(content: bytes, *, alive: bool) -> LiveTrace | None:
    """Return what a live log holds; None when it does not begin as one."""
    lines = _lines(content)
    try:
        header = _HEADER.validate_python(next(lines))
    except (StopIteration, *_SENSELESS):
        return None
    fold = _Fold(header)
    with suppress(*_SENSELESS):
        for line in lines:
            fold.add(line)
    return fold.live(alive=alive)


def _lines(content: bytes) -> Iterator[Line]:
    for text in content.split(b"\n")[:-1]:
        line = orjson.loads(text)
        if not isinstance(line, dict):
            raise TypeError(f"A line must be an object, not {line!r}.")
        yield line


@dataclass(slots=True)
class _Row:
    """One row of the ledger, and the spans that sent and got it."""

    message: Message
    sender: str | None
    receivers: list[str]


@dataclass(slots=True)
class _Fold:
    """The lines so far."""

    header: LiveHeader
    graph: str = ""
    """The name of the first graph."""
    graph_ns: int = 0
    """When the last graph began."""
    thread: str | None = None
    """The conversation that the last graph goes on with."""
    spans: dict[str, Span] = field(default_factory=dict)
    holds: dict[str, list[int]] = field(default_factory=dict)
    """Agents that run, with the rows that they will have got if they end up as agents."""
    gone: dict[str, str | None] = field(default_factory=dict)
    """Spans that turned out to be plumbing, each with the one that it was inside of."""
    rows: dict[int, _Row] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)
    """Spans of models and tools with the row that they ended in."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Ids that messages had before LangGraph gave them one."""
    end: Line | None = None

    def add(self, line: Line) -> None:
        """Take in the next line."""
        if "span" in line:
            self.holds[line["span"]] = line["holds"]
            self.spans[line["span"]] = _span(line)
        elif "end" in line:
            self._end(line)
        elif "row" in line:
            self._row(line)
        elif "gone" in line:
            self.gone[line["gone"]] = self.spans.pop(line["gone"]).parent_id
        elif "struck" in line:
            self._strike(line["struck"])
        elif "graph" in line:
            self.graph, self.graph_ns = self.graph or line["graph"], line["start"]
            self.thread = line["thread"]
        elif "ended" in line:
            self.end = line

    def _end(self, line: Line) -> None:
        began = self.spans[line["end"]]
        error = (exception_event(line["error"], line["at"]),) if line["error"] else ()
        self.spans[began.span_id] = replace(
            began, end_ns=line["at"], status=line["status"], events=error
        )
        if line["row"] is not None:
            self.said[began.span_id] = line["row"]

    def _row(self, line: Line) -> None:
        known = self.rows.get(line["row"])
        if known is None:
            message = _MESSAGE.validate_python(line["message"])
        else:
            message = _MESSAGE.validate_python({**_plain(known.message), **line["message"]})
            if message.id != known.message.id:
                self.renamed[known.message.id] = message.id
        self.rows[line["row"]] = _Row(message, line["from"], line["to"])

    def _strike(self, numbers: list[int]) -> None:
        """Take rows out that are no messages; what they answered is what led to others."""
        struck = {row.message.id: row.message.cause for row in map(self.rows.pop, numbers)}
        for row in self.rows.values():
            cause: list[str] = []
            pending = [self.renamed.get(one, one) for one in reversed(row.message.cause)]
            while pending:
                one = pending.pop()
                if one in struck:
                    pending += reversed(struck[one])
                else:
                    cause.append(one)
            row.message = replace(row.message, cause=tuple(cause))

    def live(self, *, alive: bool) -> LiveTrace:
        """Return what all the lines say."""
        self._give_out()
        return LiveTrace(
            self._trace(),
            alive=alive,
            ended=self.end is not None,
            heard_ns=self._heard_ns(),
            pid=self.header.pid,
        )

    def _give_out(self) -> None:
        """Let the agents that run have what they were given, as at the end of a recording."""
        open_ = [span for span in self.spans.values() if span.end_ns is None]
        outer = {span.parent_id for span in open_}
        for span in open_:
            actor = str(span.attributes.get(names.AGENT_NAME))
            held = self.holds[span.span_id] if span.span_id not in outer else []
            for row in (self.rows[number] for number in held if number in self.rows):
                if span.span_id not in row.receivers and row.sender != span.span_id:
                    row.receivers.append(span.span_id)
                    reached = dict.fromkeys((*row.message.recipients, actor))
                    row.message = replace(row.message, recipients=tuple(reached))

    def _trace(self) -> Trace:
        header, end = self.header, self.end
        messages = tuple(self._renamed(row.message) for row in self.rows.values())
        name = header.agent or self.graph or "agent"
        state: TraceState = end["state"] if end else "IN_PROGRESS"
        return Trace(
            trace_id=header.trace_id,
            name=name,
            state=state,
            start_ns=header.start_ns,
            end_ns=end["ended"] if end else None,
            request="\n".join(m.text for m in messages if m.kind == "input"),
            response="\n".join(
                m.text for m in messages if USER in m.recipients and m.start_ns >= self.graph_ns
            ),
            spans=(self._root(name, state, messages), *map(self._filled, self.spans.values())),
            messages=messages,
            case=header.case,
            sample=header.sample,
            thread=self.thread,
            error=end["error"] if end else None,
        )

    def _renamed(self, message: Message) -> Message:
        return replace(message, cause=tuple(self.renamed.get(c, c) for c in message.cause))

    def _root(self, name: str, state: TraceState, messages: tuple[Message, ...]) -> Span:
        header = self.header
        attributes: dict[str, JsonValue] = {
            names.OPERATION_NAME: names.INVOKE_AGENT,
            names.AGENT_NAME: name,
            names.SCHEMA: names.SCHEMA_VERSION,
        }
        if header.case is not None:
            attributes[names.CASE] = header.case
        if header.sample is not None:
            attributes[names.SAMPLE] = header.sample
        return Span(
            span_id=header.root_id,
            parent_id=None,
            name=name,
            type="WORKFLOW",
            start_ns=header.start_ns,
            end_ns=self.end["ended"] if self.end else None,
            status="UNSET" if state == "IN_PROGRESS" else state,
            inputs=_bubbles([m for m in messages if m.kind == "input"]),
            outputs=_bubbles([m for m in messages if m.recipients and m.kind != "ack"]),
            attributes=attributes,
        )

    def _filled(self, span: Span) -> Span:
        """Return a span under its parent, with the messages that went into it and came out."""
        parent = span.parent_id
        while parent in self.gone:
            parent = self.gone[parent]
        span = replace(span, parent_id=parent)
        if span.type != "AGENT":
            said = self.rows.get(self.said.get(span.span_id, -1))
            return _with_reply(span, said.message) if said else span
        received = [r.message for r in self.rows.values() if span.span_id in r.receivers]
        sent = [r.message for r in self.rows.values() if r.sender == span.span_id]
        attributes: dict[str, JsonValue] = {
            **span.attributes,
            names.MESSAGES_RECEIVED: [message.id for message in received],
            names.MESSAGES_SENT: [message.id for message in sent],
        }
        return replace(
            span, inputs=_bubbles(received), outputs=_bubbles(sent), attributes=attributes
        )

    def _heard_ns(self) -> int:
        spans = (at for s in self.spans.values() for at in (s.start_ns, s.end_ns or 0))
        rows = (row.message.end_ns for row in self.rows.values())
        ended = self.end["ended"] if self.end else 0
        return max(self.header.start_ns, ended, *spans, *rows)


def _bubbles(messages: Iterable[Message]) -> JsonValue:
    from linenotes.tracing.recorder._content import bubble  # it needs LangChain

    return [bubble(message) for message in messages]


def _span(line: Line) -> Span:
    return Span(
        span_id=line["span"],
        parent_id=line["parent"],
        name=line["name"],
        type=line["type"],
        start_ns=line["start"],
        attributes=line["attributes"],
    )


def _with_reply(span: Span, message: Message) -> Span:
    """Return the span of a model or a tool with what it said, and what that took."""
    attributes = {**span.attributes, names.MESSAGE_ID: message.id}
    if message.model:
        attributes |= {names.REQUEST_MODEL: message.model, names.MLFLOW_MODEL: message.model}
    tokens = message.tokens
    if tokens.total:
        attributes |= {
            names.USAGE_INPUT_TOKENS: tokens.input,
            names.USAGE_OUTPUT_TOKENS: tokens.output,
            names.MLFLOW_TOKEN_USAGE: {
                "input_tokens": tokens.input,
                "output_tokens": tokens.output,
                "total_tokens": tokens.total,
            },
        }
    return replace(span, outputs=message.text, attributes=attributes)


def exception_event(error: str, at: int) -> SpanEvent:
    """Return an exception, given as `Type: message`, as an OpenTelemetry event."""
    kind, _, message = error.partition(": ")
    said: dict[str, JsonValue] = {names.EXCEPTION_TYPE: kind, names.EXCEPTION_MESSAGE: message}
    return SpanEvent(names.EXCEPTION, at, said)


def _plain(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in Message.__slots__}


_HEADER = TypeAdapter(LiveHeader)
_MESSAGE = TypeAdapter(Message)
