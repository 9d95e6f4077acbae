"""Verbs whose modules are imported when they are used, so that `--help` stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


class Verbs(click.Group):
    """Finds the verb `show` of the group `trace` in the module `_trace_show`."""

    def __init__(self, *args: object, verbs: Mapping[str, str], **kwargs: object) -> None:
        """Take `verbs`: each verb with its line in `--help`, in the order of the help."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own arguments
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names of the verbs."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, imported only now."""
        if cmd_name not in self._verbs:
            return None
        found = import_module("linenotes.cli._" + "_".join([*_groups(ctx), cmd_name])).command
        assert isinstance(found, click.Command)
        return found

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(self._verbs.items()))


def _groups(ctx: click.Context) -> list[str]:
    """Return the groups that `ctx` is inside of, without `linenotes` itself."""
    return [*_groups(ctx.parent), str(ctx.info_name)] if ctx.parent else []
