"""How a built-in scorer is made: a factory of functions becomes one of scorers with their spec."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from linenotes.evals.scorers._scorer_specs import Parameters, call_text
from linenotes.evals.scorers._scorers import ScoreFunction, Scorer

_Given = ParamSpec("_Given")


def built_in(factory: Callable[_Given, ScoreFunction]) -> Callable[_Given, Scorer]:
    """Return the factory as one of scorers, whose spec names the parameters."""

    @wraps(factory)
    def make(*args: _Given.args, **kwargs: _Given.kwargs) -> Scorer:
        name = factory.__name__
        spec = call_text(name, Parameters(args, kwargs))
        return Scorer(name=name, spec=spec, function=factory(*args, **kwargs))

    return make
