"""What model calls cost: by the project's own prices, else by the catalogue inside MLflow.

MLflow's package holds one JSON file a provider with prices per million tokens. Only the file of
the provider that was called is read, once, and MLflow is not imported for it; the figures are
those that MLflow itself would show. A price that is not known is None and never guessed. Cached
input, input written to a cache and reasoning may have prices of their own, and otherwise cost
what the input or output does that they are part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import orjson

from linenotes.project import PriceSettings, Project
from linenotes.tracing._ledger import Tokens

PriceSource = Literal["project", "catalogue", "local"]
"""pyproject.toml, MLflow's catalogue, or a model of this machine, which costs nothing."""

LOCAL = "local"
"""The provider of models that run on this machine and cost nothing."""

_CATALOGUE = Path("utils", "model_catalog")
_FILES = {
    "amazon_bedrock": "bedrock",
    "fireworks": "fireworks_ai",
    "google_genai": "gemini",
    "google_vertexai": "vertex_ai",
    "mistralai": "mistral",
    "together": "together_ai",
}
"""What LangChain calls a provider, where the catalogue has another name for it."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model, in US dollars per million tokens."""

    input: float
    output: float
    cached: float
    """Of input that the provider had in its cache."""
    written: float
    """Of input that the provider put into its cache."""
    written_hour: float
    """Of input that it put there for an hour."""
    reasoning: float
    """Of output that was thought and not said."""
    source: PriceSource = field(compare=False)
    """Who says so."""

    def of(self, tokens: Tokens, *, written: int = 0, written_hour: int = 0) -> float:
        """Return what a call cost, in US dollars; `written` are tokens of its input."""
        fresh = max(tokens.input - tokens.cached - written - written_hour, 0)
        asked = fresh * self.input + tokens.cached * self.cached
        kept = written * self.written + written_hour * self.written_hour
        said = max(tokens.output - tokens.reasoning, 0)
        return (asked + kept + said * self.output + tokens.reasoning * self.reasoning) / _MILLION


class Prices:
    """The prices that hold in one project."""

    def __init__(self, project: Project | None = None) -> None:
        """Take the prices of `project`, and of the catalogue what it has no price for."""
        self._own: Mapping[str, PriceSettings] = project.settings.prices if project else {}

    def price(self, models: Iterable[str], provider: str | None) -> Price | None:
        """Return the price of a model that goes by any of these names; None if unknown."""
        names, own = list(dict.fromkeys(models)), self._own
        for name in names:
            if name in own:
                return _own_price(own[name])
        if provider is None:
            return None
        if provider == LOCAL:
            return _price(input=0, output=0, source="local")
        known = _catalogue(_FILES.get(provider.lower(), provider.lower()))
        found = (known.get(n) or known.get(n.partition("/")[2]) for n in names)
        return next((price for price in found if price), None)


def _price(
    *,
    input: float,  # noqa: A002  as the field
    output: float,
    source: PriceSource,
    cached: float | None = None,
    written: float | None = None,
    written_hour: float | None = None,
    reasoning: float | None = None,
) -> Price:
    """Return a price whose missing parts cost what the tokens that they are part of cost."""
    written = input if written is None else written
    return Price(
        input=input,
        output=output,
        cached=input if cached is None else cached,
        written=written,
        written_hour=written if written_hour is None else written_hour,
        reasoning=output if reasoning is None else reasoning,
        source=source,
    )


def _own_price(own: PriceSettings) -> Price:
    return _price(**own.model_dump(), source="project")


@lru_cache(maxsize=32)
def _catalogue(provider: str) -> Mapping[str, Price]:
    """Return the priced models of a provider; none where the catalogue does not have it."""
    mlflow = find_spec("mlflow")
    if mlflow is None or mlflow.origin is None:
        return {}
    try:
        file = Path(mlflow.origin).parent / _CATALOGUE / f"{provider}.json"
        models = orjson.loads(file.read_bytes())["models"]
    except (OSError, ValueError, KeyError):
        return {}
    priced = ((name, _listed_price(model.get("pricing") or {})) for name, model in models.items())
    return {name: price for name, price in priced if price}


def _listed_price(pricing: Mapping[str, float]) -> Price | None:
    asked, answered = (pricing.get(f"{part}_per_million_tokens") for part in ("input", "output"))
    if asked is None and answered is None:
        return None  # priced by the image or the second, if at all
    return _price(
        input=asked or 0.0,
        output=answered or 0.0,
        cached=pricing.get("cache_read_per_million_tokens"),
        written=pricing.get("cache_write_per_million_tokens"),
        written_hour=pricing.get("cache_write_1hr_per_million_tokens"),
        source="catalogue",
    )


def dollars(cost: float | None) -> str:
    """Return a cost as `$0.0012`; an empty text where it is unknown or zero."""
    if not cost:
        return ""
    if cost < 0.0001:  # noqa: PLR2004  the smallest that four digits show
        return "<$0.0001"
    return f"${cost:,.2f}" if cost >= 1 else f"${cost:.4f}"
