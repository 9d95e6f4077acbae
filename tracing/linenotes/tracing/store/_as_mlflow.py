"""A trace as MLflow's own, without a store: what MLflow's scorers take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing._filed_trace import FiledTrace

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

_NOWHERE = "0"
"""The experiment of a trace that stands in no store."""


def as_mlflow(filed: FiledTrace) -> MlflowTrace:
    """Return MLflow's own trace of what was filed, as if it had been stored and read."""
    from mlflow.entities import Trace as MlflowTrace
    from mlflow.entities import TraceData

    from linenotes.tracing.store._mlflow_info import trace_info
    from linenotes.tracing.store._mlflow_spans import mlflow_spans

    return MlflowTrace(trace_info(filed, _NOWHERE), TraceData(mlflow_spans(filed)))
