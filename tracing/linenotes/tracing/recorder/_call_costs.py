"""What one model call cost, from what LangChain says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage

from linenotes.tracing.recorder._actors import text_detail
from linenotes.tracing.recorder._content import tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linenotes.tracing._prices import Price, Prices

_NAMES = ("ls_model_name", "model", "model_name")
_WRITTEN = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def call_price(prices: Prices, details: Mapping[str, object]) -> Price | None:
    """Return the price of the model that `details` name; None if not known."""
    models = [name for key in _NAMES if (name := text_detail(details, key))]
    return prices.price(models, text_detail(details, "ls_provider"))


def call_cost(prices: Prices, details: Mapping[str, object], message: BaseMessage) -> float | None:
    """Return the cost of the call that `message` answers, in US dollars; None if not known."""
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    tokens = tokens_of(message)
    if usage is None or not tokens.total:
        return None
    if usage.get("total_cost") == 0:
        return 0.0  # LangChain's cache answered, and nobody was asked
    price = call_price(prices, details)
    if price is None:
        return None
    # Anthropic's client tells by how long it is kept, and then leaves the sum at 0.
    kept: Mapping[str, object] = {**usage.get("input_token_details", {})}
    written, minutes, hour = (_count(kept.get(part)) for part in _WRITTEN)
    return price.of(tokens, written=written + minutes, written_hour=hour)


def _count(tokens: object) -> int:
    return tokens if isinstance(tokens, int) else 0
