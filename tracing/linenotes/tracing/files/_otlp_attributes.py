"""What a span's attributes say: its operation, its agent, its model and its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import Tokens
from linenotes.tracing._usage import token_count

if TYPE_CHECKING:
    from linenotes.tracing.files._otlp_json import OtlpSpan

AGENT_OPERATIONS = frozenset({names.INVOKE_AGENT, "create_agent"})
MODEL_OPERATIONS = frozenset({names.CHAT, "text_completion", "generate_content"})


def operation(span: OtlpSpan) -> str:
    """Return the operation of a span, such as `chat`; empty where it names none."""
    return str(span.attributes.get(names.OPERATION_NAME, ""))


def agent_name(span: OtlpSpan) -> str:
    """Return the name of the agent that a span invokes."""
    named = span.attributes.get(names.AGENT_NAME)
    return str(named) if named else span.name.removeprefix(f"{names.INVOKE_AGENT} ")


def model_of(span: OtlpSpan) -> str | None:
    """Return the model that answered, else the one that was asked."""
    found = (span.attributes.get(key) for key in (names.RESPONSE_MODEL, names.REQUEST_MODEL))
    return next((str(model) for model in found if model), None)


def tokens_of(span: OtlpSpan) -> Tokens:
    """Return the tokens that a model call used."""

    def count(*keys: str) -> int:
        return token_count(map(span.attributes.get, keys))

    return Tokens(
        input=count(names.USAGE_INPUT_TOKENS, "gen_ai.usage.prompt_tokens"),
        output=count(names.USAGE_OUTPUT_TOKENS, "gen_ai.usage.completion_tokens"),
        cached=count(names.USAGE_CACHED_TOKENS),
        reasoning=count(names.USAGE_REASONING_TOKENS),
    )
