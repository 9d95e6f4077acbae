"""A span as the row that MLflow makes of it, without the objects that it makes on the way.

MLflow translates the attributes of a span when it stores it, from the names of many conventions
to its own. Here the same translation runs on a copy without what it does not look at, and spans
that are equal in all that it does look at share one run of it.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import orjson
from mlflow.store.tracking.utils.trace_analytics import (
    COST_COLUMN_BY_KEY,
    TOKEN_COLUMN_BY_KEY,
    bounded_model_dimension,
    finite_float_or_none,
    token_count_or_none,
)
from mlflow.tracing.constant import GenAiSemconvKey, SpanAttributeKey
from mlflow.tracing.otel.translation import translate_span_when_storing
from mlflow.tracing.utils import (
    SpanAggregationNode,
    aggregate_cost_from_span_nodes,
    aggregate_usage_from_span_nodes,
)

from linenotes.tracing._conventions import RESPONSE_ID, TOOL_CALL_ID
from linenotes.tracing.store._mlflow_spans import SpanToStore, attribute, spans_to_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlflow.entities import Span as MlflowSpan
    from pydantic import JsonValue

    from linenotes.tracing._filed_trace import FiledTrace
    from linenotes.tracing._trace import Span

_MILLISECOND = 1_000_000
_OURS = "linenotes."
_NOT_LOOKED_AT = {SpanAttributeKey.REQUEST_ID, RESPONSE_ID, TOOL_CALL_ID}
_SAID = (SpanAttributeKey.INPUTS, SpanAttributeKey.OUTPUTS)
_ABOUT_THE_TRACE = {
    SpanAttributeKey.SESSION_ID,
    GenAiSemconvKey.CONVERSATION_ID,
    "user.id",
}
_NO_COST = dict.fromkeys(COST_COLUMN_BY_KEY.values())
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class SpanRows:
    """The rows of the spans of a trace, and what they say of the trace as a whole."""

    rows: list[dict[str, object]]
    tokens: dict[str, object]
    """Columns of the trace; empty when no span says how many tokens it took."""
    costs: dict[str, object]
    """Columns of the trace; empty when no span says what it cost."""
    start_ms: int
    end_ms: int | None


def says_more_of_the_trace(spans: Iterable[Span]) -> bool:
    """Whether MLflow would read a user, a session or tags of the trace from its spans."""
    return any(
        not _ABOUT_THE_TRACE.isdisjoint(span.attributes)
        or any(key.startswith(SpanAttributeKey.TRACE_TAG_PREFIX) for key in span.attributes)
        for span in spans
    )


def span_rows(filed: FiledTrace, experiment_id: int) -> SpanRows:
    """Return the rows of a trace's spans, keyed by column."""
    rows = []
    usage: list[SpanAggregationNode] = []
    costs: list[SpanAggregationNode] = []
    for span in spans_to_store(filed):
        attributes = _translated(span)
        rows.append(_row(span, attributes, experiment_id))
        usage.append(_node(span.span, attributes.get(SpanAttributeKey.CHAT_USAGE)))
        costs.append(_node(span.span, attributes.get(SpanAttributeKey.LLM_COST)))
    ends = [end for row in rows if (end := cast("int | None", row["end_time_unix_nano"]))]
    return SpanRows(
        rows=rows,
        tokens=_columns(
            aggregate_usage_from_span_nodes(usage), TOKEN_COLUMN_BY_KEY, token_count_or_none
        ),
        costs=_columns(
            aggregate_cost_from_span_nodes(costs), COST_COLUMN_BY_KEY, finite_float_or_none
        ),
        start_ms=min(cast("int", row["start_time_unix_nano"]) for row in rows) // _MILLISECOND,
        end_ms=max(ends) // _MILLISECOND if ends else None,
    )


def _row(span: SpanToStore, attributes: dict[str, str], experiment_id: int) -> dict[str, object]:
    document = span.document(attributes)
    cost = _object(attributes.get(SpanAttributeKey.LLM_COST))
    return {
        "trace_id": span.trace.trace_id,
        "experiment_id": experiment_id,
        "span_id": span.span.span_id,
        "parent_span_id": span.span.parent_id or None,
        "name": span.span.name,
        "type": span.span.type,
        "status": span.span.status,
        "start_time_unix_nano": span.span.start_ns,
        "end_time_unix_nano": document["end_time_unix_nano"],
        "content": _encode(document),
        **_NO_COST,
        "model_name": _name(attributes.get(SpanAttributeKey.MODEL)),
        "model_provider": _name(attributes.get(SpanAttributeKey.MODEL_PROVIDER)),
        **_columns(cost, COST_COLUMN_BY_KEY, finite_float_or_none),
    }


def _translated(span: SpanToStore) -> dict[str, str]:
    """Return the attributes as JSON texts, with those that MLflow derives from them."""
    texts = {key: orjson.dumps(value).decode() for key, value in span.attributes.items()}
    looked_at = {
        key: _all_that_counts(value) if key in _SAID else attribute(value)
        for key, value in span.attributes.items()
        if not (key.startswith(_OURS) or key in _NOT_LOOKED_AT)
    }
    if span.span.events and not all(key in looked_at for key in _SAID):
        events = cast("list[JsonValue]", span.document({})["events"])
        return {**texts, **_derived(looked_at, events)}
    return {**texts, **_derived_of_equals(tuple(looked_at.items()))}


def _all_that_counts(said: object) -> str:
    """Return of inputs or outputs what MLflow looks for in them: the name of a model."""
    model = said.get("model") if isinstance(said, dict) else None
    return attribute({"model": model} if isinstance(model, str) else [])


@lru_cache(maxsize=4096)
def _derived_of_equals(looked_at: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return _derived(dict(looked_at), [])


def _derived(looked_at: dict[str, str], events: list[JsonValue]) -> dict[str, str]:
    document = _Document({"attributes": looked_at, "events": events})
    translated = translate_span_when_storing(cast("MlflowSpan", document))["attributes"]
    return {key: text for key, text in translated.items() if key not in looked_at}


@dataclass(frozen=True, slots=True)
class _Document:
    """All that MLflow's translation asks of a span."""

    document: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        return self.document


def _node(span: Span, text: str | None) -> SpanAggregationNode:
    return SpanAggregationNode(span.span_id, span.parent_id or None, _object(text))


def _object(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _columns(
    totals: Mapping[str, object] | None,
    columns: Mapping[str, str],
    number: Callable[[object], float | None],
) -> dict[str, object]:
    if not totals:
        return {}
    values = {column: number(totals.get(key)) for key, column in columns.items()}
    return {column: value for column, value in values.items() if value is not None}


def _name(text: str | None) -> str | None:
    """Return the name of a model or its provider, of which MLflow drops the quotes of JSON."""
    if text is None:
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        return bounded_model_dimension(text)
    return bounded_model_dimension(parsed if isinstance(parsed, str) else text)
