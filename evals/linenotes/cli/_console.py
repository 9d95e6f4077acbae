"""What a terminal shows: results on stdout, progress on stderr, JSON when asked for.

Colour and movement only where a person looks: never in a pipe, nor with NO_COLOR.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from pydantic import JsonValue
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from linenotes.evals import Budget, Sample, Spending

WIDTH = 100
TALK = 160
"""Most columns for what agents say; numbers and prose are hard to read that wide."""


def console(*, stderr: bool = False, widest: int = WIDTH) -> Console:
    """Return a console on stdout or stderr, of 100 columns where it is no terminal."""
    from rich.console import Console

    found = Console(stderr=stderr)
    return Console(
        stderr=stderr,
        markup=False,  # what agents say is text, whatever brackets it holds
        highlight=False,
        width=min(found.width, widest) if found.is_terminal else WIDTH,
    )


@contextmanager
def agents_print_to_stderr() -> Iterator[None]:
    """Send what agents and scorers print to stderr: stdout is for the result alone.

    It is the file descriptor that is redirected, so that libraries and children are, too.
    """
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with suppress(ValueError, OSError):  # an agent may have closed it
            sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


def table(rows: Sequence[Sequence[str]], *, words: Collection[int] = (0,)) -> Table:
    """Return a table without lines; the first row is the header.

    The columns at the positions `words` are left, the others, which hold numbers, right.
    """
    from rich.table import Table
    from rich.text import Text

    from linenotes.cli._ledgers import printable

    header, *body = rows
    found = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for position, name in enumerate(header):
        left = position in words
        found.add_column(Text(printable(name)), justify="left" if left else "right", no_wrap=left)
    for row in body:
        found.add_row(*(Text("\n".join(map(printable, cell.split("\n")))) for cell in row))
    return found


def print_json(document: Mapping[str, JsonValue]) -> None:
    """Print one JSON document on stdout, readable and parseable."""
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


class Live:
    """Shows the stages of long work on stderr: a bar with rate, time left and tokens so far.

    Where stderr is no terminal it prints one line a stage, and one for each tenth of the samples.
    """

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._spent = ""
        self._failed = 0
        self._total: int | None = None
        self._done = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = _bars(self._console)
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def stage(self, text: str, *, total: int | None = None) -> None:
        """Show that a stage begins, of `total` steps where that is known."""
        self._total, self._done = total, 0
        if self._bars is None:
            of = f" ({total})" if total is not None else ""
            self._console.print(f"{text}{of} …", style="dim")
            return
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(text, total=total, note="")

    def spent(self, so_far: Spending, budget: Budget) -> None:
        """Show with the next step what has been spent so far, and of how much."""
        self._spent = "  ".join(_spent(so_far, budget))

    def advance(self, sample: Sample | None = None) -> None:
        """Show that a step is done."""
        if sample is not None:
            self._failed += sample.error is not None
        self._done += 1
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, note=self._note() if sample else "")
        elif sample is not None and self._total and self._tenth_is_done(self._total):
            self._console.print(f"  {self._done} of {self._total}  {self._note()}", style="dim")

    def note(self, text: str) -> None:
        """Show a line that stays."""
        from linenotes.cli._ledgers import one_line

        self._console.print(one_line(text), soft_wrap=True)

    def _tenth_is_done(self, total: int) -> bool:
        return self._done * 10 // total > (self._done - 1) * 10 // total

    def _note(self) -> str:
        failed = f"  {self._failed} failed" if self._failed else ""
        return self._spent + failed


def _spent(so_far: Spending, budget: Budget) -> Iterator[str]:
    """Yield the amounts, each with its limit if it has one."""
    from linenotes.tracing import dollars

    if budget.calls is not None:
        yield f"{so_far.calls:,} of {budget.calls:,} calls"
    of = f" of {budget.tokens:,}" if budget.tokens is not None else ""
    yield f"{so_far.tokens:,}{of} tokens"
    if budget.usd is not None:
        yield f"{dollars(so_far.usd) or '$0'} of {dollars(budget.usd) or '$0'}"
    elif so_far.cost_text:
        yield so_far.cost_text


def _bars(target: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
        console=target,
        transient=True,
    )
