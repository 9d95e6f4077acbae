"""Nothing leaves the process during a replay: calls that recordings cannot stand in for are errors.

An audit hook sees every connection that Python's sockets open and every request of `http.client`,
on which `urllib`, `requests` and `urllib3` are built. Clients that keep connections open are
stopped where they send: `httpx`, `httpx2` and `aiohttp`. The hook asks a context variable, so it
bothers only the samples that replay; threads that lost their context are stopped while any sample
replays. Not seen are clients that are not built on Python's sockets (gRPC, libpq, uvloop), unix
sockets that are not spoken to by HTTP, and other processes.
"""

from __future__ import annotations

import functools
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from linenotes.project import RecordingError

Watch = Callable[[str], RecordingError | None]
"""Takes where something is sent to, and returns why it must not be."""

_watch: ContextVar[Watch | None] = ContextVar("linenotes_network_watch", default=None)
_ours: ContextVar[bool] = ContextVar("linenotes_context_kept", default=False)
_LOST_CONTEXT = (
    "A thread that does not carry its sample's context connects to {target} while samples are "
    "replayed, so nobody can tell whose call it is. Start it with `contextvars.copy_context().run` "
    "or `asyncio.to_thread`, or add the host to `allowed-hosts` in [tool.linenotes.recordings]."
)
_ASYNC_SENDERS = (
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("httpx2", "AsyncHTTPTransport", "handle_async_request"),
)
_SENDERS = (
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpx2", "HTTPTransport", "handle_request"),
)


def with_addresses(hosts: Collection[str]) -> frozenset[str]:
    """Return hosts with the addresses that they have now: sockets know no names."""
    found = set(hosts)
    for host in hosts:
        with suppress(OSError):
            found |= {str(one[4][0]) for one in socket.getaddrinfo(host, None)}
    return frozenset(found)


class _Replays:
    """How many samples of this process replay, and what anybody may reach meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_hooked = False
        self.running = 0
        self.allowed: frozenset[str] = frozenset()

    def begin(self, allowed: frozenset[str]) -> None:
        with self._lock:
            self.running += 1
            self.allowed |= allowed
            if not self._is_hooked:
                sys.addaudithook(_hear)  # there is no way to take one off again
                self._is_hooked = True
        _guard_senders()

    def end(self) -> None:
        with self._lock:
            self.running -= 1


_replays = _Replays()


@contextmanager
def context_kept() -> Iterator[None]:
    """Mark this context and all that copy it: code without the mark has lost its context."""
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


@contextmanager
def network_guarded(watch: Watch, allowed: frozenset[str]) -> Iterator[None]:
    """Let nothing out of this context that `watch` has an objection to."""
    _replays.begin(allowed)
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)
        _replays.end()


def has_lost_context() -> bool:
    """Tell whether samples replay and this code belongs to nobody that is known."""
    return _replays.running > 0 and not _ours.get()


def _refuse(host: str, target: str) -> None:
    if not _replays.running or host in _replays.allowed:
        return
    watch = _watch.get()
    if watch is not None:
        objection = watch(target)
        if objection is not None:
            raise objection
    elif not _ours.get() and threading.current_thread() is not threading.main_thread():
        raise RecordingError(_LOST_CONTEXT.format(target=target))


def _hear(event: str, given: tuple[Any, ...]) -> None:
    if not _replays.running:
        return
    if event == "socket.connect":
        sock, address = given
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            try:
                _refuse(str(address[0]), f"{address[0]}:{address[1]}")
            except RecordingError:
                sock.close()  # who connects closes it only after an error of the network
                raise
    elif event == "http.client.send":
        connection, _ = given
        host = str(getattr(connection, "host", ""))
        _refuse(host, f"{host}:{getattr(connection, 'port', '')}")


def _guard_senders() -> None:
    """Stop requests on connections that are open already, of the clients that are imported."""
    for module, name, method in _SENDERS:
        _replace(module, name, method, _sync_sender)
    for module, name, method in _ASYNC_SENDERS:
        _replace(module, name, method, _async_sender)
    _replace("aiohttp", "BaseConnector", "connect", _aiohttp_sender)


def _replace(module: str, name: str, method: str, wrap: Callable[[Any], Any]) -> None:
    found: Any = getattr(sys.modules.get(module), name, None)
    sends = found.__dict__.get(method) if found is not None else None
    if sends is not None and not hasattr(sends, "linenotes_guarded"):
        guarded: Any = functools.wraps(sends)(wrap(sends))
        guarded.linenotes_guarded = True
        setattr(found, method, guarded)


def _sync_sender(sends: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: object, request: Any) -> Any:  # noqa: ANN401  another library's
        _refuse(request.url.host, _target(request))
        return sends(self, request)

    return guarded


def _async_sender(sends: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(self: object, request: Any) -> Any:  # noqa: ANN401  another library's
        _refuse(request.url.host, _target(request))
        return await sends(self, request)

    return guarded


def _aiohttp_sender(connects: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(self: object, request: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401  another library's
        _refuse(request.url.host, f"{request.method} {request.url.host}{request.url.path}")
        return await connects(self, request, *more, **named)

    return guarded


def _target(request: Any) -> str:  # noqa: ANN401  another library's
    port = f":{request.url.port}" if request.url.port else ""
    return f"{request.method} {request.url.scheme}://{request.url.host}{port}{request.url.path}"
