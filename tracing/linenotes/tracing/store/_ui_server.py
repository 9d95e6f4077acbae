"""MLflow's pages for a store, on this machine and for this user only.

The server is a child that ends with its parent, even when the parent is killed. It listens on
127.0.0.1, answers to its own address only, and does nothing but show: no gateway to models, no
jobs, no telemetry.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from linenotes.project import StoreError, keep_offline, without_credentials

HOST = "127.0.0.1"
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_SHOW_ONLY = {
    "MLFLOW_ENABLE_AI_GATEWAY": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@dataclass(frozen=True)
class UiServer:
    """A running server. Leaving its `with` block, or the end of this process, ends it."""

    url: str
    """The address of its first page, without a slash at the end."""
    _guard: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self) -> None:
        """Return when the server has ended."""
        self._guard.wait()

    def close(self) -> None:
        """End the server and whatever it started."""
        _end(self._guard)


def start_ui(tracking_uri: str, *, artifacts: Path, log: Path, port: int | None = None) -> UiServer:
    """Start MLflow's pages for a store and return when they can be opened.

    Args:
        tracking_uri: the database of the store.
        artifacts: the folder with the files of the runs.
        log: the file that gets what the server says; an earlier one is replaced.
        port: the port to listen on. None: one that is free.

    Raises:
        StoreError: the store is a server already, the port is taken, or the server does not
            start; the message then ends with what it said last.
    """
    if tracking_uri.startswith(("http://", "https://")):
        pages = without_credentials(tracking_uri)
        raise StoreError(f"The store is a server that has its own pages: open {pages}.")
    port = _free_port(port)
    artifacts.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    keep_offline()
    with log.open("wb") as output:
        guard = subprocess.Popen(  # noqa: S603  our own command
            _command(artifacts, port),
            # Not an argument: every user of the machine may read those, and a password in them.
            env={**os.environ, **_SHOW_ONLY, "MLFLOW_BACKEND_STORE_URI": tracking_uri},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, and we end it
        )
    server = UiServer(f"http://{HOST}:{port}", guard)
    try:
        _await_health(server.url, guard, log)
    except BaseException:
        server.close()
        raise
    return server


def experiment_url(url: str, experiment_id: str) -> str:
    """Return the page of an experiment that lists its evaluations."""
    return f"{url}/#/experiments/{experiment_id}/evaluation-runs"


def _command(artifacts: Path, port: int) -> list[str]:
    folder = artifacts.absolute().as_uri()
    names = (HOST, "localhost")
    return [
        *(sys.executable, str(Path(__file__).with_name("_process_guard.py"))),
        *(sys.executable, "-m", "mlflow", "server"),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
        *("--default-artifact-root", folder, "--artifacts-destination", folder),
        *("--allowed-hosts", ",".join(f"{name}:{port}" for name in names)),
        *("--cors-allowed-origins", ",".join(f"http://{name}:{port}" for name in names)),
    ]


def _free_port(port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except OSError as error:
            raise StoreError(
                f"Port {port} cannot be used: {error.strerror}. Give another one, or none."
            ) from None
        return int(probe.getsockname()[1])


def _await_health(url: str, guard: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if guard.poll() is not None:
            raise StoreError(f"MLflow's server ended at once. {_tail(log)}")
        if _is_healthy(url):
            return
        time.sleep(0.2)
    raise StoreError(f"MLflow's server did not answer within {_START_SECONDS:.0f} s. {_tail(log)}")


def _is_healthy(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310  our own address
    except (OSError, urllib.error.URLError):
        return False
    return True


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"It said, in {str(log)!r}:\n" + "\n".join(lines[-12:])


def _end(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None
    guard.stdin.close()
    try:
        guard.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
