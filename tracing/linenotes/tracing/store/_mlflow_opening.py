"""Opening an MLflow store: every reason why it may not open is found here, with its cure.

A sqlite database is created under a lock and under another name, and takes its own name when it
is complete: commands that start together do not disturb one another, and one that is killed
leaves nothing half-made.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import fcntl
import http.client
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import sqlalchemy
from alembic.script import ScriptDirectory
from mlflow.exceptions import MlflowException

from linenotes.project import StoreError, StoreOutageError, store_errors, without_credentials
from linenotes.tracing.store._mlflow_client import TraceClient
from linenotes.tracing.views._trace_panel import PANEL_TAG, trace_panel

if TYPE_CHECKING:
    from mlflow.entities import Experiment

_SQLITE = "sqlite:///"
_DATABASES = ("postgresql", "mysql", "mssql")
_EXTRAS = {"psycopg2": "linenotes[postgres]"}
"""Drivers of databases that an extra of linenotes installs."""
_ANSWER_SECONDS = 10


def open_experiment(
    tracking_uri: str, experiment: str, *, artifacts: Path, on_create: Callable[[], None]
) -> tuple[TraceClient, str]:
    """Return a client of the store and the id of the experiment, both ready for use."""
    location = artifacts.absolute().as_uri()
    if not tracking_uri.startswith(_SQLITE):
        _check_reachable(tracking_uri)
        is_database = tracking_uri.startswith(_DATABASES)
        return _open(tracking_uri, experiment, location if is_database else None)
    path = _sqlite_path(tracking_uri)
    with _file_errors(path), _lock(path):
        if not path.exists() or path.stat().st_size == 0:
            on_create()
            _create(path)
        _check_sqlite(path)
        return _open(tracking_uri, experiment, location)


def _open(uri: str, experiment: str, location: str | None) -> tuple[TraceClient, str]:
    with store_errors("open", uri):
        client = TraceClient(uri)
        found = _experiment(client, experiment, location)
        if found.tags.get(PANEL_TAG) != (panel := trace_panel()):
            client.runs.set_experiment_tag(found.experiment_id, PANEL_TAG, panel)
    return client, found.experiment_id


def _experiment(client: TraceClient, name: str, location: str | None) -> Experiment:
    found = client.runs.get_experiment_by_name(name)
    if found is None:
        try:
            client.runs.create_experiment(name, artifact_location=location)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                raise
        found = client.runs.get_experiment_by_name(name)
    assert found is not None
    if found.lifecycle_stage == "deleted":
        raise StoreError(
            f"The MLflow experiment {name!r} was deleted. Restore it with `mlflow experiments "
            f"restore --experiment-id {found.experiment_id}`, or set another name in "
            "MLFLOW_EXPERIMENT_NAME."
        )
    return found


def _check_reachable(uri: str) -> None:
    """Ask once: MLflow itself asks for minutes before it gives up."""
    if uri.startswith(("http://", "https://")):
        _check_server(uri)
    elif uri.startswith(_DATABASES):
        _check_database(uri)
    elif not uri.startswith("databricks"):
        raise StoreError(
            f"{without_credentials(uri)!r} is not a store that keeps traces. "
            "Use sqlite:///PATH, postgresql://..., or the http address of an MLflow server."
        )


def _check_server(uri: str) -> None:
    shown = without_credentials(uri)
    try:
        urllib.request.urlopen(shown.rstrip("/") + "/health", timeout=_ANSWER_SECONDS).close()  # noqa: S310  http(s) was checked
    except urllib.error.HTTPError as answer:
        answer.close()  # a server that asks for a login, say, is there
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise StoreOutageError(
            f"The MLflow server {shown!r} does not answer: {getattr(error, 'reason', error)}. "
            "Start it, or correct MLFLOW_TRACKING_URI."
        ) from None


def _check_database(uri: str) -> None:
    shown = without_credentials(uri)
    try:
        with store_errors("open", uri):
            revision = _revision(uri)
    except ImportError as error:
        package = _EXTRAS.get(error.name or "", error.name)
        raise StoreError(
            f"The store {shown!r} needs the Python package {error.name!r}. "
            f"Install it: pip install '{package}'."
        ) from None
    if revision is not None:
        _check_schema(shown, revision)


def _revision(uri: str) -> str | None:
    """Return the version of MLflow's tables; None for a database without any."""
    engine = sqlalchemy.create_engine(uri)
    try:
        with engine.connect() as connection:
            if "alembic_version" not in sqlalchemy.inspect(connection).get_table_names():
                return None
            query = sqlalchemy.text("SELECT version_num FROM alembic_version")
            return str(connection.scalar(query))
    finally:
        engine.dispose()


def _sqlite_path(uri: str) -> Path:
    path = uri.removeprefix(_SQLITE)
    if sqlalchemy.make_url(uri).database != path:
        raise StoreError(
            f"MLflow cannot use the path {path!r}: in an address `?` and `%` with two digits have "
            "a meaning. Set LINENOTES_STATE or MLFLOW_TRACKING_URI to a path without them."
        )
    return Path(path).absolute()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        why = getattr(error, "strerror", None) or str(error).rstrip(".")
        free = shutil.disk_usage(next(p for p in path.parents if p.exists())).free
        raise StoreOutageError(
            f"The MLflow store {str(path)!r} cannot be used: {why} "
            f"({free / 1e9:.1f} GB are free there). "
            "Make room or the folder writable, or set LINENOTES_STATE to another folder."
        ) from None


def _create(path: Path) -> None:
    half_made = path.with_name(path.name + ".new")
    _remove(half_made)
    try:
        with store_errors("create", _SQLITE + str(path)):
            TraceClient(_SQLITE + str(half_made)).close()
        with closing(sqlite3.connect(half_made)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        half_made.replace(path)
    finally:
        _remove(half_made)


def _remove(database: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _check_sqlite(path: Path) -> None:
    if path.is_dir():
        raise StoreError(
            f"The MLflow store {str(path)!r} is a folder, not a file. "
            "Name a file in MLFLOW_TRACKING_URI: sqlite:///PATH/mlflow.db."
        )
    try:
        with closing(sqlite3.connect(path)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        revision = None
    except sqlite3.DatabaseError:
        revision = None
    if revision is None:
        raise StoreError(
            f"{str(path)!r} is not a database of MLflow. "
            "Move it away, or name another file in MLFLOW_TRACKING_URI."
        )
    _check_schema(_SQLITE + str(path), revision)


def _check_schema(uri: str, revision: str) -> None:
    """MLflow migrates some older databases without asking; newer ones it does not recognise."""
    folder = Path(mlflow.__file__).parent / "store" / "db_migrations"
    known = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]
    if revision == known[0]:
        return
    if revision in known:
        raise StoreError(
            f"The store {uri!r} was made by an older MLflow than {mlflow.__version__}. "
            f"Make a copy of it, then run: mlflow db upgrade '{uri}'"
        )
    raise StoreError(
        f"The store {uri!r} was made by a newer MLflow than {mlflow.__version__}. "
        "Upgrade with `pip install -U mlflow`, or set LINENOTES_STATE to another folder."
    )
