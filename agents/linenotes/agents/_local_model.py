"""The embedded model as its users see it: one server a user and machine, started when needed.

Every process that uses the model holds one connection to the server (`_local_server`), which
leaves when the last is closed. All that they share is a lock and two sockets in the runtime
folder, whose names say which weights, engine and server they belong to: two versions of linenotes
never share a server. Sockets that a killed server left behind are replaced by the next.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.metadata
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from linenotes.agents._file_lock import locked
from linenotes.agents._runtime_folder import runtime_folder
from linenotes.agents._weights import SMOLLM2, find_weights, verify_weights
from linenotes.project import ModelError

_SCRIPT = Path(__file__).with_name("_local_server.py")
_ENGINE = "xllamacpp"


@dataclass(frozen=True)
class LocalModelStatus:
    """What there is of the embedded model."""

    engine: str | None
    """The version of the engine; None when it is not installed."""
    weights: Path | None
    """The file with the weights; None when they are not installed."""
    server: int | None
    """The process id of the server that runs, for whichever process of this user; else None."""


def local_model_status() -> LocalModelStatus:
    """Return what there is of the embedded model, without starting it."""
    try:
        engine = _engine_version()
    except ModelError:
        engine = None
    try:
        weights = find_weights()
    except ModelError:
        weights = None
    server = local_server().process() if engine and weights else None
    return LocalModelStatus(engine, weights, server)


def local_server() -> LocalServer:
    """Return this process's view of the server; it need not run yet.

    Raises:
        ModelError: the engine or the weights are not installed, or there is no folder to meet in.
    """
    find_weights()
    return _server_at(runtime_folder() / _identity())


class LocalServer:
    """The server, and this process's connection to it, for which it stays."""

    def __init__(self, stem: Path) -> None:
        self._stem = stem
        self._connection: socket.socket | None = None
        self._connecting = threading.Lock()
        atexit.register(self._release)
        os.register_at_fork(after_in_child=self._forget_other_threads)

    @property
    def http(self) -> Path:
        """The Unix socket on which the model speaks HTTP; the same for every start."""
        return self._path("http.sock")

    def is_held(self) -> bool:
        """Return whether this process is connected to a server that lives; microseconds."""
        if self._connection is None:
            return False
        try:
            return self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def hold(self) -> None:
        """Return when the model answers; it then stays as long as this process does.

        Raises:
            ModelError: the server does not start.
        """
        with self._connecting:
            if self.is_held():
                return
            self._release()
            with locked(self._path("lock")) as lock:
                self._connection = self._connect() or self._start(lock)

    def process(self) -> int | None:
        """Return the process id of the server, whoever started it; None when there is none."""
        client = self._connect()
        if client is None:
            return None
        client.close()
        return int(self._path("lock").read_text())

    def _connect(self) -> socket.socket | None:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(self._path("control.sock")))
        except OSError:
            client.close()
            return None
        return client

    def _start(self, lock: int) -> socket.socket:
        weights = find_weights()
        verify_weights(weights)
        log = self._path("log")
        answer, ready = os.pipe()
        with os.fdopen(answer, "rb") as told, log.open("wb") as output:
            try:
                _spawn([str(weights), str(self._stem)], lock, ready, output)
            finally:
                os.close(ready)
            started = told.read()  # ends when the model answers, or by the server's end
        client = self._connect() if started else None
        if client is None:
            raise ModelError(_why_not(log))
        return client

    def _path(self, suffix: str) -> Path:
        return self._stem.with_name(f"{self._stem.name}.{suffix}")

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _forget_other_threads(self) -> None:
        self._connecting = threading.Lock()


_server_at = functools.cache(LocalServer)


def _spawn(arguments: list[str], lock: int, ready: int, output: IO[bytes]) -> None:
    """Start the server in its own session; it detaches, so this returns at once."""
    subprocess.run(  # noqa: S603  our own script
        [sys.executable, "-P", str(_SCRIPT), *arguments, str(lock), str(ready)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(lock, ready),
        start_new_session=True,
        cwd="/",
        # Threads that wait for work must sleep: others want the cores.
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        check=False,
    )


def _why_not(log: Path) -> str:
    told = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    reason = told[-1].strip() if told else "it was killed, or took too long"
    cure = f"{log} has all that it said."
    if "libgomp" in reason:
        cure = "Install the OpenMP runtime, on Debian and Ubuntu `apt-get install libgomp1`."
    return f"The embedded model did not start: {reason.rstrip('.')}. {cure}"


@functools.cache
def _identity() -> str:
    parts = (_SCRIPT.read_bytes(), _engine_version().encode(), SMOLLM2.sha256.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _engine_version() -> str:
    try:
        return importlib.metadata.version(_ENGINE)
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(
            "The engine of the embedded model is not installed. "
            "Run `pip install 'linenotes[local]'`."
        ) from None
