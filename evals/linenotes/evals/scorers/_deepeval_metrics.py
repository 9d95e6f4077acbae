"""DeepEval's metrics as functions of a sample, each with the test case that it takes.

DeepEval writes into the working directory and reports home when it is imported, unless told
otherwise before that.
"""

from __future__ import annotations

import os
from copy import copy
from typing import TYPE_CHECKING

from linenotes.evals.journal._samples import Sample, Score
from linenotes.project import Project, keep_offline

if TYPE_CHECKING:
    from typing import Any

    from linenotes.evals.scorers._scorers import ScoreFunction


def keep_deepeval_in(project: Project) -> None:
    """Set the variables that DeepEval reads when it is imported; call it before that.

    It would write into the working directory and the home folder. What the user set stays.
    """
    keep_offline()
    for name in ("DEEPEVAL_CACHE_FOLDER", "DEEPEVAL_HOME"):
        os.environ.setdefault(name, str(project.state / "deepeval"))


def metric_name(metric: object) -> str:
    """Return `tool_correctness` for a `ToolCorrectnessMetric`."""
    stem = type(metric).__name__.removesuffix("Metric")
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(stem))


def deepeval_metric(metric: Any) -> ScoreFunction:  # noqa: ANN401  a stranger's class
    """Return a DeepEval metric as a function of a sample."""
    name = metric_name(metric)

    async def score(sample: Sample) -> Score:
        from linenotes.evals.scorers._deepeval_cases import test_case_for

        own = copy(metric)  # a metric keeps its last score on itself
        await own.a_measure(test_case_for(own, sample), _show_indicator=False)
        if own.score is None:
            raise ValueError(own.error or "the metric gave no score")
        return Score(name, value=float(own.score), rationale=own.reason)

    return score
