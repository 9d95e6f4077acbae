"""Whatever can judge a sample, as a scorer.

MLflow scorers and DeepEval metrics are told apart by the package that their class comes from, so
that neither is imported unless the user's own code has done so.
"""

from __future__ import annotations

import inspect
from typing import cast

from linenotes.evals.scorers._code_identity import code_identity, library_identity, users_class
from linenotes.evals.scorers._deepeval_metrics import deepeval_metric, metric_name
from linenotes.evals.scorers._judge_identities import deepeval_judge_of, mlflow_judge
from linenotes.evals.scorers._mlflow_scorers import mlflow_scorer
from linenotes.evals.scorers._scorers import ScoreFunction, Scorer


def adapted(found: object) -> Scorer | None:
    """Return `found` as a scorer under its own name; None if it is none."""
    if isinstance(found, Scorer):
        return found
    if _comes_from(found, "mlflow") and hasattr(found, "run"):
        name = str(getattr(found, "name", type(found).__name__))
        return _of_library("mlflow", found, name, mlflow_scorer(found), mlflow_judge(found))
    if _comes_from(found, "deepeval") and hasattr(found, "measure"):
        name, judge = metric_name(found), deepeval_judge_of(found)
        return _of_library("deepeval", found, name, deepeval_metric(found), judge)
    for function in (found, getattr(found, "score", None)):
        if _takes_one_sample(function):
            return _declared(found, cast("ScoreFunction", function))
    return None


def _of_library(
    library: str, found: object, name: str, function: ScoreFunction, judge: str | None
) -> Scorer:
    """Return a library's metric; who judges is pinned with all that a judge is asked with."""
    code = library_identity(library, found) if judge is None else users_class(found)
    return Scorer(name, name, function, judge=judge, code=code)


def _declared(found: object, function: ScoreFunction) -> Scorer:
    """Return a function or an object with what its class declares in `values`."""
    name = str(getattr(found, "__name__", type(found).__name__))
    values = getattr(type(found), "values", ())
    is_declared = isinstance(values, tuple) and all(isinstance(value, str) for value in values)
    given = values if is_declared else ()
    return Scorer(name, spec=name, function=function, values=given, code=code_identity(found))


def _comes_from(found: object, package: str) -> bool:
    return any(base.__module__.split(".")[0] == package for base in type(found).__mro__)


def _takes_one_sample(function: object) -> bool:
    if not callable(function) or inspect.isclass(function):
        return False
    try:
        inspect.signature(function).bind(object())
    except (TypeError, ValueError):
        return False
    return True
