"""How a scorer is named on the command line, in the settings and in a run's plan.

    right_team                                     a built-in one, or one of the settings
    scorers.py:right_team                          a function or object of a file or module
    scorers.py:Overlap(threshold=0.5)              what a class or a function makes of parameters
    handoffs("triage", "reviewer")                 a built-in one with parameters
    route=handoffs("triage", "reviewer")           each of them under a name of its own

Parameters are literals, so a spec says everything and runs nothing.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from linenotes.project import ScorerError

_NAMED = re.compile(r"\s*(\w[\w .-]*?)\s*=(?!=)\s*(.+)", re.DOTALL)
_CALLED = re.compile(r"((?:[^\"'(]*:)?\w+)\s*\((.*)\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Parameters:
    """What a scorer is made with."""

    positional: tuple[object, ...] = ()
    named: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """A scorer as it is named."""

    target: str
    name: str | None = None
    """The name of the metric; None for the scorer's own."""
    parameters: Parameters | None = None
    """None where nothing is to be called."""


def parse_spec(text: str) -> Spec:
    """Return the parts of a spec.

    Raises:
        ScorerError: the parameters are no literals.
    """
    named = _NAMED.fullmatch(text)
    name, rest = (named[1], named[2]) if named else (None, text)
    called = _CALLED.fullmatch(rest)
    if called is None:
        return Spec(rest.strip(), name)
    return Spec(called[1], name, _parameters(called[2], text))


def call_text(name: str, parameters: Parameters) -> str:
    """Return the spec of a built-in scorer, which makes it again."""
    given = [_literal(one) for one in parameters.positional]
    given += [f"{key}={_literal(one)}" for key, one in parameters.named.items()]
    return f"{name}({', '.join(given)})" if given else name


def _parameters(text: str, spec: str) -> Parameters:
    try:
        call = _call(f"_({text}\n)")
        named = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords if one.arg}
        return Parameters(tuple(ast.literal_eval(one) for one in call.args), named)
    except (SyntaxError, ValueError):
        raise ScorerError(
            f"The parameters of scorer {spec!r} cannot be read. Write literals, such as "
            '`handoffs("triage", "reviewer", order="strict")`; the shell wants it in quotes.'
        ) from None


def _call(text: str) -> ast.Call:
    found = ast.parse(text, mode="eval").body
    if isinstance(found, ast.Call):
        return found
    raise ValueError(text)


def _literal(given: object) -> str:
    return json.dumps(given, ensure_ascii=False) if isinstance(given, str) else repr(given)
