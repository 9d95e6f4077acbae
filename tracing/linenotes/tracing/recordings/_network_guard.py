"""What leaves the process beside recordings: refused in a replay, and heard while they are made.

An audit hook sees every connection that Python's sockets open and every request of `http.client`,
on which `urllib`, `requests` and `urllib3` are built. Clients that keep connections open are
heard where they send: `httpx`, `httpx2` and `aiohttp`. The hook asks a context variable, so it
bothers only the samples with recordings; threads that lost their context are stopped while any
sample replays. Not seen are clients that are not built on Python's sockets (gRPC, libpq, uvloop),
unix sockets that are not spoken to by HTTP, and other processes.
"""

from __future__ import annotations

import functools
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from linenotes.project import RecordingError


@dataclass(frozen=True, slots=True)
class Target:
    """Where something is sent to."""

    host: str
    """Its name, or its address where a socket connects."""
    port: int | None
    request: str = ""
    """The request, where one is known."""

    @property
    def place(self) -> str:
        """The host with its port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    def __str__(self) -> str:
        return self.request or self.place


Watch = Callable[[Target], RecordingError | None]
"""Takes where something is sent to, and returns why it must not be, if it must not."""

_watch: ContextVar[Watch | None] = ContextVar("linenotes_network_watch", default=None)
_ours: ContextVar[bool] = ContextVar("linenotes_context_kept", default=False)
_LOST_CONTEXT = (
    "A thread that does not carry its sample's context connects to {target} while samples are "
    "replayed, so nobody can tell whose call it is. Start it with `contextvars.copy_context().run` "
    "or `asyncio.to_thread`, or add the host to `allowed-hosts` in [tool.linenotes.recordings]."
)
_PORTS = {"http": 80, "https": 443}
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


class _Watched:
    """How many samples of this process are watched, and what anybody may reach meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_hooked = False
        self.samples = 0
        self.replays = 0
        """Those of them in which nothing may be called."""
        self.allowed: frozenset[str] = frozenset()

    def begin(self, allowed: frozenset[str], *, replays: int) -> None:
        with self._lock:
            self.samples += 1
            self.replays += replays
            self.allowed |= allowed
            if not self._is_hooked:
                sys.addaudithook(_hear)  # there is no way to take one off again
                self._is_hooked = True
        _guard_senders()

    def end(self, *, replays: int) -> None:
        with self._lock:
            self.samples -= 1
            self.replays -= replays
            if not self.samples:
                self.allowed = frozenset()


_watched = _Watched()


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
    """Let nothing out of this context that `watch` has an objection to; it is a replay's."""
    with _watched_by(watch, allowed, replays=1):
        yield


@contextmanager
def network_overheard(listen: Callable[[Target], None], allowed: frozenset[str]) -> Iterator[None]:
    """Tell `listen` what this context sends and where; nothing is refused."""

    def watch(target: Target) -> None:
        listen(target)

    with _watched_by(watch, allowed, replays=0):
        yield


@contextmanager
def _watched_by(watch: Watch, allowed: frozenset[str], *, replays: int) -> Iterator[None]:
    def watch_the_rest(target: Target) -> RecordingError | None:
        return None if target.host in allowed else watch(target)

    _watched.begin(allowed, replays=replays)
    token = _watch.set(watch_the_rest)
    try:
        yield
    finally:
        _watch.reset(token)
        _watched.end(replays=replays)


def has_lost_context() -> bool:
    """Tell whether samples replay and this code belongs to nobody that is known."""
    return _watched.replays > 0 and not _ours.get()


def _meet(target: Target) -> None:
    """Let whoever watches this context hear of what is sent, and refuse it."""
    watch = _watch.get() if _watched.samples else None
    if watch is not None:
        objection = watch(target)
        if objection is not None:
            raise objection
    elif has_lost_context() and _is_of_a_thread_to(target):
        raise RecordingError(_LOST_CONTEXT.format(target=target))


def _is_of_a_thread_to(target: Target) -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return not is_main and target.host not in _watched.allowed


def _hear(event: str, given: tuple[Any, ...]) -> None:
    if not _watched.samples:
        return
    if event == "socket.connect":
        sock, address = given
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            try:
                _meet(Target(str(address[0]), address[1]))
            except RecordingError:
                sock.close()  # who connects closes it only after an error of the network
                raise
    elif event == "http.client.send":
        connection, _ = given
        host, port = getattr(connection, "host", ""), getattr(connection, "port", None)
        _meet(Target(str(host), port))


def _guard_senders() -> None:
    """Hear requests on connections that are open already, of the clients that are imported."""
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
        _meet(_target(request))
        return sends(self, request)

    return guarded


def _async_sender(sends: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(self: object, request: Any) -> Any:  # noqa: ANN401  another library's
        _meet(_target(request))
        return await sends(self, request)

    return guarded


def _aiohttp_sender(connects: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(self: object, request: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401  another library's
        _meet(_target(request))
        return await connects(self, request, *more, **named)

    return guarded


def _target(request: Any) -> Target:  # noqa: ANN401  another library's
    url = request.url
    place = f"{url.host}:{url.port}" if url.port else url.host
    shown = f"{request.method} {url.scheme}://{place}{url.path}"
    return Target(str(url.host), url.port or _PORTS.get(url.scheme), shown)
