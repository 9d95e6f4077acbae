"""Whether the insides of MLflow and of a database are those for which traces are written in bulk.

Rows that are written below MLflow's calls must be those that its calls would leave. So the tables
of the database, its revision, and MLflow's own tables and code of those calls are compared with
what was tested, by their digests. Whatever differs, even by a column, is written by the calls.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from linenotes.tracing.store._bulk_writing import BulkWriter

_REVISION = "dc11669786a5"
_TABLES_DIGEST = "e817e6ce4eeb8de35c23fa10dea7119db78b6b63ebd977d9034a50ec647e1fe5"
_MLFLOW_DIGEST = "3a08116ccbd017db0987ededa4716395af0bc14667fcc6445a3dc491344631e4"
"""Of MLflow 3.17.2. To know another one: see that the tests of bulk writing pass with it."""

_STORE = "mlflow.store.tracking.sqlalchemy_store:SqlAlchemyStore"
_MODELS = "mlflow.store.tracking.dbmodels.models"
_TABLES = {
    "assessments": "SqlAssessments",
    "experiments": "SqlExperiment",
    "review_queue_items": "SqlReviewQueueItem",
    "span_metrics": "SqlSpanMetrics",
    "spans": "SqlSpan",
    "trace_info": "SqlTraceInfo",
    "trace_metrics": "SqlTraceMetrics",
    "trace_request_metadata": "SqlTraceMetadata",
    "trace_tags": "SqlTraceTag",
}
_CODE = (
    f"{_STORE}.start_trace",
    f"{_STORE}._start_trace_once",
    f"{_STORE}.log_spans",
    f"{_STORE}._log_spans_once",
    f"{_STORE}._get_trace_artifact_location_tag",
    f"{_STORE}._get_trace_status_from_root_span",
    f"{_STORE}._delete_traces",
    f"{_STORE}._delete_review_queue_items_for_traces",
    f"{_MODELS}:SqlAssessments.from_mlflow_entity",
    "mlflow.entities.span:Span.to_dict",
    "mlflow.entities.span:Span.from_dict",
    "mlflow.store.tracking.utils.trace_analytics",
    "mlflow.tracing.utils",
    "mlflow.tracing.otel.translation",
    "mlflow.tracing.otel.translation.base",
    "mlflow.tracing.otel.translation.claude_code",
    "mlflow.tracing.otel.translation.gemini_cli",
    "mlflow.tracing.otel.translation.genai_semconv",
    "mlflow.tracing.otel.translation.google_adk",
    "mlflow.tracing.otel.translation.laminar",
    "mlflow.tracing.otel.translation.langfuse",
    "mlflow.tracing.otel.translation.livekit",
    "mlflow.tracing.otel.translation.open_inference",
    "mlflow.tracing.otel.translation.spring_ai",
    "mlflow.tracing.otel.translation.traceloop",
    "mlflow.tracing.otel.translation.vercel_ai",
    "mlflow.tracing.otel.translation.voltagent",
)


def bulk_writer(store: object) -> BulkWriter | None:
    """Return what writes in bulk into the database of MLflow's `store`, or None if nothing may."""
    if not _is_plain_sqlite(store) or mlflow_digest() != _MLFLOW_DIGEST:
        return None
    engine: Engine = store.engine  # type: ignore[attr-defined]
    if _revision(engine) != _REVISION or tables_digest(engine) != _TABLES_DIGEST:
        return None
    from mlflow.store.tracking.utils.sql_trace_rollups import rollups_enabled

    from linenotes.tracing.store._bulk_writing import BulkWriter

    return None if rollups_enabled() else BulkWriter(engine)


def tables_digest(engine: Engine) -> str:
    """Return the digest of the columns of a database: names, types, nullability and defaults."""
    with engine.connect() as connection:
        columns = [
            (table, *column)
            for table in _TABLES
            for column in connection.exec_driver_sql(f"PRAGMA table_xinfo({table})")
        ]
    return _digest(repr(columns))


@cache
def mlflow_digest() -> str | None:
    """Return the digest of MLflow's tables and code; None when something known is not there."""
    try:
        code = [inspect.getsource(resolve_name(name)) for name in _CODE]
        columns = list(_modelled_columns())
    except (ImportError, AttributeError, OSError):
        return None
    return _digest(repr((code, columns)))


def _is_plain_sqlite(store: object) -> bool:
    """Whether `store` is MLflow's own for one database, and no kind of it with other habits."""
    kind = f"{type(store).__module__}:{type(store).__qualname__}"
    return kind == _STORE and store.engine.dialect.name == "sqlite"  # type: ignore[attr-defined]


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        return ", ".join(found)


def _modelled_columns() -> Iterator[tuple[str, str, str, bool]]:
    for table, model in _TABLES.items():
        for column in resolve_name(f"{_MODELS}:{model}").__table__.columns:
            yield table, column.name, str(column.type), bool(column.nullable)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
