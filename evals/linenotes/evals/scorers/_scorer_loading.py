"""From a name, a function or a metric object to a scorer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from linenotes.evals.engine._failures import describe
from linenotes.evals.scorers._scorer_adapters import adapt, keep_deepeval_in
from linenotes.evals.scorers._scorers import BUILT_IN, Scorer, matches_expectations
from linenotes.project import LinenotesError, Project, ScorerError, import_code

_NAME = re.compile(r"\w[\w .-]*")


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
    place, _, attribute = target.rpartition(":")
    if not place:
        raise ScorerError(_unknown(spec, project))
    found = _attribute(place, attribute, project)
    return as_scorer(found, spec=spec, name=attribute if target == spec else spec)


def find_scorers(wanted: Sequence[object], project: Project) -> list[Scorer]:
    """Return scorers from names, functions or metric objects; the built-in one when none is given.

    Raises:
        ScorerError: one is not found, is no scorer, or two have one name.
    """
    keep_deepeval_in(project)
    found = [
        load_scorer(item, project) if isinstance(item, str) else as_scorer(item)
        for item in wanted or (matches_expectations.__name__,)
    ]
    names = [scorer.name for scorer in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScorerError(f"Two scorers are called {twice[0]!r}. Give each metric its own name.")
    unusable = [name for name in names if not _NAME.fullmatch(name)]
    if unusable:
        raise ScorerError(
            f"A metric cannot be called {unusable[0]!r}: MLflow takes letters, digits, spaces and "
            "`_ - .` only. Give the scorer a name with `def`."
        )
    return found


def as_scorer(found: object, *, spec: str = "", name: str | None = None) -> Scorer:
    """Return `found` as a scorer; MLflow scorers and DeepEval metrics are adapted.

    Raises:
        ScorerError: it is none of them.
    """
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


def _attribute(place: str, attribute: str, project: Project) -> object:
    try:
        module = import_code(place, project)
    except LinenotesError:
        raise
    except FileNotFoundError as error:
        if error.args != (place,):
            raise
        raise ScorerError(f"There is no file {place!r} with scorers in {project.root}.") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {describe(error)}".rstrip(".")
        raise ScorerError(
            f"Scorer '{place}:{attribute}' does not import: {reason}. "
            "Mend the module, or install what it needs."
        ) from error
    if not hasattr(module, attribute):
        near = get_close_matches(attribute, vars(module), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Name what is there."
        raise ScorerError(f"Scorer '{place}:{attribute}': {place} has no {attribute!r}. {hint}")
    return getattr(module, attribute)
