"""From a live log to the trace as far as it had come.

What follows the last newline was cut off in writing and is left out, and so is everything after a
line that makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson
from pydantic import JsonValue, TypeAdapter, ValidationError

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER, Message
from linenotes.tracing._trace import Span, Trace, TraceState
from linenotes.tracing._usage import usage_attributes
from linenotes.tracing.live._live_fold import Line, LiveFold
from linenotes.tracing.recorder._live_log import LiveHeader

_NO_SENSE = (AttributeError, KeyError, TypeError, ValueError, ValidationError)


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
    """When it was last heard of, in nanoseconds since the epoch."""
    pid: int
    """The process that wrote it."""


def read_live(content: bytes, *, alive: bool) -> LiveTrace | None:
    """Return what a live log holds; None when it does not begin as one."""
    lines = _lines(content)
    try:
        header = _HEADER.validate_python(next(lines))
    except (StopIteration, *_NO_SENSE):
        return None
    fold = LiveFold(header)
    with suppress(*_NO_SENSE):
        for line in lines:
            fold.add(line)
    _deliver_held(fold)
    return LiveTrace(
        _trace(fold),
        alive=alive,
        ended=fold.end is not None,
        heard_ns=fold.heard_ns,
        pid=header.pid,
    )


def _lines(content: bytes) -> Iterator[Line]:
    for text in content.split(b"\n")[:-1]:
        line = orjson.loads(text)
        if not isinstance(line, dict):
            raise TypeError(f"A line must be an object, not {line!r}.")
        yield line


def _deliver_held(fold: LiveFold) -> None:
    """Give the innermost running agents what they hold, as the end of a recording does."""
    running = [span for span in fold.spans.values() if span.end_ns is None]
    outer = {span.parent_id for span in running}
    for span in running:
        actor = str(span.attributes.get(names.AGENT_NAME))
        held = fold.held[span.span_id] if span.span_id not in outer else []
        for row in (fold.rows[number] for number in held if number in fold.rows):
            if span.span_id not in row.receivers and row.sender != span.span_id:
                row.receivers.append(span.span_id)
                reached = dict.fromkeys((*row.message.recipients, actor))
                row.message = replace(row.message, recipients=tuple(reached))


def _trace(fold: LiveFold) -> Trace:
    header, end = fold.header, fold.end
    messages = tuple(_with_new_ids(row.message, fold) for row in fold.rows.values())
    name = header.agent or fold.graph or "agent"
    state: TraceState = end["state"] if end else "IN_PROGRESS"
    return Trace(
        trace_id=header.trace_id,
        name=name,
        state=state,
        start_ns=header.start_ns,
        end_ns=end["ended"] if end else None,
        request="\n".join(m.text for m in messages if m.kind == "input"),
        response="\n".join(
            m.text for m in messages if USER in m.recipients and m.start_ns >= fold.graph_ns
        ),
        spans=(
            _root(fold, name, state, messages),
            *(_filled(span, fold) for span in fold.spans.values()),
        ),
        messages=messages,
        case=header.case,
        sample=header.sample,
        thread=fold.thread,
        error=end["error"] if end else None,
    )


def _with_new_ids(message: Message, fold: LiveFold) -> Message:
    return replace(message, cause=tuple(fold.new_ids.get(c, c) for c in message.cause))


def _root(fold: LiveFold, name: str, state: TraceState, messages: tuple[Message, ...]) -> Span:
    from linenotes.tracing.recorder._content import bubbles  # it needs LangChain

    header = fold.header
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
        end_ns=fold.end["ended"] if fold.end else None,
        status="UNSET" if state == "IN_PROGRESS" else state,
        inputs=bubbles(m for m in messages if m.kind == "input"),
        outputs=bubbles(m for m in messages if m.recipients and m.kind != "ack"),
        attributes=attributes,
    )


def _filled(span: Span, fold: LiveFold) -> Span:
    """Return a span under its nearest span that is no plumbing, with what it received and sent."""
    parent = span.parent_id
    while parent in fold.plumbing:
        parent = fold.plumbing[parent]
    span = replace(span, parent_id=parent)
    if span.type == "AGENT":
        return _with_messages(span, fold)
    said = fold.rows.get(fold.row_of_span.get(span.span_id, -1))
    return _with_reply(span, said.message) if said else span


def _with_messages(span: Span, fold: LiveFold) -> Span:
    from linenotes.tracing.recorder._content import bubbles  # it needs LangChain

    received = [r.message for r in fold.rows.values() if span.span_id in r.receivers]
    sent = [r.message for r in fold.rows.values() if r.sender == span.span_id]
    attributes: dict[str, JsonValue] = {
        **span.attributes,
        names.MESSAGES_RECEIVED: [message.id for message in received],
        names.MESSAGES_SENT: [message.id for message in sent],
    }
    return replace(span, inputs=bubbles(received), outputs=bubbles(sent), attributes=attributes)


def _with_reply(span: Span, message: Message) -> Span:
    """Return the span of a model or a tool with its message and the tokens that it took."""
    attributes = {**span.attributes, names.MESSAGE_ID: message.id}
    if message.model:
        attributes |= {names.REQUEST_MODEL: message.model, names.MLFLOW_MODEL: message.model}
    attributes |= usage_attributes(message.tokens)
    return replace(span, outputs=message.text, attributes=attributes)


_HEADER = TypeAdapter(LiveHeader)
