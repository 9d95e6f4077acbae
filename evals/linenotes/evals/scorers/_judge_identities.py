"""Who a judge is: the model, and a digest of all that it is asked with.

People's labels say how good one judge is. Another model, another prompt or another version of the
library that holds the prompt is another judge, about whom they say nothing.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from linenotes.agents import DEFAULT_ROLE
from linenotes.evals.scorers._code_identity import OF_LAST_SCORE
from linenotes.project import ModelSettings, Project, digest

if TYPE_CHECKING:
    from typing import Any

    from pydantic import JsonValue

_DIGITS = 12
_PLAIN = (bool, int, float, str)


def pinned(model: str, *asked: JsonValue) -> str:
    """Return the identity of a judge: its model, and a digest of what it is asked with."""
    return f"{model} {digest([*asked])[:_DIGITS]}"


def model_of_role(role: str) -> str:
    """Return the model that the project's settings give to a role."""
    models = Project.find().settings.models
    settings = models.get(role) or models.get(DEFAULT_ROLE) or ModelSettings()
    return f"{settings.model} at temperature {settings.temperature:g}"


def mlflow_judge(scorer: Any) -> str | None:  # noqa: ANN401  a stranger's class
    """Return who judges in a scorer of MLflow; None where none asks a model."""
    if not (hasattr(scorer, "instructions") and hasattr(scorer, "model")):
        return None
    asked: dict[str, JsonValue] = {name: str(value) for name, value in scorer.model_dump().items()}
    return pinned(str(scorer.model or "MLflow's default model"), "mlflow", asked)


def deepeval_judge_of(metric: Any) -> str | None:  # noqa: ANN401  a stranger's class
    """Return who judges in a metric of DeepEval; None where none asks a model."""
    model = getattr(metric, "model", None)
    if model is None:
        return None
    asked: dict[str, JsonValue] = {
        name: value if isinstance(value, _PLAIN) else [str(one) for one in value]
        for name, value in vars(metric).items()
        if name not in OF_LAST_SCORE and isinstance(value, (*_PLAIN, list, tuple))
    }
    kind = type(metric).__name__
    return pinned(str(model.get_model_name()), "deepeval", version("deepeval"), kind, asked)
