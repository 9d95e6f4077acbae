"""Costs are those that MLflow shows, unless the project says otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from linenotes.project import PriceSettings, Project, Settings, keep_offline
from linenotes.tracing import Tokens, dollars
from linenotes.tracing._prices import Price, Prices

OWN = {
    "our-model": PriceSettings(input=1.0, output=2.0),
    "gpt-4o": PriceSettings(input=9, output=9),
}


def prices(own: dict[str, PriceSettings] | None = None) -> Prices:
    return Prices(Project(root=Path(), settings=Settings(prices=own or {})))


def own_price(**parts: float) -> Price:
    found = prices({"m": PriceSettings.model_validate(parts)}).price(["m"], None)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-mini"),
        ("openai", "o3"),
        ("anthropic", "claude-sonnet-4-5"),
        ("gemini", "gemini-2.0-flash"),
        ("mistral", "mistral-large-latest"),
        ("groq", "llama-3.1-8b-instant"),
        ("ollama", "codegeex4"),
    ],
)
@pytest.mark.parametrize("tokens", [Tokens(1000, 100), Tokens(1000, 100, cached=400)])
@pytest.mark.parametrize("written", [0, 300])
def test_a_cost_is_what_mlflow_calculates(
    provider: str, model: str, tokens: Tokens, written: int
) -> None:
    keep_offline()
    from mlflow.tracing.utils import calculate_cost_by_model_and_token_usage

    usage = {
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": written,
    }
    theirs = calculate_cost_by_model_and_token_usage(model, usage, provider)
    ours = prices().price([model], provider)
    assert theirs is not None
    assert ours is not None
    assert ours.of(tokens, written=written) == pytest.approx(theirs["total_cost"])


def test_cached_input_has_its_own_price() -> None:
    price = own_price(input=2.0, output=8.0, cached=0.5, written=2.5)
    cost = price.of(Tokens(input=1_000_000, output=500_000, cached=400_000), written=100_000)
    assert cost == pytest.approx(0.5 * 2.0 + 0.5 * 8.0 + 0.4 * 0.5 + 0.1 * 2.5)


def test_input_that_is_kept_for_an_hour_and_reasoning_have_prices_of_their_own() -> None:
    price = own_price(input=2.0, output=8.0, written=2.5, written_hour=4.0, reasoning=1.0)
    tokens = Tokens(input=1_000_000, output=500_000, reasoning=300_000)
    cost = price.of(tokens, written=100_000, written_hour=200_000)
    assert cost == pytest.approx(0.7 * 2.0 + 0.1 * 2.5 + 0.2 * 4.0 + 0.2 * 8.0 + 0.3 * 1.0)


def test_tokens_without_a_price_of_their_own_cost_what_they_are_part_of() -> None:
    price = own_price(input=2.0, output=8.0)
    tokens = Tokens(input=1_000_000, output=500_000, cached=400_000, reasoning=300_000)
    cost = price.of(tokens, written=100_000, written_hour=200_000)
    assert cost == pytest.approx(2.0 + 0.5 * 8.0)
    assert own_price(input=2.0, output=8.0, written=3.0).written_hour == 3.0


def test_the_catalogue_prices_what_is_kept_for_an_hour() -> None:
    found = prices().price(["claude-sonnet-4-5"], "anthropic")
    assert found is not None
    assert found.written_hour > found.written > found.input


def test_the_projects_own_price_comes_first() -> None:
    assert prices(OWN).price(["our-model"], "openai") == own_price(input=1, output=2)
    assert prices(OWN).price(["gpt-4o"], "openai") == own_price(input=9, output=9)


def test_a_price_tells_who_says_so() -> None:
    found = [prices(OWN).price(["gpt-4o"], "openai"), prices().price(["gpt-4o"], "openai")]
    found.append(prices().price(["smollm2-135m"], "local"))
    assert [price.source for price in found if price] == ["project", "catalogue", "local"]


def test_a_price_may_go_by_the_name_that_answered() -> None:
    assert prices(OWN).price(["deployment-7", "our-model"], "azure") == own_price(input=1, output=2)
    known = prices().price(["gpt-4o"], "openai")
    assert prices().price(["my-alias", "gpt-4o"], "openai") == known


def test_langchains_names_of_providers_are_known() -> None:
    assert prices().price(["models/gemini-2.0-flash"], "google_genai") is not None


def test_local_models_cost_nothing() -> None:
    price = prices().price(["smollm2-135m"], "local")
    assert price is not None
    assert price.of(Tokens(1000, 1000)) == 0


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-99", "openai"), ("gpt-4o", None), ("gpt-4o", "nobody"), ("dall-e-3", "openai")],
)
def test_what_nobody_knows_is_not_guessed(model: str, provider: str | None) -> None:
    assert prices().price([model], provider) is None


def test_prices_are_those_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '[tool.linenotes.prices."mine"]\ninput = 3\noutput = 4\ncached = 1\n'
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    expected = own_price(input=3, output=4, cached=1)
    assert Prices(Project.here()).price(["mine"], None) == expected


def test_settings_that_cannot_be_read_stop_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.linenotes]\nnonsense = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert Project.here() is None
    assert Prices().price(["mine"], None) is None


def test_the_catalogue_is_read_without_importing_mlflow() -> None:
    code = (
        "import sys; from linenotes.tracing._prices import Prices\n"
        "assert Prices().price(['gpt-4o'], 'openai')\n"
        "assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("cost", "shown"),
    [(None, ""), (0.0, ""), (0.00001, "<$0.0001"), (0.00123, "$0.0012"), (1234.5, "$1,234.50")],
)
def test_dollars_are_shown_calmly(cost: float | None, shown: str) -> None:
    assert dollars(cost) == shown
