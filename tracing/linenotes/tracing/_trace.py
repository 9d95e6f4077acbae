"""One execution as a tree of spans with its ledger: what the recorder makes and stores keep.

A `Trace` is plain data. It goes into the journal as JSON, to MLflow through the trace store,
and comes back from either unchanged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import orjson
from pydantic import JsonValue, TypeAdapter

from linenotes.project import RunError
from linenotes.tracing._conventions import (
    AGENT_NAME,
    EXCEPTION,
    EXCEPTION_MESSAGE,
    EXCEPTION_TYPE,
)
from linenotes.tracing._ledger import Ledger, Message
from linenotes.tracing._values import json_value

_PREFIX = "tr-"
_FEWEST_DIGITS = 4
"""Of the start of an id that is to mean one trace."""
SpanType = Literal["WORKFLOW", "AGENT", "CHAT_MODEL", "TOOL", "HANDOFF", "RETRIEVER"]
TraceState = Literal["OK", "ERROR", "IN_PROGRESS"]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Points from a span to the span that produced something it received."""

    span_id: str
    attributes: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span, such as an exception."""

    name: str
    time_ns: int
    attributes: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def error_type(self) -> str | None:
        """The class of an exception."""
        return _text(self.attributes.get(EXCEPTION_TYPE))

    @property
    def error_text(self) -> str | None:
        """What an exception says."""
        return _text(self.attributes.get(EXCEPTION_MESSAGE))

    @property
    def error(self) -> str:
        """Class and text of an exception, as far as they are known."""
        return ": ".join(part for part in (self.error_type, self.error_text) if part)


@dataclass(frozen=True, slots=True)
class Span:
    """One unit of work. Times are nanoseconds since the epoch; `end_ns` is None while it runs."""

    span_id: str
    """16 hex digits."""
    parent_id: str | None
    name: str
    type: SpanType
    start_ns: int
    end_ns: int | None = None
    status: Literal["OK", "ERROR", "UNSET"] = "UNSET"
    inputs: JsonValue = None
    outputs: JsonValue = None
    attributes: dict[str, JsonValue] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()

    @property
    def exception(self) -> SpanEvent | None:
        """The first exception that was raised in it."""
        return next((event for event in self.events if event.name == EXCEPTION), None)


@dataclass(frozen=True, slots=True)
class Trace:
    """One execution of a graph: its spans, parents before children, and its messages."""

    trace_id: str
    """`tr-` and 32 hex digits, as MLflow writes it."""
    name: str
    """The agent's name."""
    state: TraceState
    start_ns: int
    end_ns: int | None
    request: str
    """What the user asked, as text."""
    response: str
    """What the user got, as text."""
    spans: tuple[Span, ...]
    messages: tuple[Message, ...]
    case: str | None = None
    sample: int | None = None
    thread: str | None = None
    """LangGraph's id of the conversation that the execution is a part of, if it has one."""
    error: str | None = None
    """`ExceptionType: message` of what ended the execution early."""

    @property
    def ledger(self) -> Ledger:
        """The messages as a ledger."""
        return Ledger(self.messages)

    @property
    def running(self) -> tuple[str, ...]:
        """The agents that had not ended: the innermost ones, in the order in which they began."""
        open_ = [s for s in self.spans if s.type == "AGENT" and s.end_ns is None]
        outer = {span.parent_id for span in open_}
        found = (s.attributes.get(AGENT_NAME, s.name) for s in open_ if s.span_id not in outer)
        return tuple(dict.fromkeys(str(name) for name in found))

    @property
    def last_ns(self) -> int:
        """The last moment of which the trace knows anything: the end of what has not ended."""
        moments = [self.start_ns, *(message.end_ns for message in self.messages)]
        for span in self.spans:
            moments += [span.start_ns, span.end_ns or 0, *(event.time_ns for event in span.events)]
        return max(moments)

    def to_json(self) -> bytes:
        """Return the trace as one JSON document on one line."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, document: bytes | str) -> Trace:
        """Return the trace that `to_json` wrote.

        Raises:
            pydantic.ValidationError: the document is not a trace.
        """
        return _TRACE.validate_json(document)


_TRACE = TypeAdapter(Trace)


def storable(trace: Trace) -> Trace:
    """Return `trace` with whatever no JSON can hold, such as half an emoji, written out."""
    try:
        trace.to_json()
    except TypeError:
        return Trace.from_json(orjson.dumps(json_value(trace)))
    return trace


def spans_of(trace: Trace) -> tuple[Span, ...]:
    """Return the spans of `trace`; a root for one that ended before its first.

    Collectors keep no trace without spans.
    """
    return trace.spans or (
        Span(
            span_id=trace.trace_id[-16:],
            parent_id=None,
            name=trace.name,
            type="WORKFLOW",
            start_ns=trace.start_ns,
            end_ns=trace.end_ns,
        ),
    )


def trace_id_for(*identity: str | int) -> str:
    """Return the trace id of `identity`, such as (run, case, sample): the same for the same.

    Ids that follow from what they identify make writing a trace twice harmless.
    """
    text = "\x1f".join(str(part) for part in identity)
    return "tr-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def trace_id_prefix(name: str) -> str:
    """Return the start of a trace's id that `name` is, with or without its `tr-`.

    Raises:
        RunError: it is not one, or too short to mean a certain trace.
    """
    digits = name.lower().removeprefix(_PREFIX)
    if not set(digits) <= set("0123456789abcdef"):
        raise RunError(
            f"{name!r} is not the id of a trace. "
            "It is `tr-` and hex digits, as `linenotes trace list` shows it, or `latest`."
        )
    if len(digits) < _FEWEST_DIGITS:
        raise RunError(
            f"{name!r} is too short for the id of a trace. Give `tr-` and at least "
            f"{_FEWEST_DIGITS} digits, as `linenotes trace list` shows them, or `latest`."
        )
    return _PREFIX + digits


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
