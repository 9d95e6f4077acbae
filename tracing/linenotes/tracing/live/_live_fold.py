"""The lines of a live log folded into spans and rows: what a later line says replaces the earlier.

Lines about one span or one row may come several times, since LangGraph names agents and gives ids
to messages late. A line of a kind that is not known is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue, TypeAdapter

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import Message
from linenotes.tracing._trace import Span, SpanEvent
from linenotes.tracing.recorder._live_log import LiveHeader

Line = dict[str, Any]


@dataclass(slots=True)
class LiveRow:
    """One row of the ledger, and the spans that sent and received it."""

    message: Message
    sender: str | None
    receivers: list[str]


@dataclass(slots=True)
class LiveFold:
    """What the lines so far say."""

    header: LiveHeader
    graph: str = ""
    """The name of the first graph."""
    graph_ns: int = 0
    """When the last graph began."""
    thread: str | None = None
    """The LangGraph thread that the last graph goes on with."""
    spans: dict[str, Span] = field(default_factory=dict)
    held: dict[str, list[int]] = field(default_factory=dict)
    """Running span to the rows that it will have received if it proves to be an agent."""
    plumbing: dict[str, str | None] = field(default_factory=dict)
    """Spans that proved to be no agents, each with its parent."""
    rows: dict[int, LiveRow] = field(default_factory=dict)
    row_of_span: dict[str, int] = field(default_factory=dict)
    """Span of a model or a tool to the row that it ended in."""
    new_ids: dict[str, str] = field(default_factory=dict)
    """The ids that messages had first, each with the one that LangGraph gave later."""
    end: Line | None = None
    """The last line of a recording that came to its end."""

    def add(self, line: Line) -> None:
        """Take in the next line.

        Raises:
            KeyError: it lacks something, or is about a span or a row that nobody began.
            TypeError: something in it is of another type.
            ValueError: its message is none.
        """
        if "span" in line:
            self.held[line["span"]] = line["holds"]
            self.spans[line["span"]] = _span(line)
        elif "end" in line:
            self._end_span(line)
        elif "row" in line:
            self._take_row(line)
        elif "gone" in line:
            self.plumbing[line["gone"]] = self.spans.pop(line["gone"]).parent_id
        elif "struck" in line:
            self._strike(line["struck"])
        elif "graph" in line:
            self.graph, self.graph_ns = self.graph or line["graph"], line["start"]
            self.thread = line["thread"]
        elif "ended" in line:
            self.end = line

    def _end_span(self, line: Line) -> None:
        began = self.spans[line["end"]]
        error = (exception_event(line["error"], line["at"]),) if line["error"] else ()
        self.spans[began.span_id] = replace(
            began, end_ns=line["at"], status=line["status"], events=error
        )
        if line["row"] is not None:
            self.row_of_span[began.span_id] = line["row"]

    def _take_row(self, line: Line) -> None:
        known = self.rows.get(line["row"])
        if known is None:
            message = _MESSAGE.validate_python(line["message"])
        else:
            message = _MESSAGE.validate_python({**_fields(known.message), **line["message"]})
            if message.id != known.message.id:
                self.new_ids[known.message.id] = message.id
        self.rows[line["row"]] = LiveRow(message, line["from"], line["to"])

    def _strike(self, numbers: list[int]) -> None:
        """Take out rows that proved to be no messages; what they answered takes their place."""
        struck = {row.message.id: row.message.cause for row in map(self.rows.pop, numbers)}
        for row in self.rows.values():
            cause: list[str] = []
            pending = [self.new_ids.get(one, one) for one in reversed(row.message.cause)]
            while pending:
                one = pending.pop()
                if one in struck:
                    pending += reversed(struck[one])
                else:
                    cause.append(one)
            row.message = replace(row.message, cause=tuple(cause))

    @property
    def heard_ns(self) -> int:
        """When the recording was last heard of."""
        spans = (at for s in self.spans.values() for at in (s.start_ns, s.end_ns or 0))
        rows = (row.message.end_ns for row in self.rows.values())
        ended = self.end["ended"] if self.end else 0
        return max(self.header.start_ns, ended, *spans, *rows)


def exception_event(error: str, at_ns: int) -> SpanEvent:
    """Return an exception, given as `Type: message`, as an OpenTelemetry event."""
    kind, _, message = error.partition(": ")
    said: dict[str, JsonValue] = {names.EXCEPTION_TYPE: kind, names.EXCEPTION_MESSAGE: message}
    return SpanEvent(names.EXCEPTION, at_ns, said)


def _span(line: Line) -> Span:
    return Span(
        span_id=line["span"],
        parent_id=line["parent"],
        name=line["name"],
        type=line["type"],
        start_ns=line["start"],
        attributes=line["attributes"],
    )


def _fields(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in Message.__slots__}


_MESSAGE = TypeAdapter(Message)
