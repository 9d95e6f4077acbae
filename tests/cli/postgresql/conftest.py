"""A PostgreSQL of the tests' own, and MLflow's server on it, which stop and come back at will."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.tracing import start_ui

if TYPE_CHECKING:
    from linenotes.tracing import UiServer

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = {port}
fsync = off
"""
_USER = "postgres"
"""Whose processes the database runs as when the tests run as root, which PostgreSQL refuses."""


@dataclass(frozen=True)
class PostgreSQL:
    """A database on loopback, in a folder of its own."""

    folder: Path
    port: int

    @property
    def uri(self) -> str:
        """With a password, which must be seen nowhere. Nobody asks for it."""
        return f"postgresql://linenotes:s3same@127.0.0.1:{self.port}/postgres"

    @property
    def driven_uri(self) -> str:
        """As those who are no project of linenotes have to write it."""
        return self.uri.replace("postgresql:", "postgresql+psycopg2:")

    def create(self) -> None:
        self._run("initdb", "--auth=trust", "--username=linenotes", "--no-sync", "--locale=C",
                  "--encoding=UTF8")  # fmt: skip
        with (self.folder / "data/postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(_SETTINGS.format(port=self.port))

    def start(self) -> None:
        self._run("pg_ctl", "--wait", f"--log={self.folder}/log", "start")

    def stop(self) -> None:
        """End at once, as a machine that loses its power."""
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def count(self, table: str, run_id: str) -> int:
        """How many rows of the traces of a run there are."""
        from sqlalchemy import create_engine, text

        key = "request_id" if table == "trace_info" else "trace_id"
        query = text(
            f"SELECT count(*) FROM {table} t JOIN trace_request_metadata m"  # noqa: S608  our own
            f" ON t.{key} = m.request_id WHERE m.key = 'mlflow.sourceRun' AND m.value = :run_id"
        )
        engine = create_engine(self.driven_uri)
        try:
            with engine.connect() as connection:
                return int(connection.scalar(query, {"run_id": run_id}) or 0)
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        user = _USER if os.geteuid() == 0 else None
        subprocess.run(
            [str(_programs() / program), f"--pgdata={self.folder}/data", *arguments],
            cwd=self.folder,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            check=True,
            stdout=subprocess.DEVNULL,
        )


class Server:
    """`mlflow server` on the database: it has one address, and may be stopped and started."""

    def __init__(self, database: PostgreSQL, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._port = _free_port()
        self._running: UiServer | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._running = start_ui(
            self._database.driven_uri,
            artifacts=self._folder / "artifacts",
            log=self._folder / "server.log",
            port=self._port,
        )

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    # Not below pytest's folder, which root keeps to itself.
    folder = Path(tempfile.mkdtemp(prefix="linenotes-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    database = PostgreSQL(folder, _free_port())
    try:
        database.create()
        database.start()
        yield database
        database.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(postgresql, tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["directly", "by a server"])
def remote(request: pytest.FixtureRequest) -> PostgreSQL | Server:
    """The store, as a project may reach it."""
    name = "postgresql" if request.param == "directly" else "server"
    found = request.getfixturevalue(name)
    assert isinstance(found, PostgreSQL | Server)
    return found


def _programs() -> Path:
    """Debian keeps each version's programs in a folder of its own, off the PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = max(versions, key=lambda path: int(path.parts[-3]), default=shutil.which("initdb"))
    if found is None:
        pytest.fail("PostgreSQL is not installed: `sh scripts/postgresql.sh` installs it.")
    return Path(found).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
