"""The process that serves the embedded model. It runs as a script and imports no linenotes.

It speaks the OpenAI protocol on `STEM.http.sock` and lives as long as somebody holds a connection
to `STEM.control.sock`. The kernel closes a client's connection however the client dies, so
nothing is ever left behind. The lock `STEM.lock` comes from the starter and is held until the
model answers; to leave, the server takes it again, so nobody connects to a server that is going.
The lock's file tells the server's process id.

A request gets the same answer whatever was asked before or is asked beside it: it is computed
alone and from its first token. Two requests in one batch, or a prompt whose beginning is cached,
are multiplied in other shapes, and so give other last bits and now and then another answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

MODEL = "smollm2-135m"
_START_SECONDS = 90
_GRACE_SECONDS = 2.0
_LOG_BYTES = 1 << 20


def main(weights: str, stem: str, lock: int, ready: int) -> None:
    """Serve `weights` until the last client has gone; write to `ready` when the model answers."""
    if os.fork():
        os._exit(0)  # as nobody's child, the server needs nobody to reap it
    signal.alarm(_START_SECONDS)  # ends the process even while the engine holds the interpreter
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LOG_BYTES, _LOG_BYTES))
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    http, control = Path(f"{stem}.http.sock"), Path(f"{stem}.control.sock")
    engine = _start_engine(weights, http)
    with _listen(control) as listener:
        signal.alarm(0)
        os.write(ready, b"ready")
        os.close(ready)
        os.close(lock)
        _wait_until_unused(listener, os.open(f"{stem}.lock", os.O_RDWR))
    http.unlink(missing_ok=True)
    control.unlink(missing_ok=True)
    os._exit(0 if engine else 1)  # deleting the engine would wait for its running request


def _start_engine(weights: str, address: Path) -> object:
    import xllamacpp  # type: ignore[import-untyped]

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.model_alias = {MODEL}
    params.hostnames = [str(address)]
    params.n_ctx = 2048
    params.n_parallel = 1
    params.cache_prompt = False
    params.cache_ram_mib = 0
    params.n_predict = 256
    # The number of threads does not change a bit of the answer: each computes whole rows.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = min(4, os.cpu_count() or 1)
    params.n_threads_http = 32
    params.ui = False
    params.offline = True
    params.verbosity = 1
    address.unlink(missing_ok=True)
    engine: object = xllamacpp.Server(params)
    while not _answers(address):
        time.sleep(0.05)
    return engine


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(address))
        probe.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in probe.recv(64)
    return False


def _listen(address: Path) -> socket.socket:
    address.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen(128)
    return listener


def _wait_until_unused(listener: socket.socket, lock: int) -> None:
    """Return, with the lock held, when the last client has been gone for the grace period."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            unused = len(selector.get_map()) == 1
            if _attend(selector, listener, _GRACE_SECONDS if unused else None):
                continue
            if _take(lock):
                # Nobody can be connecting now, but somebody may have just before.
                if not _attend(selector, listener, 0):
                    return
                fcntl.flock(lock, fcntl.LOCK_UN)


def _attend(selector: selectors.BaseSelector, listener: socket.socket, wait: float | None) -> bool:
    """Welcome the clients that come and forget those that go; return whether any did."""
    events = selector.select(wait)
    for key, _ in events:
        client = key.fileobj
        assert isinstance(client, socket.socket)
        if client is listener:
            selector.register(listener.accept()[0], selectors.EVENT_READ)
        elif not _talks(client):
            selector.unregister(client)
            client.close()
    return bool(events)


def _talks(client: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        return client.recv(64) != b""
    return False


def _take(lock: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
