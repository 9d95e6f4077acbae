"""Token counts: as a file writes them, and as the span of a model call carries them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing._ledger import Tokens

_TOO_MANY = 2**53
"""Counts from here on are no longer exact as JSON numbers, so they are mistakes."""


def token_count(written: Iterable[JsonValue]) -> int:
    """Return the first of `written` that can be a number of tokens; 0 where none can."""
    numbers = (n for n in written if isinstance(n, int | float) and not isinstance(n, bool))
    return next((int(n) for n in numbers if 0 <= n < _TOO_MANY), 0)


def usage_attributes(tokens: Tokens) -> dict[str, JsonValue]:
    """Return the attributes of a model call that used `tokens`; none where nobody counted them."""
    if not tokens.total:
        return {}
    return {
        names.USAGE_INPUT_TOKENS: tokens.input,
        names.USAGE_OUTPUT_TOKENS: tokens.output,
        names.USAGE_CACHED_TOKENS: tokens.cached,
        names.USAGE_REASONING_TOKENS: tokens.reasoning,
        names.MLFLOW_TOKEN_USAGE: {
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "total_tokens": tokens.total,
        },
    }
