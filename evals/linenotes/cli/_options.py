"""Options that several verbs share, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


class Decorator(Protocol):
    """Adds options to the function of a command."""

    def __call__(self, function: F, /) -> F:
        """Return the function with the options."""
        ...


def together(*options: Decorator) -> Decorator:
    """Return one decorator for several options, which keep their order in the help."""

    def add(function: F, /) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _target_option(default: str) -> Decorator:
    return click.option(
        "--target",
        type=click.Choice(["population", "dataset"]),
        default=default,
        show_default=True,
        help="What intervals speak of: cases like these, or exactly these cases.",
    )


target_option = _target_option("population")
gate_target_option = _target_option("dataset")
"""For what speaks of gates, which rest on exactly these cases unless told otherwise."""


margin_option = click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=0.05,
    show_default=True,
    help="The drop that must be ruled out for a pass; with 0 a pass must show that it is better.",
)


version_options = together(
    click.option(
        "--prompt",
        "prompts",
        multiple=True,
        metavar="NAME=VERSION[,VERSION…]",
        help="A prompt's version; without NAME=, of every prompt.",
    ),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="ROLE=MODEL[,MODEL…]",
        help="A role's model, or MODEL@BASE_URL; without ROLE=, of every role.",
    ),
    click.option("--temperature", type=click.FloatRange(min=0), help="For every role."),
)
"""Add the options that choose prompts and models without touching code."""


def choices(given: Sequence[str], *, everything: str) -> dict[str, list[str]]:
    """Read `NAME=A,B` into {NAME: [A, B]}; without a name it is for `everything`."""
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not equals:
            name, values = everything, text
        listed = [value.strip() for value in values.split(",")]
        if not all(listed) or name in found:
            raise click.UsageError(f"{text!r} is not NAME=VALUE[,VALUE…], or repeats a name.")
        found[name] = listed
    return found
