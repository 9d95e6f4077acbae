"""MLflow scorers and DeepEval metrics as functions of a sample.

They are told apart by the package that their class comes from, so that neither is imported
unless the user's own code has done so.
"""

from __future__ import annotations

import inspect
import os
from copy import copy
from typing import TYPE_CHECKING, cast

import orjson

from linenotes.evals.journal._samples import Failure, Sample, Score
from linenotes.project import Project, keep_offline
from linenotes.tracing import output_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from linenotes.evals.scorers._scorers import ScoreFunction


def keep_deepeval_in(project: Project) -> None:
    """Set the variables that DeepEval reads when it is imported; call it before that.

    It would write into the working directory and the home folder. What the user set stays.
    """
    keep_offline()
    for name in ("DEEPEVAL_CACHE_FOLDER", "DEEPEVAL_HOME"):
        os.environ.setdefault(name, str(project.state / "deepeval"))


def adapt(found: object) -> tuple[ScoreFunction | None, str]:
    """Return `found` as a function of a sample, None if it is no scorer, and its name."""
    if _comes_from(found, "mlflow") and hasattr(found, "run"):
        return _mlflow_scorer(found), str(getattr(found, "name", type(found).__name__))
    if _comes_from(found, "deepeval") and hasattr(found, "measure"):
        return _deepeval_metric(found), _snake_case(type(found).__name__)
    if callable(found) and _takes_one_sample(found):
        return cast("ScoreFunction", found), str(getattr(found, "__name__", type(found).__name__))
    return None, ""


def _comes_from(found: object, package: str) -> bool:
    return any(base.__module__.split(".")[0] == package for base in type(found).__mro__)


def _takes_one_sample(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(object())
    except (TypeError, ValueError):
        return False
    return not inspect.isclass(function)


def _snake_case(name: str) -> str:
    stem = name.removesuffix("Metric")
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(stem))


def _mlflow_scorer(scorer: Any) -> ScoreFunction:  # noqa: ANN401  duck-typed by `adapt`
    def score(sample: Sample) -> Score:
        given = scorer.run(
            inputs=sample.inputs, outputs=sample.output, expectations=sample.expectations
        )
        feedback = given[0] if isinstance(given, list) else given
        if not hasattr(feedback, "value"):
            return Score(scorer.name, value=feedback)
        if feedback.error is not None:
            message = str(feedback.error.error_message)
            return Score(scorer.name, error=Failure("scorer", feedback.error.error_code, message))
        # MLflow's judges answer "yes" and "no" where they mean a pass and a failure.
        value = {"yes": True, "no": False}.get(feedback.value, feedback.value)
        return Score(scorer.name, value=value, rationale=feedback.rationale)

    return score


def _deepeval_metric(metric: Any) -> ScoreFunction:  # noqa: ANN401  duck-typed by `adapt`
    name = _snake_case(type(metric).__name__)

    async def score(sample: Sample) -> Score:
        from deepeval.test_case import LLMTestCase

        own = copy(metric)  # a metric keeps its last score on itself
        test_case = LLMTestCase(
            input=sample.trace.request,
            actual_output=output_text(sample.output),
            expected_output=_expected_text(sample),
        )
        await own.a_measure(test_case, _show_indicator=False)
        if own.score is None:
            raise ValueError(own.error or "the metric gave no score")
        return Score(name, value=float(own.score), rationale=own.reason)

    return score


def _expected_text(sample: Sample) -> str:
    values = list(sample.expectations.values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return orjson.dumps(sample.expectations, option=orjson.OPT_SORT_KEYS).decode()
