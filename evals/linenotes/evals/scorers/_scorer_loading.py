"""From a name, a function or a metric object to a scorer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from linenotes.evals.engine._failures import describe
from linenotes.evals.scorers._catalogue import BUILT_IN
from linenotes.evals.scorers._code_identity import named_identity
from linenotes.evals.scorers._deepeval_metrics import keep_deepeval_in
from linenotes.evals.scorers._matching import matches_expectations
from linenotes.evals.scorers._reading import with_what_they_read
from linenotes.evals.scorers._scorer_adapters import adapted
from linenotes.evals.scorers._scorer_specs import Parameters, Spec, parse_spec
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import LinenotesError, Project, ScorerError, import_code

_NAME = re.compile(r"\w[\w .-]*")


def load_scorer(spec: str, project: Project) -> Scorer:
    """Return the scorer that `spec` names.

    Args:
        spec: one of `[tool.linenotes.scorers]`, a built-in scorer, `module:attr` or
            `path.py:attr`, each also as `NAME=…` and, but for the first, with parameters.
        project: where names and paths are looked up.

    Raises:
        ScorerError: nothing has that name, or it is no scorer.
    """
    asked = parse_spec(spec)
    alias = project.settings.scorers.get(asked.target) if asked.parameters is None else None
    meant = asked if alias is None else parse_spec(alias)
    if meant.target in BUILT_IN:
        made = _made_of(meant, alias or spec)
        name = asked.name or (made.name if alias is None else asked.target)
        again = made.spec if name == made.name else f"{name}={made.spec}"
        return replace(made, name=name, spec=again)
    place, _, attribute = meant.target.rpartition(":")
    if not place:
        raise ScorerError(_unknown(spec, project))
    module = _module(place, attribute, project)
    found = getattr(module, attribute)
    if meant.parameters is not None:
        found = _called(found, meant.parameters, spec)
    own = attribute if alias is None else asked.target
    scorer = as_scorer(found, spec=spec, name=asked.name or own)
    return replace(scorer, code=_code(scorer, module, attribute))


def find_scorers(
    wanted: Sequence[object],
    project: Project,
    *,
    beside: Collection[str] = (),
    at_hand: Sequence[str] = (),
) -> list[Scorer]:
    """Return scorers from names, functions or metric objects; the built-in one when none is given.

    What one of them reads is added, where a scorer of it is named in the settings or at hand.

    Args:
        wanted: what was asked for.
        project: where names and paths are looked up.
        beside: metrics that are there already.
        at_hand: specs of scorers that are used if they are read, such as the agent's own.

    Raises:
        ScorerError: one is not found, is no scorer, two have one name, or one reads what is not
            there.
    """
    keep_deepeval_in(project)
    found = [
        load_scorer(item, project) if isinstance(item, str) else as_scorer(item)
        for item in wanted or (matches_expectations.__name__,)
    ]
    known = {_own_name(spec): spec for spec in at_hand}
    known |= {name: name for name in (*project.settings.scorers, matches_expectations.__name__)}
    found = with_what_they_read(
        found, beside, lambda name: load_scorer(known[name], project) if name in known else None
    )
    names = Counter(name for scorer in found for name in scorer.metrics)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ScorerError(
            f"Two scorers are called {twice[0]!r}. Give each metric its own name, "
            f"as in `--scorer 'other=…'`."
        )
    unusable = [name for name in names if not is_metric_name(name)]
    if unusable:
        raise ScorerError(
            f"A metric cannot be called {unusable[0]!r}: MLflow takes letters, digits, spaces and "
            "`_ - .` only. Give the scorer a name with `def`, or as in `--scorer 'name=…'`."
        )
    return found


def _own_name(spec: str) -> str:
    asked = parse_spec(spec)
    return asked.name or asked.target.rpartition(":")[2]


def is_metric_name(name: str) -> bool:
    """Say whether a metric can be called so: MLflow takes few characters."""
    return _NAME.fullmatch(name) is not None


def as_scorer(found: object, *, spec: str = "", name: str | None = None) -> Scorer:
    """Return `found` as a scorer; MLflow scorers and DeepEval metrics are adapted.

    Raises:
        ScorerError: it is none of them.
    """
    scorer = adapted(found)
    if scorer is None:
        cure = f" Make an object of the class: {spec}()." if isinstance(found, type) else ""
        raise ScorerError(
            f"Scorer {spec or found!r} is {type(found).__name__}. "
            f"Name a function of one sample, an MLflow scorer or a DeepEval metric.{cure}"
        )
    return replace(scorer, name=name or scorer.name, spec=spec or scorer.spec)


def _made_of(spec: Spec, text: str) -> Scorer:
    built_in = BUILT_IN[spec.target]
    given = spec.parameters or Parameters()
    try:
        return built_in.make(*given.positional, **given.named)
    except TypeError as error:
        reason = str(error).removeprefix(f"{spec.target}() ")
        raise ScorerError(
            f"The parameters of scorer {text!r} do not fit: {reason}. "
            f"An example is {built_in.example}."
        ) from error


def _called(found: object, given: Parameters, spec: str) -> object:
    if not callable(found):
        raise ScorerError(f"Scorer {spec!r}: {found!r} takes no parameters. Leave them out.")
    try:
        return found(*given.positional, **given.named)
    except Exception as error:
        reason = f"{type(error).__name__}: {describe(error)}".rstrip(".")
        raise ScorerError(
            f"Scorer {spec!r} cannot be made: {reason}. Mend its parameters."
        ) from error


def _unknown(spec: str, project: Project) -> str:
    known = sorted({*BUILT_IN, *project.settings.scorers})
    near = get_close_matches(spec, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The scorers are {', '.join(known)}."
    return f"There is no scorer {spec!r}. {hint} One of your own is written path.py:function."


def _code(scorer: Scorer, module: ModuleType, attribute: str) -> str | None:
    path = getattr(module, "__file__", None)
    return named_identity(scorer.code, Path(path), attribute) if path else scorer.code


def _module(place: str, attribute: str, project: Project) -> ModuleType:
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
    return module
