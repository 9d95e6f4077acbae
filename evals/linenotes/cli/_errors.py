"""What a mistake of the user's looks like in a terminal."""

from __future__ import annotations

from linenotes.cli._ledgers import one_line, printable
from linenotes.cli._main import INTERRUPTED, USAGE
from linenotes.project import DatasetError, LinenotesError, RecordingError, Redactor

_SHOWN = 20
"""Problems of one file that fit a screen."""


def explain(error: LinenotesError) -> tuple[str, int]:
    """Return the message and the exit code of `error`."""
    from linenotes.evals import Interrupted

    if isinstance(error, Interrupted):
        return _sentence(str(error)), INTERRUPTED
    if isinstance(error, DatasetError) and error.problems:
        return "\n".join([_sentence(str(error)), *_listed(error.problems)]), USAGE
    if isinstance(error, RecordingError):
        return "\n".join(_lines(str(error))), USAGE
    return _sentence(str(error)), USAGE


def _sentence(text: str) -> str:
    return one_line(Redactor.current().text(text))


def _lines(text: str) -> list[str]:
    """Return a sentence and the lines below it, such as how two requests differ."""
    first, *rest = Redactor.current().text(text).split("\n")
    return [one_line(first), *map(printable, rest)]


def _listed(problems: tuple[str, ...]) -> list[str]:
    lines = [f"  {_sentence(problem)}" for problem in problems[:_SHOWN]]
    left = len(problems) - _SHOWN
    return [*lines, f"  and {left} more"] if left > 0 else lines
