"""The messages of a trace that linenotes itself exported: they are on its spans by their ids.

The spans of agents hold what each received and sent, with ids and routes; the spans of models,
tools and handoffs say when it was said, by which model, and of what kind it is. What it cost is
not exported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import USER, Message, MessageKind
from linenotes.tracing.files._chat_messages import read_messages
from linenotes.tracing.files._otlp_attributes import agent_name, model_of, tokens_of
from linenotes.tracing.files._otlp_ledger import OtlpLedger
from linenotes.tracing.files._otlp_messages import content_of, plain_messages

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.files._otlp_json import OtlpSpan

_ARROW = " → "
_SIDES = (
    (names.MESSAGES_RECEIVED, names.INPUT_MESSAGES),
    (names.MESSAGES_SENT, names.OUTPUT_MESSAGES),
)


def exported_by_linenotes(spans: Sequence[OtlpSpan]) -> bool:
    """Return whether linenotes recorded the spans."""
    return any(names.MESSAGES_SENT in span.attributes for span in spans)


def exported_ledger(spans: Sequence[OtlpSpan]) -> OtlpLedger:
    """Return the ledger of one trace that linenotes exported."""
    agents = [span for span in spans if names.MESSAGES_SENT in span.attributes]
    said = {
        str(span.attributes[names.MESSAGE_ID]): span
        for span in spans
        if names.MESSAGE_ID in span.attributes
    }
    rows: dict[str, Message] = {}
    for agent in sorted(agents, key=lambda span: span.start_ns):
        for row in _rows(agent):
            rows.setdefault(row.id, row)
    found = [_completed(row, said.get(row.id)) for row in rows.values()]
    ordered = sorted(found, key=lambda row: row.end_ns)
    received, sent = (
        {span.span_id: _ids(span.attributes.get(key)) for span in agents} for key, _ in _SIDES
    )
    return OtlpLedger(
        messages=tuple(_with_causes(ordered, received, sent)),
        received=received,
        sent=sent,
        of_span={span.span_id: message_id for message_id, span in said.items()},
    )


def _rows(agent: OtlpSpan) -> Iterator[Message]:
    """Yield what an agent's span received and sent."""
    for ids, contents in _SIDES:
        written = content_of(agent.attributes.get(contents))
        bubbles = written if isinstance(written, list) else []
        received = ids == names.MESSAGES_RECEIVED
        at = agent.start_ns if received else agent.end_ns
        for message_id, bubble in zip(_ids(agent.attributes.get(ids)), bubbles, strict=False):
            if isinstance(bubble, dict):
                yield replace(_row(message_id, bubble, agent_name(agent)), start_ns=at, end_ns=at)


def _row(message_id: str, bubble: dict[str, JsonValue], actor: str) -> Message:
    role = str(bubble.get("role", ""))
    is_result = role == "tool"
    sender, _, recipients = role.partition(_ARROW)
    plain = plain_messages([{**bubble, "role": "tool" if is_result else "assistant"}])
    (chat, *_) = read_messages(plain, message_id)
    kind: MessageKind = "call" if chat.calls else "input" if sender == USER else "reply"
    return Message(
        id=message_id,
        kind="result" if is_result else kind,
        sender=str(bubble.get("name", "tool")) if is_result else sender,
        text=chat.spoken,
        recipients=(actor,) if is_result else tuple(filter(None, recipients.split(", "))),
        content=chat.content,
        tool_call_id=chat.call_id or chat.only_call_id,
    )


def _completed(row: Message, span: OtlpSpan | None) -> Message:
    """Return a row with what the span says that stands for it."""
    if span is None:
        return row
    timed = replace(row, start_ns=span.start_ns, end_ns=span.end_ns)
    if kind := span.attributes.get(names.MESSAGE_KIND):
        return replace(timed, kind=kind)  # type: ignore[arg-type]  # written by linenotes
    if span.attributes.get(names.OPERATION_NAME) != names.CHAT:
        return timed
    return replace(timed, sampled=True, model=model_of(span), tokens=tokens_of(span))


def _with_causes(
    rows: Sequence[Message],
    received: Mapping[str, Sequence[str]],
    sent: Mapping[str, Sequence[str]],
) -> Iterator[Message]:
    """Yield the rows, each with what its sender had got by then and not answered yet."""
    asked: dict[str | None, str] = {
        row.tool_call_id: row.id for row in rows if row.kind == "call" and row.tool_call_id
    }
    times = {row.id: row.end_ns for row in rows}
    sender = {message: span for span, ids in sent.items() for message in ids}
    answered: set[tuple[str, str]] = set()
    for row in rows:
        if row.kind == "result":
            cause = asked.get(row.tool_call_id)
            yield replace(row, cause=(cause,) if cause else ())
            continue
        span = sender.get(row.id, "")
        got = [m for m in received.get(span, ()) if times.get(m, row.end_ns + 1) <= row.start_ns]
        new = [message for message in got if (span, message) not in answered]
        answered |= {(span, message) for message in new}
        yield replace(row, cause=tuple(new or got[-1:]))


def _ids(value: JsonValue) -> list[str]:
    listed = content_of(value)
    return [str(one) for one in listed] if isinstance(listed, list) else []
