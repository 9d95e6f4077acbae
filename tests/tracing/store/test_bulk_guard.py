from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from linenotes.tracing import FiledTrace, MlflowStore

if TYPE_CHECKING:
    from mlflow.entities import TraceInfo

MakeFiled = Callable[..., FiledTrace]
OpenCopy = Callable[[str], MlflowStore]


def test_the_installed_mlflow_and_the_tables_that_it_makes_are_known(open_copy: OpenCopy) -> None:
    assert open_copy("plain").writes_in_bulk


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE trace_info ADD COLUMN priority INTEGER",
        "ALTER TABLE spans ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE trace_tags RENAME TO labels;"
        "CREATE TABLE trace_tags (key VARCHAR(250) NOT NULL, value TEXT,"
        " request_id VARCHAR(50) NOT NULL, PRIMARY KEY (key, request_id))",
        "DROP TABLE span_metrics",
        "UPDATE alembic_version SET version_num = 'ffffffffffff'",
        "INSERT INTO alembic_version VALUES ('ffffffffffff')",
    ],
)
def test_a_database_that_differs_is_written_by_mlflows_calls(
    open_copy: OpenCopy, desk_filed: MakeFiled, change: str
) -> None:
    store = open_copy("changed")
    _execute(store, change)
    assert not store.writes_in_bulk
    filed = desk_filed("by calls")
    store.write_traces([filed])
    assert store.read_trace(filed.trace.trace_id) == filed.trace
    assert store.count_traces(str(filed.run_id)) == 1


def test_rollups_are_left_to_mlflow(
    open_copy: OpenCopy, monkeypatch: pytest.MonkeyPatch, desk_filed: MakeFiled
) -> None:
    monkeypatch.setenv("MLFLOW_SQL_TRACE_ROLLUPS_ENABLED", "true")
    store = open_copy("rollups")
    assert not store.writes_in_bulk
    store.write_traces([desk_filed("rolled up")])
    assert len(store.find_traces()) == 1


def test_another_version_of_mlflow_is_left_to_its_calls(
    open_copy: OpenCopy, monkeypatch: pytest.MonkeyPatch, desk_filed: MakeFiled
) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    from linenotes.tracing.store import _bulk_guard

    def start_trace(store: SqlAlchemyStore, trace_info: TraceInfo) -> TraceInfo:
        return store._start_trace_once(trace_info)  # noqa: SLF001  what the next MLflow might do

    _bulk_guard.mlflow_digest.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(SqlAlchemyStore, "start_trace", start_trace)
        store = open_copy("newer")
        assert not store.writes_in_bulk
        store.write_traces([desk_filed("newer")])
        assert len(store.find_traces()) == 1
    _bulk_guard.mlflow_digest.cache_clear()


def _execute(store: MlflowStore, script: str) -> None:
    with closing(sqlite3.connect(store.tracking_uri.removeprefix("sqlite:///"))) as connection:
        connection.executescript(script)
