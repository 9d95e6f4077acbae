"""What a span's attributes say that it does: for which agent, which model, at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._ledger import Tokens

if TYPE_CHECKING:
    from linenotes.tracing.files._otlp_json import OtlpSpan

AGENT_OPERATIONS = frozenset({names.INVOKE_AGENT, "create_agent"})
MODEL_OPERATIONS = frozenset({names.CHAT, "text_completion", "generate_content"})


def operation(span: OtlpSpan) -> str:
    """Return what a span says that it does."""
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

    def count(name: str, *older: str) -> int:
        found = (span.attributes.get(key) for key in (name, *older))
        return next((int(n) for n in found if isinstance(n, int | float) and 0 <= n < 2**53), 0)

    return Tokens(
        input=count(names.USAGE_INPUT_TOKENS, "gen_ai.usage.prompt_tokens"),
        output=count(names.USAGE_OUTPUT_TOKENS, "gen_ai.usage.completion_tokens"),
        cached=count(names.USAGE_CACHED_TOKENS),
        reasoning=count(names.USAGE_REASONING_TOKENS),
    )
