"""What a scorer gave, as a score that statistics can use and every store takes."""

from __future__ import annotations

import math

from linenotes.evals.engine._failures import storable
from linenotes.evals.journal._samples import Failure, Score, ScoreValue


def checked(name: str, given: object) -> Score:
    """Return what a scorer gave under its name, or say why it is no score."""
    if not isinstance(given, Score):
        return _scored(name, given, rationale=None)
    if given.error is not None:
        return Score(name, error=given.error, rationale=given.rationale)
    return _scored(name, given.value, rationale=given.rationale)


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
        raise TypeError(f"returned {kind}, not a bool, a number or a label")
    if not math.isfinite(value):
        raise TypeError(f"returned {value}, which is no score")
    return float(value)
