"""Help of a verb with many options: under headings, in the order in which a person needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

Sections = Mapping[str, Sequence[str]]
"""Heading to the names of parameters; what is named nowhere comes last."""


class Sectioned(click.Command):
    """A command whose help has sections."""

    def __init__(self, *args: object, sections: Sections, **kwargs: object) -> None:
        """Take the sections, beside what a command takes."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own arguments
        self._sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        rows = {
            str(param.name): row
            for param in self.get_params(ctx)
            if (row := param.get_help_record(ctx)) is not None
        }
        for heading, names in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl([rows.pop(name) for name in names])
        with formatter.section("Output"):
            formatter.write_dl([*rows.values()])
