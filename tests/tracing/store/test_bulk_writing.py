from __future__ import annotations

import pickle
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.project import StoreError
from linenotes.tracing import FiledTrace, MlflowStore, TraceScore

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace

MakeFiled = Callable[..., FiledTrace]
OpenCopy = Callable[[str], MlflowStore]
Tables = dict[str, list[tuple[object, ...]]]
_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(6)  # longer than Python waits for a lock
connection.execute("COMMIT")
"""
_WRITE = """
import pickle, sys
from pathlib import Path
from linenotes.tracing import MlflowStore
filed = pickle.loads(Path(sys.argv[2]).read_bytes())
with MlflowStore.open(sys.argv[1], "desk", artifacts=Path(sys.argv[2]).parent) as store:
    for start in range(0, len(filed), size := int(sys.argv[3])):
        store.write_traces(filed[start : start + size])
"""
_WRITER = [sys.executable, "-W", "ignore", "-c", _WRITE]


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


@pytest.mark.slow
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


def test_scores_that_no_longer_hold_are_taken_back_and_those_of_people_stay(
    in_bulk: MlflowStore, by_calls: MlflowStore, desk_filed: MakeFiled
) -> None:
    scores = (TraceScore("old", value=True), TraceScore("new", value=1.0))
    before = replace(desk_filed("scored"), scores=scores)
    _write_both(in_bulk, by_calls, [before])
    for store in (in_bulk, by_calls):
        _a_person_scores(store, before)
    after = replace(before, scores=scores[1:], withdrawn=("old", "never there"))
    in_bulk.write_traces([after])
    by_calls.write_traces([after])
    assert _searched(in_bulk) == _searched(by_calls)
    (trace,) = _searched(in_bulk)
    said = str(trace)
    assert "'a person'" in said
    assert "'new'" in said
    assert "'old'" not in said


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


def test_the_latest_of_two_writings_in_one_batch_is_kept(
    in_bulk: MlflowStore, desk_filed: MakeFiled
) -> None:
    first, last = desk_filed("twice", state="IN_PROGRESS"), desk_filed("twice")
    in_bulk.write_traces([first, last])
    assert in_bulk.read_trace(last.trace.trace_id) == last.trace


def test_what_stands_in_another_experiment_is_left_to_mlflow(
    open_copy: OpenCopy, desk_filed: MakeFiled, tmp_path: Path
) -> None:
    filed = desk_filed("moved")
    store = open_copy("one")
    store.write_traces([filed])
    with MlflowStore.open(store.tracking_uri, "another", artifacts=tmp_path) as other:
        assert other.writes_in_bulk
        other.write_traces([filed])
        assert [header.trace_id for header in other.find_traces()] == [filed.trace.trace_id]
    assert store.find_traces() == []


@pytest.mark.slow
def test_a_writer_waits_for_another_process(in_bulk: MlflowStore, desk_filed: MakeFiled) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, _path(in_bulk)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        in_bulk.write_traces([desk_filed("waits")])
        assert holder.wait() == 0
    assert len(in_bulk.find_traces(case="waits")) == 1


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(
    in_bulk: MlflowStore, desk_filed: MakeFiled, tmp_path: Path
) -> None:
    filed = [desk_filed(f"case-{n}") for n in range(120)]
    files = []
    for part in range(3):
        # Each trace is written by two of them.
        mine = [one for n, one in enumerate(filed) if n % 3 != part]
        files.append(tmp_path / f"{part}.pickle")
        files[-1].write_bytes(pickle.dumps(mine))
    writers = [
        subprocess.Popen([*_WRITER, in_bulk.tracking_uri, str(file), "10"]) for file in files
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    for one in filed[::17]:
        assert in_bulk.read_trace(one.trace.trace_id) == one.trace
    assert in_bulk.count_traces(str(filed[0].run_id)) == len(filed)


def test_a_full_disk_leaves_whole_batches_or_nothing_and_is_one_error(
    in_bulk: MlflowStore, desk_filed: MakeFiled
) -> None:
    filed = [desk_filed(f"case-{n}") for n in range(100)]
    in_bulk.write_traces(filed[:1])
    before = _tables(in_bulk)
    with _files_up_to(600_000), pytest.raises(StoreError, match="Could not write traces"):
        in_bulk.write_traces([*filed, *filed])
    assert _tables(in_bulk) == before
    in_bulk.write_traces(filed)
    assert in_bulk.count_traces(str(filed[0].run_id)) == len(filed)


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_batches(
    in_bulk: MlflowStore, desk_filed: MakeFiled, tmp_path: Path
) -> None:
    filed = [desk_filed(f"case-{n}") for n in range(2_000)]
    (tmp_path / "all.pickle").write_bytes(pickle.dumps(filed))
    writer = subprocess.Popen(
        [*_WRITER, in_bulk.tracking_uri, str(tmp_path / "all.pickle"), "2000"]
    )
    while writer.poll() is None and not in_bulk.find_traces(limit=1):
        time.sleep(0.01)
    writer.kill()
    writer.wait()
    stored = in_bulk.count_traces(str(filed[0].run_id))
    assert stored % 100 == 0
    spans = len(filed[0].trace.spans)
    assert len(_tables(in_bulk)["spans"]) == stored * spans
    in_bulk.write_traces(filed)
    assert in_bulk.count_traces(str(filed[0].run_id)) == len(filed)


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """No file may grow beyond `size`, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


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
