"""Writes traces straight into the tables of a database whose insides are known.

A batch is one transaction: the rows that MLflow's own calls would leave, all of them or none. What
is unusual (a trace of another experiment, an archived one, one whose spans name its user) is
left to those calls.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from mlflow.tracing.constant import SpansLocation, TraceTagKey
from mlflow.utils.uri import append_to_uri_path

from linenotes.tracing.store._bulk_rows import Row, Rows, Writing, add_rows
from linenotes.tracing.store._bulk_spans import says_more_of_the_trace
from linenotes.tracing.store._mlflow_info import (
    DIGEST,
    SCORES,
    is_settled_by_root,
    trace_info,
    withdrawn_ids,
)

if TYPE_CHECKING:
    from mlflow.entities import TraceInfo
    from sqlalchemy import Connection, Engine

    from linenotes.tracing._filed_trace import FiledTrace

_PATIENCE_MS = 60_000
"""How long to wait for others that write. A batch takes them a tenth of a second."""
_KEYS = {
    "trace_info": {"request_id"},
    "trace_tags": {"request_id", "key"},
    "trace_request_metadata": {"request_id", "key"},
    "assessments": {"assessment_id"},
    "spans": {"trace_id", "span_id"},
}
_KEPT = {"trace_name", "request_preview", "response_preview", "session_id"}
"""Columns that stay when nothing new is said; so do the tokens and costs."""
_COUNTED = "db_payload_generation"
_FOUND = f"""
SELECT i.request_id, i.experiment_id, d.value, s.value, l.value
FROM trace_info AS i
LEFT JOIN trace_request_metadata AS d ON d.request_id = i.request_id AND d.key = '{DIGEST}'
LEFT JOIN trace_request_metadata AS s ON s.request_id = i.request_id AND s.key = '{SCORES}'
LEFT JOIN trace_tags AS l
ON l.request_id = i.request_id AND l.key = '{TraceTagKey.SPANS_LOCATION}'
WHERE i.request_id IN """  # noqa: S608  our own constants
_EXPERIMENT = """
SELECT artifact_location FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'active'
"""
_DELETE = (
    "DELETE FROM trace_info WHERE request_id = ?",  # and what refers to it
    "DELETE FROM review_queue_items WHERE item_type = 'trace' AND item_id = ?",
)
_WITHDRAW = "DELETE FROM assessments WHERE assessment_id = ?"
_FOLLOW = """
UPDATE assessments SET experiment_id = :experiment_id, trace_timestamp_ms = :timestamp_ms
WHERE trace_id = :request_id
"""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database holds of a trace."""

    experiment_id: int
    digest: str | None
    scores: str | None
    location: str | None
    """Where its spans are; None while it has none."""


@dataclass(frozen=True, slots=True)
class _State:
    """What the database holds that a batch depends on."""

    artifacts: str | None
    """The experiment's folder of files; None when nothing may be written to it."""
    traces: dict[str, _Stored]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done with a batch."""

    rows: Rows = field(default_factory=Rows)
    stale: list[str] = field(default_factory=list)
    """The ids of traces that are replaced."""
    updated: list[Row] = field(default_factory=list)
    """The rows of traces of which only the info or the scores changed."""
    withdrawn: list[str] = field(default_factory=list)
    """The ids of assessments that no longer hold."""
    left: list[FiledTrace] = field(default_factory=list)
    """What is not for this module."""


class BulkWriter:
    """Writes batches of traces of one experiment into one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, batch: Sequence[FiledTrace], experiment_id: str) -> list[FiledTrace]:
        """Write what is usual of `batch` in one transaction, and return the rest."""
        latest = {filed.trace.trace_id: filed for filed in batch}
        infos = [trace_info(filed, experiment_id) for filed in latest.values()]
        work = list(zip(latest.values(), infos, strict=True))
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            seen = _state(connection, experiment_id, list(latest))
            todo = _work(work, seen, experiment_id)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if (now := _state(connection, experiment_id, list(latest))) != seen:
                todo = _work(work, now, experiment_id)  # another process was faster
            _do(connection, todo)
            connection.commit()
        return todo.left


def _state(connection: Connection, experiment_id: str, trace_ids: list[str]) -> _State:
    artifacts = connection.exec_driver_sql(_EXPERIMENT, (int(experiment_id),)).scalar()
    marks = ", ".join("?" * len(trace_ids))
    found = connection.exec_driver_sql(f"{_FOUND} ({marks})", tuple(trace_ids))
    return _State(artifacts, {trace_id: _Stored(*others) for trace_id, *others in found})


def _work(
    batch: Sequence[tuple[FiledTrace, TraceInfo]], state: _State, experiment_id: str
) -> _Work:
    work = _Work()
    for filed, info in batch:
        stored = state.traces.get(info.trace_id)
        if state.artifacts is None or not _is_usual(filed, stored, experiment_id):
            work.left.append(filed)
            continue
        work.withdrawn.extend(withdrawn_ids(filed))
        writing = _writing(filed, info, stored)
        if writing.is_new and stored is not None:
            work.stale.append(info.trace_id)
        artifacts = str(
            append_to_uri_path(state.artifacts, "traces", info.trace_id, "artifacts")  # type: ignore[no-untyped-call]
        )
        add_rows(work.rows, writing, experiment_id=int(experiment_id), artifacts=artifacts)
        if not writing.is_new:
            work.updated.append(work.rows.trace_info[-1])
    return work


def _is_usual(filed: FiledTrace, stored: _Stored | None, experiment_id: str) -> bool:
    if says_more_of_the_trace(filed.trace.spans):
        return False
    return stored is None or (
        stored.experiment_id == int(experiment_id)
        and stored.location in (None, SpansLocation.TRACKING_STORE.value)
    )


def _writing(filed: FiledTrace, info: TraceInfo, stored: _Stored | None) -> Writing:
    said = info.trace_metadata
    is_new = stored is None or stored.location is None or stored.digest != said[DIGEST]
    return Writing(
        filed,
        info,
        with_spans=is_new or stored is None or stored.scores != said[SCORES],
        is_new=is_new,
        is_settled=is_settled_by_root(filed.trace),
    )


def _do(connection: Connection, work: _Work) -> None:
    if work.stale:
        for delete in _DELETE:
            connection.exec_driver_sql(delete, [(trace_id,) for trace_id in work.stale])
    if work.withdrawn:
        connection.exec_driver_sql(_WITHDRAW, [(id_,) for id_ in work.withdrawn])
    for table in fields(Rows):
        rows: list[Row] = getattr(work.rows, table.name)
        if rows:
            connection.exec_driver_sql(_upsert(table.name, tuple(rows[0])), rows)
    if work.updated:
        connection.exec_driver_sql(_FOLLOW, work.updated)


def _upsert(table: str, columns: Sequence[str]) -> str:
    keys = _KEYS[table]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f":{column}" for column in columns)
    conflict = ", ".join(f'"{key}"' for key in keys)
    updates = ", ".join(
        f'"{column}" = {_updated(table, column)}' for column in columns if column not in keys
    )
    return (
        f"INSERT INTO {table} ({names}) VALUES ({values}) "  # noqa: S608  our own constants
        f"ON CONFLICT ({conflict}) DO UPDATE SET {updates}"
    )


def _updated(table: str, column: str) -> str:
    if table != "trace_info":
        return f'excluded."{column}"'
    if column == _COUNTED:
        return f'{table}."{column}" + excluded."{column}"'
    if column in _KEPT or column.endswith(("_tokens", "_tokens_above_1hr", "_cost")):
        return f'coalesce(excluded."{column}", {table}."{column}")'
    return f'excluded."{column}"'
