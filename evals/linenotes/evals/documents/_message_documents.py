"""The parts of documents that hold messages and the tokens that they took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, JsonValue

from linenotes.evals.documents._part import Part
from linenotes.tracing import MessageKind

if TYPE_CHECKING:
    from linenotes.tracing import Message, Tokens


class TokensDocument(Part):
    """Tokens of one model call."""

    input: int
    output: int
    cached: int
    """The part of `input` that the provider had in its cache."""
    reasoning: int
    """The part of `output` that was thought and not said."""


class MessageDocument(Part):
    """Who said what to whom, and why."""

    id: str
    kind: MessageKind
    sender: str
    recipients: list[str]
    seen_by: list[str]
    """Who read it later."""
    cause: list[str]
    """Ids of the messages that this one answers."""
    text: str
    content: JsonValue = Field(description="What the text does not say: blocks, arguments, payload")
    tool_call_id: str | None
    sampled: bool
    """True when a model said it, false when code wrote it."""
    model: str | None
    tokens: TokensDocument
    cost: float | None
    """US dollars; null where the price is not known."""
    start_ns: int
    """Nanoseconds since the epoch; 0 where nobody knows."""
    end_ns: int
    step: int | None
    """The superstep of the graph."""
    activation: str | None
    """Tells two instances of one actor apart."""


def message_documents(messages: Sequence[Message]) -> list[MessageDocument]:
    """Return messages as the documents have them."""
    return [
        MessageDocument(
            id=message.id,
            kind=message.kind,
            sender=message.sender,
            recipients=list(message.recipients),
            seen_by=list(message.seen_by),
            cause=list(message.cause),
            text=message.text,
            content=message.content,
            tool_call_id=message.tool_call_id,
            sampled=message.sampled,
            model=message.model,
            tokens=tokens_document(message.tokens),
            cost=message.cost,
            start_ns=message.start_ns,
            end_ns=message.end_ns,
            step=message.step,
            activation=message.activation,
        )
        for message in messages
    ]


def tokens_document(tokens: Tokens) -> TokensDocument:
    """Return token counts as the documents have them."""
    return TokensDocument(
        input=tokens.input,
        output=tokens.output,
        cached=tokens.cached,
        reasoning=tokens.reasoning,
    )
