"""What `costs` and `prices` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part

if TYPE_CHECKING:
    from linenotes.evals._costs import By, CostLine
    from linenotes.evals._price_list import ListedPrice


class CostLineDocument(Part):
    """What one agent, model, case or version cost."""

    name: str
    samples: int
    """In which there was a call of it."""
    calls: int
    input_tokens: int
    cached_tokens: int
    """The part of the input that the provider had in its cache."""
    output_tokens: int
    reasoning_tokens: int
    """The part of the output that was thought and not said."""
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    unpriced_calls: int
    """Calls without a known price, which are not in `cost`."""


class CostsDocument(Part):
    """`costs --json`."""

    schema_version: Literal[1] = 1
    runs: list[str]
    """The ids of the runs that were added up."""
    by: Literal["agent", "model", "case", "version"]
    lines: list[CostLineDocument]
    """The dearest first."""


class PriceDocument(Part):
    """The price of one model, in US dollars per million tokens; null where it has none."""

    model: str
    roles: list[str]
    """The roles that it plays in the settings."""
    source: Literal["project", "catalogue", "local"] | None
    """pyproject.toml, MLflow's catalogue, or a model of this machine; null: unpriced."""
    input: float | None
    cached: float | None
    """Of input that the provider had in its cache."""
    written: float | None
    """Of input that the provider put into its cache."""
    written_hour: float | None
    """Of input that it put there for an hour."""
    output: float | None
    reasoning: float | None
    """Of output that was thought and not said."""


class PricesDocument(Part):
    """`prices --json`."""

    schema_version: Literal[1] = 1
    prices: list[PriceDocument]


def costs_document(lines: Sequence[CostLine], by: By, runs: Sequence[str]) -> Document:
    """Return what runs cost as the JSON contract has it."""
    return CostsDocument(runs=[*runs], by=by, lines=[_line(line) for line in lines]).dump()


def _line(line: CostLine) -> CostLineDocument:
    used = line.used
    return CostLineDocument(
        name=line.name,
        samples=line.samples,
        calls=used.calls,
        input_tokens=used.input,
        cached_tokens=used.cached,
        output_tokens=used.output,
        reasoning_tokens=used.reasoning,
        cost=used.cost,
        unpriced_calls=used.unpriced,
    )


def prices_document(listed: Sequence[ListedPrice]) -> Document:
    """Return the prices in force as the JSON contract has them."""
    return PricesDocument(prices=[_price(one) for one in listed]).dump()


def _price(one: ListedPrice) -> PriceDocument:
    found = one.price
    return PriceDocument(
        model=one.model,
        roles=[*one.roles],
        source=found.source if found else None,
        input=found.input if found else None,
        cached=found.cached if found else None,
        written=found.written if found else None,
        written_hour=found.written_hour if found else None,
        output=found.output if found else None,
        reasoning=found.reasoning if found else None,
    )
