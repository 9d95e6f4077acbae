"""What went otherwise than planned, and where among the messages: errors and interruptions.

They are read from the spans. An exception shows at the deepest span that it passed through:
recorders of others write it on every span above as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from linenotes.tracing._conventions import (
    AGENT_NAME,
    EXCEPTION,
    INTERRUPT,
    INTERRUPT_VALUE,
)
from linenotes.tracing._ledger import Message
from linenotes.tracing._trace import Span, SpanEvent, Trace
from linenotes.tracing.views._focus import Focus, shallow_name
from linenotes.tracing.views._instances import told_apart


@dataclass(frozen=True, slots=True)
class Incident:
    """An error or an interruption."""

    kind: Literal["error", "interrupt"]
    actor: str | None
    """In whose hands it happened; None where it was nobody's, such as a limit of the graph."""
    text: str
    time_ns: int
    span_id: str | None = None

    @property
    def title(self) -> str:
        """What it is, in a word or two."""
        return "failed" if self.kind == "error" else "waits for an answer"

    @property
    def mark(self) -> str:
        """A sign for it; that of an interruption is calm, as nothing is wrong."""
        return "✗" if self.kind == "error" else "‖"


def incidents(trace: Trace) -> tuple[Incident, ...]:
    """Return what happened, in the order of time."""
    spans = {span.span_id: span for span in trace.spans}
    found = [
        incident
        for span in trace.spans
        for event in span.events
        if (incident := _incident(event, span, spans))
    ]
    passed = {
        (above.span_id, incident.text)
        for incident in found
        for above in _above(spans[incident.span_id or ""], spans)
    }
    deepest = [i for i in found if (i.span_id, i.text) not in passed]
    if trace.error and not any(i.kind == "error" for i in deepest):
        deepest.append(Incident("error", None, trace.error, trace.end_ns or trace.start_ns))
    return tuple(sorted(deepest, key=lambda i: i.time_ns))


def as_told(trace: Trace, focus: Focus | None = None) -> list[Message | Incident]:
    """Return the messages and incidents in focus as they followed each other.

    Messages keep their order; an incident stands after the last one that was there before it.
    Agents that were at work several times at once have numbered names, such as `worker#2`.

    Raises:
        RunError: `focus` names an actor that takes no part.
    """
    trace, focus = told_apart(trace), focus or Focus()
    messages = focus.apply(trace.ledger).messages
    places: list[list[Incident]] = [[] for _ in range(len(messages) + 1)]
    for incident in _in_focus(trace, focus):
        before = [i for i, m in enumerate(messages, 1) if m.end_ns <= incident.time_ns]
        places[before[-1] if before else 0].append(incident)
    told: list[Message | Incident] = [*places[0]]
    for message, after in zip(messages, places[1:], strict=True):
        told += [message, *after]
    return told


def _in_focus(trace: Trace, focus: Focus) -> Iterator[Incident]:
    for incident in incidents(trace):
        actor = incident.actor and shallow_name(incident.actor, focus.depth)
        if actor is None or focus.shows(actor):
            yield replace(incident, actor=actor)


def span_actor(span: Span, spans: Mapping[str, Span]) -> str | None:
    """Return whose work a span is: a tool's own, else that of the nearest agent."""
    if span.type == "TOOL":
        return span.name
    for above in (span, *_above(span, spans)):
        if above.type == "AGENT":
            return str(above.attributes.get(AGENT_NAME) or above.name)
    return None


def event_text(event: SpanEvent) -> str | None:
    """Return what an event says of an error or an interruption, None for other events."""
    if event.name == EXCEPTION:
        return event.error or "error"
    if event.name == INTERRUPT:
        return str(event.attributes.get(INTERRUPT_VALUE) or "interrupted")
    return None


def _incident(event: SpanEvent, span: Span, spans: Mapping[str, Span]) -> Incident | None:
    text = event_text(event)
    if text is None:
        return None
    kind: Literal["error", "interrupt"] = "error" if event.name == EXCEPTION else "interrupt"
    return Incident(kind, span_actor(span, spans), text, event.time_ns, span.span_id)


def _above(span: Span, spans: Mapping[str, Span]) -> Iterator[Span]:
    seen = {span.span_id}
    while (above := spans.get(span.parent_id or "")) and above.span_id not in seen:
        seen.add(above.span_id)
        yield above
        span = above
