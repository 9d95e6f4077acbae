"""What MLflow keeps about a trace beside its spans: what its lists show, filter and group by.

The case is the trace's session, so a run's list groups the samples of a case; without a case it
is the thread, so a conversation stays together. The preview starts with `[case#sample]`, since
MLflow pairs the traces of two runs by it. Only tags and metadata are indexed: what must be found
is one of them.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import hashlib
import math

import orjson
from mlflow.entities import (
    Assessment,
    AssessmentSource,
    AssessmentSourceType,
    Expectation,
    Feedback,
    TraceInfo,
    TraceLocation,
    TraceState,
)
from mlflow.tracing.constant import (
    TRACE_SCHEMA_VERSION,
    TRACE_SCHEMA_VERSION_KEY,
    AssessmentMetadataKey,
    TraceMetadataKey,
    TraceTagKey,
)

from linenotes.tracing._conventions import CASE, SAMPLE, THREAD, VERSION
from linenotes.tracing._filed_trace import FiledTrace, TraceScore
from linenotes.tracing._trace import Trace, spans_of
from linenotes.tracing.store._trace_header import ERROR
from linenotes.tracing.store._trace_tags import search_tags, tag_key

DIGEST = "linenotes.digest"
"""Metadata: the digest of the trace. Two writings of one execution have the same."""
SCORES = "linenotes.digest.scores"
"""Metadata: the digest of the scores that stand in the spans."""

_MAX_PREVIEW = 1_000
_MAX_METADATA = 250
_MAX_CLIENT_ID = 50
_NS_PER_MS = 1_000_000


def trace_info(filed: FiledTrace, experiment_id: str) -> TraceInfo:
    """Return the info under which MLflow keeps `filed`."""
    trace = filed.trace
    ended = trace.end_ns
    return TraceInfo(
        trace_id=trace.trace_id,
        trace_location=TraceLocation.from_experiment_id(experiment_id),
        request_time=trace.start_ns // _NS_PER_MS,
        execution_duration=None if ended is None else (ended - trace.start_ns) // _NS_PER_MS,
        state=TraceState(trace.state),
        request_preview=_cut(f"{_label(trace)} {trace.request}".lstrip(), _MAX_PREVIEW),
        response_preview=_cut(trace.response or _why_no_response(trace), _MAX_PREVIEW),
        client_request_id=_cut(_label(trace).strip("[]"), _MAX_CLIENT_ID) or None,
        trace_metadata=_metadata(filed),
        tags=_tags(filed),
        assessments=_assessments(filed),
    )


def trace_digest(trace: Trace) -> str:
    """Return the digest of everything that `trace` says."""
    return hashlib.sha256(trace.to_json()).hexdigest()


def scores_digest(filed: FiledTrace) -> str:
    """Return the digest of the scores with which a trace is filed."""
    return hashlib.sha256(orjson.dumps(filed.scores)).hexdigest()


def is_settled_by_root(trace: Trace) -> bool:
    """Whether MLflow takes from the root span of `trace` the state that it is in."""
    root = next((span for span in spans_of(trace) if not span.parent_id), None)
    return root is not None and trace.state == ("ERROR" if root.status == "ERROR" else "OK")


def withdrawn_ids(filed: FiledTrace) -> list[str]:
    """Return the ids of the assessments that a trace is to lose."""
    return [_assessment_id(filed.trace, "score", name) for name in filed.withdrawn]


def _label(trace: Trace) -> str:
    if trace.case is None:
        return ""
    return f"[{trace.case}]" if trace.sample is None else f"[{trace.case}#{trace.sample}]"


def _why_no_response(trace: Trace) -> str:
    if trace.error is not None:
        return f"(failed: {trace.error})"
    return "(in progress)" if trace.state == "IN_PROGRESS" else ""


def _metadata(filed: FiledTrace) -> dict[str, str]:
    trace = filed.trace
    tokens, cost = trace.ledger.tokens, trace.ledger.cost
    usage = {
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "total_tokens": tokens.total,
        "cache_read_input_tokens": tokens.cached,
    }
    wanted = {
        TRACE_SCHEMA_VERSION_KEY: str(TRACE_SCHEMA_VERSION),
        DIGEST: trace_digest(trace),
        THREAD: trace.thread,
        SCORES: scores_digest(filed),
        TraceMetadataKey.TRACE_SESSION: trace.case or trace.thread,
        TraceMetadataKey.SOURCE_RUN: filed.run_id,
        TraceMetadataKey.MODEL_ID: filed.model_id,
        TraceMetadataKey.TOKEN_USAGE: _json(usage) if tokens.total else None,
        TraceMetadataKey.COST: None if cost is None else _json({"total_cost": cost}),
        ERROR: trace.error,
    }
    return {key: _cut(value, _MAX_METADATA) for key, value in wanted.items() if value}


def _tags(filed: FiledTrace) -> dict[str, str]:
    trace = filed.trace
    prompts = [{"name": name, "version": str(version)} for name, version in filed.prompts]
    wanted = {
        TraceTagKey.TRACE_NAME: trace.name,
        TraceTagKey.LINKED_PROMPTS: _json(prompts) if prompts else None,
        CASE: trace.case,
        SAMPLE: None if trace.sample is None else str(trace.sample),
        VERSION: filed.version,
    }
    own = {tag_key(key): value for key, value in {**filed.tags, **wanted}.items() if value}
    return {**own, **search_tags(trace)}


def _assessments(filed: FiledTrace) -> list[Assessment]:
    scored = [_feedback(filed, score) for score in filed.scores if _says_something(score)]
    expected = [
        _expectation(filed, name, value)
        for name, value in filed.expectations.items()
        if value is not None
    ]
    return [*scored, *expected]


def _says_something(score: TraceScore) -> bool:
    return score.value is not None or score.error is not None


def _feedback(filed: FiledTrace, score: TraceScore) -> Assessment:
    source = AssessmentSource(source_type=AssessmentSourceType.CODE, source_id=score.name)
    value, error = score.value, score.error
    if isinstance(value, float) and not math.isfinite(value):
        # The pages cannot parse it: JSON has no such number.
        value, error = None, error or f"The score is {value}, which is not a number."
    feedback = Feedback(
        name=score.name,
        value=value,
        error=error,
        source=source,
        rationale=score.rationale,
        span_id=score.span_id,
        metadata=_source_run(filed),
        create_time_ms=_written_ms(filed.trace),
        last_update_time_ms=_written_ms(filed.trace),
    )
    feedback.assessment_id = _assessment_id(filed.trace, "score", score.name)
    return feedback


def _expectation(filed: FiledTrace, name: str, value: object) -> Assessment:
    expectation = Expectation(
        name=name,
        value=value,
        source=AssessmentSource(source_type=AssessmentSourceType.HUMAN, source_id="dataset"),
        metadata=_source_run(filed),
        create_time_ms=_written_ms(filed.trace),
        last_update_time_ms=_written_ms(filed.trace),
    )
    expectation.assessment_id = _assessment_id(filed.trace, "expectation", name)
    return expectation


def _source_run(filed: FiledTrace) -> dict[str, str] | None:
    return {AssessmentMetadataKey.SOURCE_RUN_ID: filed.run_id} if filed.run_id else None


def _written_ms(trace: Trace) -> int:
    return (trace.end_ns or trace.start_ns) // _NS_PER_MS


def _assessment_id(trace: Trace, kind: str, name: str) -> str:
    """Return an id that is the same for the same thing, so that writing it twice replaces it."""
    identity = f"{trace.trace_id} {kind} {name}"
    return "a-" + hashlib.sha256(identity.encode()).hexdigest()[:32]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
