"""The option `--html`: where the page of a conversation or of a comparison goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linenotes.tracing import Focus, Trace, TraceScore

STDOUT = "-"
_NAMED_BY_US = ""
_ID = 11
"""Letters of a trace's id that tell it apart: `tr-` and 8 digits."""

html_option = click.option(
    "--html",
    is_flag=False,
    flag_value=_NAMED_BY_US,
    metavar="[FILE]",
    help="Write a page that needs nothing but a browser; - is stdout. [default FILE: tr-….html]",
)


def write_page(
    trace: Trace, html: str, focus: Focus | None = None, *, scores: Sequence[TraceScore] = ()
) -> None:
    """Write the page of `trace` where the option `--html` says, and say where it is.

    Raises:
        RunError: the file cannot be written, or `focus` names nobody.
    """
    from linenotes.tracing import conversation_page

    page = conversation_page(trace, focus, scores=scores)
    if html == STDOUT:
        click.echo(page)
    else:
        write_html(page, Path(html or f"{trace.trace_id[:_ID]}.html"))


def write_html(page: str, path: Path) -> None:
    """Write a page where the option `--html` says, and say where it is.

    Raises:
        RunError: the file cannot be written.
    """
    from linenotes.project import RunError

    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"The page cannot be written to {str(path)!r}: {error.strerror}. "
            "Name another file: --html FILE."
        ) from None
    click.echo(f"page {path.resolve()}", err=True)
