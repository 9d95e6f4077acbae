"""Ctrl-C: once to finish what is in flight and stop, twice to stop at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from linenotes.evals import Stop


@contextmanager
def stop_on_interrupt() -> Iterator[Stop]:
    """Yield a `Stop` that the first Ctrl-C asks; the second raises KeyboardInterrupt."""
    stop = Stop()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        click.echo("\nFinishing what is in flight; Ctrl-C again stops at once.", err=True)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
