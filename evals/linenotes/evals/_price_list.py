"""The prices in force for the models of a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from linenotes.evals.journal._records import FILE_NAME, read_journal
from linenotes.evals.journal._runs import RunStore
from linenotes.project import ModelSettings, Project
from linenotes.tracing import Price, Prices

_LOCAL = "local:"
_RECENT = 5
"""How many runs are looked at for models that the settings do not name."""


@dataclass(frozen=True)
class ListedPrice:
    """A model and what it costs."""

    model: str
    roles: tuple[str, ...]
    """The roles that it plays in the settings."""
    price: Price | None
    """None where nobody knows it."""


def price_list(project: Project) -> list[ListedPrice]:
    """Return the price of each model that the project names, or that had none in its last runs."""
    prices, settings = Prices(project), project.settings
    roles: dict[str, list[str]] = {}
    for role, model in settings.models.items():
        roles.setdefault(model.model, []).append(role)
    listed = [
        ListedPrice(name, tuple(roles.get(name, ())), _price(prices, name))
        for name in dict.fromkeys([*(roles or [ModelSettings().model]), *settings.prices])
    ]
    named = {one.model for one in listed}
    return [*listed, *(ListedPrice(m, (), None) for m in _unpriced(project, prices, named))]


def _price(prices: Prices, name: str) -> Price | None:
    """Roles are played through OpenAI's client, whatever endpoint it is pointed at."""
    if name.startswith(_LOCAL):
        return prices.price([name.removeprefix(_LOCAL)], "local")
    return prices.price([name], "openai")


def _unpriced(project: Project, prices: Prices, named: set[str]) -> Iterator[str]:
    """Yield the models that had no price in the last runs, and have none now."""
    runs = RunStore.of(project)
    records = [read_journal(runs.path(plan.run_id) / FILE_NAME) for plan in runs.plans()[-_RECENT:]]
    met = {
        usage.model
        for record in records
        for outcome in record.outcomes.values()
        for usage in outcome.usage
        if usage.unpriced and usage.model
    }
    yield from (name for name in sorted(met - named) if prices.price([name], None) is None)


def price_rows(listed: Sequence[ListedPrice]) -> Iterator[tuple[str, ...]]:
    """Yield a header and a row for each model, in US dollars per million tokens."""
    yield ("model", "from", "input", "cached", "written", "1 hour", "output", "reasoning")
    for one in listed:
        yield (one.model, *_cells(one.price))


def _cells(price: Price | None) -> tuple[str, ...]:
    if price is None:
        return ("unpriced", *[""] * 6)
    parts = (
        price.input,
        price.cached,
        price.written,
        price.written_hour,
        price.output,
        price.reasoning,
    )
    return (_SOURCES[price.source], *(f"{part:g}" for part in parts))


_SOURCES = {
    "project": "pyproject.toml",
    "catalogue": "MLflow's catalogue",
    "local": "this machine",
}
