"""MLflow's scorers and judges as functions of a sample; those that want a trace get it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from linenotes.evals.journal._samples import Failure, Sample, Score
from linenotes.tracing import FiledTrace, as_mlflow

if TYPE_CHECKING:
    from typing import Any

    from linenotes.evals.scorers._scorers import Given, ScoreFunction


def mlflow_scorer(scorer: Any) -> ScoreFunction:  # noqa: ANN401  a stranger's class
    """Return an MLflow scorer as a function of a sample."""
    wants_trace = "trace" in inspect.signature(type(scorer).__call__).parameters

    def score(sample: Sample) -> Given:
        wanted = {"trace": as_mlflow(_filed(sample))} if wants_trace else {}
        given = scorer.run(
            inputs=sample.inputs, outputs=sample.output, expectations=sample.expectations, **wanted
        )
        if isinstance(given, list):
            return [_score(one, str(one.name)) for one in given]
        if not hasattr(given, "value"):
            return Score(scorer.name, value=given)
        return _score(given, scorer.name)

    return score


def _filed(sample: Sample) -> FiledTrace:
    return FiledTrace(trace=sample.trace, expectations=sample.expectations)


def _score(feedback: Any, name: str) -> Score:  # noqa: ANN401  a stranger's class
    if feedback.error is not None:
        message = str(feedback.error.error_message)
        return Score(name, error=Failure("scorer", feedback.error.error_code, message))
    # MLflow's judges answer "yes" and "no" where they mean a pass and a failure.
    value = {"yes": True, "no": False}.get(feedback.value, feedback.value)
    return Score(name, value=value, rationale=feedback.rationale)
