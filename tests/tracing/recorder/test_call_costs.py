"""The cost of a call, from what LangChain says of it, on the message that it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from linenotes.project import PriceSettings, Project, Settings
from linenotes.tracing import record
from linenotes.tracing._prices import Prices
from linenotes.tracing.recorder._call_costs import call_cost

PRICES = Prices(
    Project(
        root=Path(), settings=Settings(prices={"m": PriceSettings(input=10, output=20, cached=1)})
    )
)


def reply(**details: int) -> AIMessage:
    usage: Any = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    return AIMessage("Yes.", usage_metadata={**usage, "input_token_details": details})


def test_tokens_are_paid_for_by_kind() -> None:
    assert call_cost(PRICES, {"ls_model_name": "m"}, reply()) == pytest.approx(0.012)
    cached = call_cost(PRICES, {"ls_model_name": "m"}, reply(cache_read=500, cache_creation=100))
    assert cached == pytest.approx((400 * 10 + 500 * 1 + 100 * 10 + 100 * 20) / 1e6)


def test_what_anthropic_writes_to_its_cache_is_paid_for_by_how_long_it_stays() -> None:
    said = reply(cache_creation=0, ephemeral_5m_input_tokens=100, ephemeral_1h_input_tokens=200)
    own = PriceSettings(input=10, output=20, written=12, written_hour=15)
    prices = Prices(Project(root=Path(), settings=Settings(prices={"m": own})))
    cost = call_cost(prices, {"ls_model_name": "m"}, said)
    assert cost == pytest.approx((700 * 10 + 100 * 12 + 200 * 15 + 100 * 20) / 1e6)


def test_an_answer_of_langchains_cache_costs_nothing() -> None:
    said = reply()
    assert said.usage_metadata is not None
    cached: Any = {**said.usage_metadata, "total_cost": 0}
    assert call_cost(PRICES, {"ls_model_name": "m"}, AIMessage("", usage_metadata=cached)) == 0


def test_the_model_that_answered_may_be_the_one_with_a_price() -> None:
    details = {"ls_model_name": "deployment-7", "model_name": "m"}
    assert call_cost(PRICES, details, reply()) == pytest.approx(0.012)


def test_without_a_price_or_a_count_there_is_no_cost() -> None:
    assert call_cost(PRICES, {"ls_model_name": "other"}, reply()) is None
    assert call_cost(PRICES, {"ls_model_name": "m"}, AIMessage("Yes.")) is None
    assert call_cost(PRICES, {"ls_model_name": "m"}, HumanMessage("Yes.")) is None


def test_replies_of_models_carry_their_cost(
    chain: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '[tool.linenotes.prices."scripted-1"]\ninput = 1000\noutput = 5000\n'
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with record() as ledger:
        chain().invoke({"question": "Why?"})

    assert [m.cost for m in ledger] == [None, 0.02, 0.02, 0.02]
    assert ledger.cost == pytest.approx(0.06)
    assert ledger.unpriced == 0
