"""Options that limit what a run may spend."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypedDict, TypeVar, cast

import click

from linenotes.cli._options import together

F = TypeVar("F", bound=Callable[..., object])


class Limits(TypedDict):
    """What the options say; None where one is not given."""

    usd: float | None
    tokens: int | None
    calls: int | None
    seconds: float | None


_OPTIONS = together(
    click.option(
        "--budget-usd",
        type=click.FloatRange(min=0),
        metavar="USD",
        help="Stop before calls cost more than that, all versions and sessions together.",
    ),
    click.option(
        "--budget-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="As --budget-usd, in tokens in and out.",
    ),
    click.option(
        "--budget-calls", type=click.IntRange(min=1), metavar="N", help="As that, in model calls."
    ),
    click.option(
        "--budget-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="As that, in seconds that agents run.",
    ),
)


def budget_options(function: F) -> F:
    """Add the options, which the function gets as one argument `limits`."""

    @wraps(function)
    def with_limits(
        *,
        budget_usd: float | None,
        budget_tokens: int | None,
        budget_calls: int | None,
        budget_seconds: float | None,
        **rest: object,
    ) -> object:
        limits = Limits(
            usd=budget_usd, tokens=budget_tokens, calls=budget_calls, seconds=budget_seconds
        )
        return function(**rest, limits=limits)

    return _OPTIONS(cast("F", with_limits))
