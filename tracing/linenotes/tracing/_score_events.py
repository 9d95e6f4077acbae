"""Scores as OpenTelemetry's events of evaluation results, on the spans that they judge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing._trace import SpanEvent

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing._filed_trace import FiledTrace, TraceScore


def score_events(filed: FiledTrace) -> dict[str, tuple[SpanEvent, ...]]:
    """Return span id to the results of what judged that span: the root, unless a score says."""
    spans = {span.span_id: span for span in filed.trace.spans}
    root = next(iter(spans), None)
    events: dict[str, tuple[SpanEvent, ...]] = {}
    for score in filed.scores:
        judged = score.span_id if score.span_id in spans else root
        if judged is not None and (result := _result(score)):
            at = spans[judged].end_ns or spans[judged].start_ns
            event = SpanEvent(names.EVALUATION_RESULT, at, result)
            events[judged] = (*events.get(judged, ()), event)
    return events


def _result(score: TraceScore) -> dict[str, JsonValue]:
    """Return the attributes of a score's event; none for a score that says nothing."""
    said = _value(score.value)
    if score.error is not None:
        said[names.ERROR_TYPE] = score.error.partition(":")[0]
    if not said:
        return {}
    explanation = score.rationale or score.error
    explained = {names.EVALUATION_EXPLANATION: explanation} if explanation else {}
    return {names.EVALUATION_NAME: score.name, **said, **explained}


def _value(value: bool | float | str | None) -> dict[str, JsonValue]:
    if isinstance(value, bool):
        label = "pass" if value else "fail"
        return {names.EVALUATION_VALUE: float(value), names.EVALUATION_LABEL: label}
    if isinstance(value, str):
        return {names.EVALUATION_LABEL: value}
    if value is None:
        return {}
    if not math.isfinite(value):
        return {names.EVALUATION_LABEL: str(value)}
    return {names.EVALUATION_VALUE: float(value)}
