from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.evals.testing import Reply, ScriptedServer
from linenotes.tracing import Tokens

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PRICE = '[tool.linenotes.prices."m"]\ninput = 1000\noutput = 1000\n'
EVAL = ("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "2", "--limit", "2")


def evaluate(cli: Cli) -> str:
    reply = Reply("ok", tokens=Tokens(input=8, output=2, cached=4, reasoning=1))
    with ScriptedServer(reply) as server, server.in_environment():
        ended = cli(*EVAL, "--prompt", "tone=1,2")
    assert ended.code == 0
    return ended.out


def test_what_a_run_cost_is_told_by_agent_case_and_version(
    asking_project: Callable[[str], Path], cli: Cli
) -> None:
    asking_project(PRICE)
    shown = evaluate(cli)
    assert "$0.0400" in shown
    by_agent = cli("costs", "--json").json
    assert by_agent["lines"] == [
        {
            "name": "writer", "samples": 4, "calls": 4, "input_tokens": 32, "cached_tokens": 16,
            "output_tokens": 8, "reasoning_tokens": 4, "cost": pytest.approx(0.04),
            "unpriced_calls": 0,
        }
    ]  # fmt: skip
    by_case = cli("costs", "latest", "--by", "case")
    assert by_case.code == 0
    assert "app v2 on cases, run " in by_case.out
    assert by_case.out.count("$0.0200") == 2
    assert "$0.0400" in by_case.out
    assert max(map(len, by_case.out.splitlines())) <= 100
    versions = cli("costs", "latest", "--by", "version", "--json").json
    lines = versions["lines"]
    assert isinstance(lines, list)
    assert [line["name"] for line in lines] == ["v1", "v2"]
    assert isinstance(versions["runs"], list)
    assert len(versions["runs"]) == 2


def test_a_model_without_a_price_is_named_with_the_cure(
    asking_project: Callable[[str], Path], cli: Cli
) -> None:
    project = asking_project("")
    shown = evaluate(cli)
    assert "unpriced" in shown
    assert "4 calls without a known price, not in cost (`linenotes prices`)." in shown
    assert "$0" not in shown
    assert "unpriced" in cli("costs").out
    listed = cli("prices")
    assert listed.code == 0
    assert "Give m a price in pyproject.toml" in listed.out
    assert 'prices."my-model"' in cli("prices", "--help").out
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(PRICE)
    assert "Give m" not in cli("prices").out


def test_a_run_that_called_no_model_says_so(project: Path, cli: Cli) -> None:
    assert cli(*EVAL).code == 0
    assert "It called no model." in cli("costs").out


def test_prices_say_whose_they_are(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(project / "state"))
    settings = """
[tool.linenotes.models]
default = "gpt-4o-mini"
judge = "local:smollm2-135m"
other = "gpt-99"
[tool.linenotes.prices."mine"]
input = 2
output = 8
written = 3
"""
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    prices = cli("prices", "--json").json["prices"]
    assert isinstance(prices, list)
    found = {price["model"]: price for price in prices}
    assert {name: price["source"] for name, price in found.items()} == {
        "gpt-4o-mini": "catalogue",
        "local:smollm2-135m": "local",
        "gpt-99": None,
        "mine": "project",
    }
    assert found["gpt-4o-mini"]["roles"] == ["default"]
    assert found["gpt-99"]["input"] is None
    assert found["local:smollm2-135m"]["input"] == 0
    mine = found["mine"]
    assert (mine["cached"], mine["written_hour"], mine["reasoning"]) == (2, 3, 8)
