from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.tracing import FiledTrace, MlflowStore, TraceScore

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

MakeFiled = Callable[..., FiledTrace]
OpenCopy = Callable[[str], MlflowStore]
Tables = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with MlflowStore.open(f"sqlite:///{folder}/mlflow.db", "desk", artifacts=folder):
        return folder / "mlflow.db"


@pytest.fixture
def open_copy(empty_database: Path, tmp_path: Path) -> Iterator[OpenCopy]:
    opened = []

    def open_(name: str) -> MlflowStore:
        path = tmp_path / f"{name}.db"
        shutil.copy(empty_database, path)
        store = MlflowStore.open(f"sqlite:///{path}", "desk", artifacts=tmp_path)
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def in_bulk(open_copy: OpenCopy) -> MlflowStore:
    store = open_copy("bulk")
    assert store.writes_in_bulk
    return store


@pytest.fixture
def by_calls(open_copy: OpenCopy) -> MlflowStore:
    """A store of which the guard does not know everything while it looks."""
    store = open_copy("calls")
    _execute(store, "INSERT INTO alembic_version VALUES ('another')")
    assert not store.writes_in_bulk
    _execute(store, "DELETE FROM alembic_version WHERE version_num = 'another'")
    return store


def test_bulk_writing_leaves_the_rows_that_mlflows_calls_leave(
    in_bulk: MlflowStore, by_calls: MlflowStore, varied: list[FiledTrace]
) -> None:
    _write_both(in_bulk, by_calls, varied)
    assert len(_tables(in_bulk)["trace_info"]) == len(varied)


def test_mlflow_reads_the_same_from_either(
    in_bulk: MlflowStore, by_calls: MlflowStore, varied: list[FiledTrace]
) -> None:
    _write_both(in_bulk, by_calls, varied)
    read, expected = _searched(in_bulk), _searched(by_calls)
    assert read == expected
    assert len(read) == len(varied)


def test_changed_scores_and_filings_are_written_over_as_mlflows_calls_do(
    in_bulk: MlflowStore, by_calls: MlflowStore, varied: list[FiledTrace]
) -> None:
    _write_both(in_bulk, by_calls, varied)
    _a_person_scores(in_bulk, varied[0])
    _a_person_scores(by_calls, varied[0])
    for again in (
        varied,
        [_rescored(filed) for filed in varied],
        [replace(filed, run_id="d" * 32, version="v9", tags={"new": "1"}) for filed in varied],
    ):
        _write_both(in_bulk, by_calls, again)
    assert _searched(in_bulk) == _searched(by_calls)


def test_a_changed_trace_replaces_the_stored_one_as_mlflows_calls_do(
    in_bulk: MlflowStore, by_calls: MlflowStore, varied: list[FiledTrace]
) -> None:
    _write_both(in_bulk, by_calls, varied)
    _write_both(in_bulk, by_calls, [_shortened(filed) for filed in varied])
    assert _searched(in_bulk) == _searched(by_calls)


def test_a_trace_that_was_never_finished_is_replaced(
    in_bulk: MlflowStore, by_calls: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = desk_filed("begun")
    for store in (in_bulk, by_calls):
        store.write_traces([filed])
        _execute(store, "DELETE FROM trace_tags WHERE key = 'mlflow.trace.spansLocation'")
        _execute(store, "DELETE FROM spans WHERE type = 'AGENT'")
    _write_both(in_bulk, by_calls, [filed])
    assert in_bulk.read_trace(filed.trace.trace_id) == filed.trace


def _write_both(in_bulk: MlflowStore, by_calls: MlflowStore, filed: Sequence[FiledTrace]) -> None:
    in_bulk.write_traces(filed)
    by_calls.write_traces(filed)
    written, expected = _tables(in_bulk), _tables(by_calls)
    assert written.keys() == expected.keys()
    for table, rows in expected.items():
        for ours, theirs in zip(written[table], rows, strict=True):
            assert ours == theirs, table


def _rescored(filed: FiledTrace) -> FiledTrace:
    scores = (TraceScore("new", value=0.125), *(replace(s, value="no") for s in filed.scores[:1]))
    return replace(filed, scores=scores)


def _shortened(filed: FiledTrace) -> FiledTrace:
    trace = filed.trace
    return replace(filed, trace=replace(trace, spans=trace.spans[:1], response="cut"))


def _a_person_scores(store: MlflowStore, filed: FiledTrace) -> None:
    from mlflow.entities import Feedback
    from mlflow.tracing.client import TracingClient

    said = Feedback(name="a person", value=True, create_time_ms=1, last_update_time_ms=1)
    TracingClient(store.tracking_uri).log_assessment(filed.trace.trace_id, said)
    _execute(store, "UPDATE assessments SET assessment_id = 'a-1' WHERE name = 'a person'")


def _searched(store: MlflowStore) -> list[dict[str, object]]:
    from mlflow import MlflowClient

    client = MlflowClient(store.tracking_uri)
    found: list[MlflowTrace] = []
    token = None
    while True:
        page = client.search_traces(
            locations=[store.experiment_id], max_results=20, page_token=token
        )
        found += page
        if not (token := page.token):
            return sorted((trace.to_dict() for trace in found), key=str)


def _tables(store: MlflowStore) -> Tables:
    with closing(sqlite3.connect(_path(store))) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr)  # noqa: S608  a name of sqlite's own
            for (name,) in names.fetchall()
        }


def _execute(store: MlflowStore, statement: str) -> None:
    with closing(sqlite3.connect(_path(store))) as connection, connection:
        connection.execute(statement)


def _path(store: MlflowStore) -> str:
    return store.tracking_uri.removeprefix("sqlite:///")
