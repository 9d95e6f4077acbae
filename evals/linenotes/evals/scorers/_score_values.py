"""What a scorer gave, as scores that statistics can use and every store takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from linenotes.evals.engine._failures import storable
from linenotes.evals.journal._samples import Failure, Score, ScoreValue


def checked(name: str, given: object) -> Score:
    """Return what a scorer gave under its name, or say why it is no score."""
    if not isinstance(given, Score):
        return _scored(name, given, rationale=None)
    if given.error is not None:
        return Score(name, error=given.error, rationale=given.rationale)
    return _scored(name, given.value, rationale=given.rationale)


def checked_values(name: str, values: Sequence[str], given: object) -> tuple[Score, ...]:
    """Return the values that a scorer has declared, each under its own name.

    What was declared and not given is an error of that value. What was given and not declared is
    an error of all: metrics are known before anything is run.
    """
    try:
        found = _declared(_by_name(given), values)
    except TypeError as error:
        failure = Failure("scorer", "TypeError", str(error))
        return tuple(Score(f"{name}.{value}", error=failure) for value in values)
    lacking = Failure("scorer", "KeyError", f"returned only {_quoted(found) or 'nothing'}")
    return tuple(
        checked(f"{name}.{value}", found[value])
        if value in found
        else Score(f"{name}.{value}", error=lacking)
        for value in values
    )


def _declared(found: dict[str, object], values: Sequence[str]) -> dict[str, object]:
    undeclared = [name for name in found if name not in values]
    if undeclared:
        raise TypeError(
            f"returned {_quoted(undeclared)}, which it does not declare. "
            f"Declare all: {_declaration((*values, *undeclared))}."
        )
    return found


def _by_name(given: object) -> dict[str, object]:
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if isinstance(given, list | tuple) and all(isinstance(one, Score) for one in given):
        return {score.name: score for score in given}
    raise TypeError(f"returned {type(given).__name__}, not a mapping or a list of scores")


def _scored(name: str, given: object, *, rationale: str | None) -> Score:
    try:
        value = _plain(given)
    except (OverflowError, TypeError) as error:
        return Score(name, error=Failure("scorer", "TypeError", str(error)), rationale=rationale)
    return Score(name, value=value, rationale=None if rationale is None else storable(rationale))


def _plain(given: object) -> ScoreValue:
    import numpy as np

    value = given.item() if isinstance(given, np.generic) else given
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(value)
    if not isinstance(value, int | float):
        kind = type(given).__name__
        raise TypeError(f"returned {kind}, not a bool, a number or a label{_cure(given)}")
    if not math.isfinite(value):
        raise TypeError(f"returned {value}, which is no score")
    return float(value)


def _cure(given: object) -> str:
    """Say how a scorer that gives several values declares them, where it seems to be one."""
    try:
        names = tuple(_by_name(given))
    except TypeError:
        return ""
    return f". Several values are declared: {_declaration(names)}" if names else ""


def _declaration(names: Iterable[str]) -> str:
    return f"@scorer(values=[{_quoted(names)}])"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
