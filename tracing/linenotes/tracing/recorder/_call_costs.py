"""What one model call cost, from what LangChain says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage

from linenotes.tracing.recorder._actors import text_detail
from linenotes.tracing.recorder._content import tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linenotes.tracing._prices import Prices

_NAMES = ("ls_model_name", "model", "model_name")


def call_cost(prices: Prices, details: Mapping[str, object], message: BaseMessage) -> float | None:
    """Return the cost of the call that `message` answers, in US dollars; None if not known."""
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    tokens = tokens_of(message)
    if usage is None or not tokens.total:
        return None
    models = [name for key in _NAMES if (name := text_detail(details, key))]
    price = prices.price(models, text_detail(details, "ls_provider"))
    if price is None:
        return None
    written = usage.get("input_token_details", {}).get("cache_creation") or 0
    return price.of(tokens, written)
