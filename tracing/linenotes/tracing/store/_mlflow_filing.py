"""A stored trace with what it was filed under: run, version and scores, those of people too.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from mlflow.entities import Feedback
from mlflow.tracing.constant import TraceMetadataKey

from linenotes.tracing._conventions import VERSION
from linenotes.tracing._filed_trace import FiledTrace, TraceScore
from linenotes.tracing.store._mlflow_ledger import any_trace_from_mlflow

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace


def filed_from_mlflow(stored: MlflowTrace) -> FiledTrace:
    """Return the trace as it was filed; one that something else recorded is rebuilt."""
    metadata = stored.info.trace_metadata
    return FiledTrace(
        trace=any_trace_from_mlflow(stored),
        run_id=metadata.get(TraceMetadataKey.SOURCE_RUN),
        model_id=metadata.get(TraceMetadataKey.MODEL_ID),
        version=stored.info.tags.get(VERSION),
        scores=tuple(_score(a) for a in stored.info.assessments if isinstance(a, Feedback)),
    )


def _score(feedback: Feedback) -> TraceScore:
    error, value = feedback.error, feedback.value
    if isinstance(value, dict | list):
        value = orjson.dumps(value).decode()
    return TraceScore(
        name=feedback.name,
        value=value,
        rationale=feedback.rationale,
        error=None if error is None else error.error_message or error.error_code,
        span_id=feedback.span_id,
    )
