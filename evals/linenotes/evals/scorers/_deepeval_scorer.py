"""DeepEval's metrics by name, and our models as their judges."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from linenotes.evals.scorers._code_identity import library_identity
from linenotes.evals.scorers._deepeval_metrics import deepeval_metric, keep_deepeval_in, metric_name
from linenotes.evals.scorers._judge_identities import deepeval_judge_of
from linenotes.evals.scorers._scorer_specs import Parameters, call_text
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import Project, ScorerError

if TYPE_CHECKING:
    from deepeval.models import DeepEvalBaseLLM


def deepeval(metric: str, *, judge: str | None = None, **parameters: object) -> Scorer:
    """Scores with a metric of DeepEval, judged by the model of a role.

    Args:
        metric: its class in `deepeval.metrics`, such as `"TaskCompletionMetric"`.
        judge: the role whose model judges; None for metrics that need none.
        parameters: what the metric takes beside a model.

    Raises:
        ScorerError: there is no such metric, or it does not take the parameters.
    """
    keep_deepeval_in(Project.find())
    from deepeval import metrics

    if not isinstance(found := getattr(metrics, metric, None), type):
        near = get_close_matches(metric, dir(metrics), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Name a class of deepeval.metrics."
        raise ScorerError(f"DeepEval has no metric {metric!r}. {hint}")
    judged = {} if judge is None else {"model": deepeval_judge(judge)}
    try:
        made = found(**judged, **parameters)
    except Exception as error:
        raise ScorerError(f"DeepEval's {metric} cannot be made: {error}") from error
    given = ({} if judge is None else {"judge": judge}) | parameters
    spec = call_text("deepeval", Parameters((metric,), given))
    judge_of_it = deepeval_judge_of(made)
    code = library_identity("deepeval", made) if judge_of_it is None else None
    return Scorer(metric_name(made), spec, deepeval_metric(made), judge=judge_of_it, code=code)


def deepeval_judge(role: str) -> DeepEvalBaseLLM:
    """Return the model of a role as a judge for DeepEval: `model=deepeval_judge("judge")`.

    It is the model that the project's settings give to the role, whoever is evaluated.
    """
    from linenotes.evals.scorers._deepeval_judge import RoleJudge

    return RoleJudge(role)
