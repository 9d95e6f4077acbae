from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from linenotes.project import StoreError
from linenotes.tracing import FiledTrace, MlflowStore

MakeFiled = Callable[..., FiledTrace]
_OPEN = """
import sys
from pathlib import Path
from linenotes.tracing import MlflowStore
folder = Path(sys.argv[1])
created = []
store = MlflowStore.open(
    f"sqlite:///{folder}/mlflow.db", "desk", artifacts=folder, on_create=lambda: created.append(1)
)
print(len(created), store.experiment_id)
"""


@pytest.fixture
def database(store: MlflowStore, tmp_path: Path, store_folder: Path) -> Path:
    """A database of its own that the test may spoil."""
    store.close()
    return Path(shutil.copy(store_folder / "mlflow.db", tmp_path / "mlflow.db"))


@pytest.mark.slow
def test_commands_that_start_together_create_the_store_once_and_quietly(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _OPEN, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate() for process in started]
    assert sorted(out.split() for out, _ in said) == [["0", "1"], ["1", "1"]]
    assert [err for _, err in said] == ["", ""]
    assert {path.name for path in tmp_path.iterdir()} >= {"mlflow.db", "mlflow.db.lock"}
    assert not list(tmp_path.glob("*.new*"))


def test_an_open_store_is_not_created_again(database: Path) -> None:
    created: list[bool] = []
    for _ in range(2):
        _open(database, on_create=lambda: created.append(True)).close()
    assert created == []


def test_a_half_made_store_is_made_anew(database: Path) -> None:
    database.rename(database.with_name("mlflow.db.new"))
    database.touch()
    with _open(database) as store:
        assert store.find_traces() == []
    assert not database.with_name("mlflow.db.new").exists()


def test_the_panel_is_put_on_the_experiment_and_brought_up_to_date(database: Path) -> None:
    from mlflow import MlflowClient

    from linenotes.tracing.views._trace_panel import PANEL_TAG, trace_panel

    with _open(database) as store:
        client = MlflowClient(store.tracking_uri)
        client.set_experiment_tag(store.experiment_id, PANEL_TAG, "an older one")
    with _open(database) as store:
        tags = client.get_experiment(store.experiment_id).tags
    assert tags[PANEL_TAG] == trace_panel()


def test_a_store_of_a_newer_mlflow_is_refused(database: Path) -> None:
    _set_revision(database, "ffffffffffff")
    with pytest.raises(StoreError, match=r"newer MLflow.*pip install -U mlflow"):
        _open(database)


def test_a_store_of_an_older_mlflow_is_refused_and_left_as_it_is(database: Path) -> None:
    _set_revision(database, "451aebb31d03")
    with pytest.raises(StoreError, match=r"older MLflow.*copy.*mlflow db upgrade 'sqlite:///"):
        _open(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("451aebb31d03",)]


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("CREATE TABLE books (title TEXT)")
    with pytest.raises(StoreError, match="not a database of MLflow"):
        _open(tmp_path / "mlflow.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("dear diary, " * 1000)
    with pytest.raises(StoreError, match="not a database of MLflow"):
        _open(tmp_path / "mlflow.db")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder, not a file"):
        _open(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be used: .*LINENOTES_STATE"):
        _open(tmp_path / "file" / "mlflow.db")


@pytest.mark.parametrize("name", ["a%20b", "what?"])
def test_a_path_that_means_something_else_to_mlflow_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match=r"MLflow cannot use the path .*LINENOTES_STATE"):
        _open(tmp_path / name / "mlflow.db")
    assert not list(tmp_path.iterdir())


def test_a_deleted_experiment_is_not_written_to(database: Path) -> None:
    from mlflow import MlflowClient

    with _open(database) as store:
        MlflowClient(store.tracking_uri).delete_experiment(store.experiment_id)
    with pytest.raises(StoreError, match=r"'desk' was deleted.*mlflow experiments restore"):
        _open(database)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StoreError, match=r"does not answer: .*MLFLOW_TRACKING_URI") as told:
            MlflowStore.open(f"http://me:secret@{host}", "desk", artifacts=Path())
    assert f"'http://{host}' does not answer: " in str(told.value)
    assert "refused" in str(told.value)


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "postgres:/x", ""])
def test_a_store_that_keeps_no_traces_is_refused(uri: str) -> None:
    with pytest.raises(StoreError, match="not a store that keeps traces"):
        MlflowStore.open(uri, "desk", artifacts=Path())


def test_a_missing_driver_is_named_without_the_password_of_the_store() -> None:
    with pytest.raises(StoreError, match="needs the Python package 'MySQLdb'") as told:
        MlflowStore.open("mysql://me:secret@127.0.0.1/x", "desk", artifacts=Path())
    assert "secret" not in str(told.value)


def _open(database: Path, *, on_create: Callable[[], None] = lambda: None) -> MlflowStore:
    return MlflowStore.open(
        f"sqlite:///{database}", "desk", artifacts=database.parent / "files", on_create=on_create
    )


def _set_revision(database: Path, revision: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
