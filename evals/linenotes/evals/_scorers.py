"""Scorers: functions of one sample that give a named value.

A scorer may be a plain function, sync or async, an MLflow scorer, or a DeepEval metric. It runs
on finished samples only, so scoring never calls an agent. A scorer that raises is a scorer
error: counted apart, never a 0.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.evals._failures import describe
from linenotes.evals._samples import Failure, Sample, Score, ScoreValue
from linenotes.project import Project, ScorerError

if TYPE_CHECKING:
    from types import ModuleType

Verdict = ScoreValue | Score
ScoreFunction = Callable[[Sample], Verdict | Awaitable[Verdict]]


@dataclass(frozen=True)
class Scorer:
    """A named function of a sample, and the spec that finds it again."""

    name: str
    """The name of the metric."""
    spec: str
    function: ScoreFunction

    async def score(self, sample: Sample) -> Score:
        """Return the score of `sample`; an exception or a useless value is a scorer error."""
        try:
            given = self.function(sample)
            value = await given if inspect.isawaitable(given) else given
        except Exception as error:  # noqa: BLE001  a scorer's failure is data on the score
            return Score(self.name, error=Failure("scorer", type(error).__name__, describe(error)))
        return _checked(self.name, value)


async def score_sample(sample: Sample, scorers: Sequence[Scorer]) -> tuple[Score, ...]:
    """Return one score for each scorer; none for a sample that did not finish."""
    if sample.error is not None:
        return ()
    return tuple([await scorer.score(sample) for scorer in scorers])


def matches_expectations(sample: Sample) -> bool:
    """Say whether the output holds every expectation under its own name.

    Raises:
        KeyError: the output has no such key.
    """
    if not isinstance(sample.output, dict):
        raise TypeError(f"the output is {type(sample.output).__name__}, not an object with keys")
    return all(sample.output[key] == value for key, value in sample.expectations.items())


BUILT_IN: dict[str, ScoreFunction] = {"matches_expectations": matches_expectations}


def load_scorer(spec: str, project: Project) -> Scorer:
    """Return the scorer that `spec` names.

    Args:
        spec: a built-in scorer, one of `[tool.linenotes.scorers]`, `module:attr` or
            `path.py:attr`.
        project: where names and paths are looked up.

    Raises:
        ScorerError: nothing has that name, or it is no scorer.
    """
    if spec in BUILT_IN:
        return Scorer(name=spec, spec=spec, function=BUILT_IN[spec])
    target = project.settings.scorers.get(spec, spec)
    if ":" not in target:
        raise ScorerError(_unknown(spec, project))
    found = _attribute(target, project)
    return as_scorer(found, spec=spec, name=spec if target != spec else None)


def find_scorers(wanted: Sequence[object], project: Project) -> list[Scorer]:
    """Return scorers from names, functions or metric objects; the built-in one when none is given.

    Raises:
        ScorerError: one is not found, is no scorer, or two have one name.
    """
    found = [
        load_scorer(item, project) if isinstance(item, str) else as_scorer(item)
        for item in wanted or (matches_expectations.__name__,)
    ]
    names = [scorer.name for scorer in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScorerError(f"Two scorers are called {twice[0]!r}. Give each metric its own name.")
    return found


def as_scorer(found: object, *, spec: str = "", name: str | None = None) -> Scorer:
    """Return `found` as a scorer; MLflow scorers and DeepEval metrics are adapted.

    Raises:
        ScorerError: it is none of them.
    """
    from linenotes.evals._scorer_adapters import adapt

    function, own_name = adapt(found)
    if function is None:
        raise ScorerError(
            f"Scorer {spec or found!r} is {type(found).__name__}. "
            "Name a function of one sample, an MLflow scorer or a DeepEval metric."
        )
    return Scorer(name=name or own_name, spec=spec or own_name, function=function)


def _unknown(spec: str, project: Project) -> str:
    known = sorted({*BUILT_IN, *project.settings.scorers})
    near = get_close_matches(spec, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The scorers are {', '.join(known)}."
    return f"There is no scorer {spec!r}. {hint} One of your own is written path.py:function."


def _attribute(target: str, project: Project) -> object:
    place, _, attribute = target.rpartition(":")
    try:
        module = _module(place, project)
        return getattr(module, attribute)
    except AttributeError:
        raise ScorerError(f"Scorer {target!r}: {place} has no {attribute!r}.") from None
    except (ImportError, SyntaxError, OSError) as error:
        raise ScorerError(f"Scorer {target!r} does not import: {describe(error)}.") from error


def _module(place: str, project: Project) -> ModuleType:
    if not place.endswith(".py"):
        if str(project.root) not in sys.path:
            sys.path.insert(0, str(project.root))
        return importlib.import_module(place)
    path = next((p for p in (Path.cwd() / place, project.root / place) if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"there is no file {place!r}")
    name = f"linenotes_scorers_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _checked(name: str, value: object) -> Score:
    if isinstance(value, Score):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return _useless(name, f"returned {value}, which is no score")
    if isinstance(value, bool | int | float | str):
        return Score(name, value=value)
    return _useless(name, f"returned {type(value).__name__}, not a bool, a number or a label")


def _useless(name: str, why: str) -> Score:
    return Score(name, error=Failure("scorer", "TypeError", why))
