"""A trace as the rows that MLflow keeps of it, as its own calls would leave them.

Two ways lead to a stored trace, and MLflow leaves different rows on each. A trace that its root
settles is begun in progress and ended by its spans. Any other gets its spans first and its info
last, which then has the last word; so does the info of a trace that is stored already.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlflow.store.tracking.utils.trace_analytics import (
    COST_COLUMN_BY_KEY,
    PROMOTED_TRACE_METADATA_KEYS,
    TOKEN_COLUMN_BY_KEY,
    analytics_columns_from_metadata,
    assessment_aggregate,
    validate_trace_name,
)
from mlflow.tracing.constant import SpansLocation, TraceMetadataKey, TraceTagKey
from mlflow.utils.mlflow_tags import MLFLOW_ARTIFACT_LOCATION

from linenotes.tracing.store._bulk_spans import SpanRows, span_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Assessment, TraceInfo

    from linenotes.tracing._filed_trace import FiledTrace

_TOKENS = tuple(TOKEN_COLUMN_BY_KEY.values())
_COSTS = tuple(COST_COLUMN_BY_KEY.values())
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of any number of traces, keyed by column."""

    trace_info: list[Row] = field(default_factory=list)
    trace_tags: list[Row] = field(default_factory=list)
    trace_request_metadata: list[Row] = field(default_factory=list)
    assessments: list[Row] = field(default_factory=list)
    spans: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writing:
    """How one trace is to be written."""

    filed: FiledTrace
    info: TraceInfo
    with_spans: bool
    """Whether its spans are to be written: they are new, or the scores in them changed."""
    is_new: bool
    is_settled: bool
    """Whether its root says how it ended."""


def add_rows(rows: Rows, writing: Writing, *, experiment_id: int, artifacts: str) -> None:
    """Add to `rows` those of one trace.

    Args:
        rows: what is to be written together.
        writing: the trace.
        experiment_id: where it is kept.
        artifacts: the folder of its files, which MLflow names and nobody uses.
    """
    info, trace_id = writing.info, writing.info.trace_id
    spans = span_rows(writing.filed, experiment_id) if writing.with_spans else None
    row = _trace_info(writing, spans, experiment_id)
    rows.trace_info.append(row)
    if spans is not None:
        rows.spans.extend(spans.rows)
    rows.trace_tags.extend(
        {"request_id": trace_id, "key": key, "value": value}
        for key, value in _tags(writing, artifacts)
    )
    rows.trace_request_metadata.extend(
        {"request_id": trace_id, "key": key, "value": value} for key, value in _metadata(info)
    )
    rows.assessments.extend(
        _assessment(assessment, trace_id, experiment_id, row["timestamp_ms"])
        for assessment in info.assessments
    )


def _trace_info(writing: Writing, spans: SpanRows | None, experiment_id: int) -> Row:
    info = writing.info
    row: Row = {
        "request_id": info.trace_id,
        "experiment_id": experiment_id,
        "timestamp_ms": info.request_time,
        "execution_time_ms": info.execution_duration,
        "status": info.state.value,
        "client_request_id": info.client_request_id,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        # Each of MLflow's calls counts it up.
        "db_payload_generation": int(writing.with_spans) + int(not _begins(writing)),
        "trace_name": validate_trace_name(info.tags.get(TraceTagKey.TRACE_NAME)),
        "session_id": None,
        **dict.fromkeys((*_TOKENS, *_COSTS)),
    }
    said = analytics_columns_from_metadata(info.trace_metadata)
    if spans is not None and writing.is_new:
        row |= _of_spans(writing, spans, said)
    return row | said


def _begins(writing: Writing) -> bool:
    """Whether MLflow would be told of the trace before its spans, and not after them."""
    return writing.is_new and writing.is_settled


def _of_spans(writing: Writing, spans: SpanRows, said: dict[str, float | int | str | None]) -> Row:
    """Return what MLflow takes from the spans, as far as the info does not say it."""
    if not _begins(writing):
        return {**spans.tokens, **spans.costs}
    taken: Row = {}
    if not any(said.get(column) is not None for column in _TOKENS):
        taken |= spans.tokens
    if not any(said.get(column) is not None for column in _COSTS):
        taken |= spans.costs
    if not (spans.tokens or spans.costs):
        taken |= _widened(writing.info, spans)
    return taken


def _widened(info: TraceInfo, spans: SpanRows) -> Row:
    """Return begin and duration of a trace that is stretched over all of its spans."""
    begun = min(info.request_time, spans.start_ms)
    if spans.end_ms is None:
        return {"timestamp_ms": begun}
    duration = info.execution_duration
    ended = spans.end_ms
    if duration is not None:
        ended = max(ended, info.request_time + duration)
    return {"timestamp_ms": begun, "execution_time_ms": ended - begun}


def _tags(writing: Writing, artifacts: str) -> Iterator[tuple[str, str]]:
    for key, value in writing.info.tags.items():
        if key != TraceTagKey.TRACE_NAME:
            yield key, value
    yield MLFLOW_ARTIFACT_LOCATION, artifacts
    if writing.with_spans:
        yield TraceTagKey.SPANS_LOCATION, SpansLocation.TRACKING_STORE.value


def _metadata(info: TraceInfo) -> Iterator[tuple[str, str]]:
    for key, value in info.trace_metadata.items():
        if key not in PROMOTED_TRACE_METADATA_KEYS:
            yield key, value
    yield TraceMetadataKey.TRACE_INFO_FINALIZED, "true"


def _assessment(given: Assessment, trace_id: str, experiment_id: int, timestamp: object) -> Row:
    feedback = given.feedback
    said = feedback or given.expectation
    assert said is not None
    value, error = said.value, feedback.error if feedback else None
    aggregate, is_numeric = assessment_aggregate(value)
    return {
        "assessment_id": given.assessment_id,
        "trace_id": trace_id,
        "name": given.name,
        "assessment_type": "feedback" if feedback else "expectation",
        "value": json.dumps(value),
        "error": json.dumps(error.to_dictionary()) if error else None,
        "created_timestamp": given.create_time_ms,
        "last_updated_timestamp": given.last_update_time_ms,
        "source_type": given.source.source_type,
        "source_id": given.source.source_id,
        "run_id": given.run_id,
        "span_id": given.span_id,
        "rationale": given.rationale,
        "overrides": given.overrides,
        "valid": True,
        "assessment_metadata": json.dumps(given.metadata) if given.metadata else None,
        "experiment_id": experiment_id,
        "trace_timestamp_ms": timestamp,
        "aggregate_value": aggregate,
        "is_numeric_value": is_numeric,
    }
