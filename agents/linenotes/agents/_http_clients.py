"""The HTTP connections of the chat models, shared by all models of a process.

There are as many as requests are under way: what an endpoint bears is not for the pool to say.
A chat model outlives the event loop that it was first used in, but a connection does not, so the
asynchronous client keeps one pool an event loop and closes it as the loop shuts down.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import weakref
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import httpx2
import openai

from linenotes.agents._local_model import LocalServer
from linenotes.agents.endpoints._attempts import Manners
from linenotes.agents.endpoints._transports import AsyncPatientTransport, PatientTransport

_AS_MANY_AS_NEEDED = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
_LOCAL_LIMITS = httpx2.Limits(max_connections=2, max_keepalive_connections=0)
"""The embedded model answers one request at a time; a kept connection would block a thread."""


@dataclass(frozen=True)
class HttpClients:
    """The two clients that a chat model takes."""

    blocking: httpx2.Client
    asynchronous: httpx2.AsyncClient


@functools.cache
def remote_clients(manners: Manners) -> HttpClients:
    """Return the clients for a model on the network, which do the retries for it."""
    wires = _wires()
    return HttpClients(
        openai.DefaultHttpxClient(transport=PatientTransport(manners, wires.blocking)),
        openai.DefaultAsyncHttpxClient(
            transport=AsyncPatientTransport(manners, wires.asynchronous)
        ),
    )


@dataclass(frozen=True)
class _Wires:
    """The connections to all endpoints on the network."""

    blocking: httpx2.BaseTransport
    asynchronous: httpx2.AsyncBaseTransport


@functools.cache
def _wires() -> _Wires:
    proxy = os.environ.get("OPENAI_PROXY") or None
    blocking = openai.DefaultHttpxClient(proxy=proxy, limits=_AS_MANY_AS_NEEDED)
    atexit.register(blocking.close)
    return _Wires(
        _ClientTransport(blocking),
        _LoopTransport(
            lambda: openai.DefaultAsyncHttpxClient(proxy=proxy, limits=_AS_MANY_AS_NEEDED)
        ),
    )


class _ClientTransport(httpx2.BaseTransport):
    """Sends each request by a client, which knows the proxies of the environment."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._client.send(request, stream=True)


@functools.cache
def local_clients(server: LocalServer) -> HttpClients:
    """Return the clients for the embedded model; a request starts it when it does not run."""
    blocking = openai.DefaultHttpxClient(transport=_LocalTransport(server))
    return HttpClients(
        blocking,
        _in_every_loop(
            lambda: openai.DefaultAsyncHttpxClient(transport=_AsyncLocalTransport(server))
        ),
    )


def _in_every_loop(make: Callable[[], httpx2.AsyncClient]) -> httpx2.AsyncClient:
    return openai.DefaultAsyncHttpxClient(transport=_LoopTransport(make))


class _LocalTransport(httpx2.BaseTransport):
    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self._http = httpx2.HTTPTransport(uds=str(server.http), limits=_LOCAL_LIMITS)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._server.hold()
        return self._http.handle_request(_patient(request))

    def close(self) -> None:
        self._http.close()


class _AsyncLocalTransport(httpx2.AsyncBaseTransport):
    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self._http = httpx2.AsyncHTTPTransport(uds=str(server.http), limits=_LOCAL_LIMITS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._server.is_held():
            await asyncio.to_thread(self._server.hold)
        return await self._http.handle_async_request(_patient(request))

    async def aclose(self) -> None:
        await self._http.aclose()


def _patient(request: httpx2.Request) -> httpx2.Request:
    """Take the wait for a free connection out of the timeout: only the answer is timed."""
    timeout = {**request.extensions.get("timeout", {}), "pool": None}
    request.extensions = {**request.extensions, "timeout": timeout}
    return request


class _LoopTransport(httpx2.AsyncBaseTransport):
    """Sends each request by the client of the event loop that asks."""

    def __init__(self, make: Callable[[], httpx2.AsyncClient]) -> None:
        self._make = make
        self._clients: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[httpx2.AsyncClient, AsyncGenerator[None]]
        ] = weakref.WeakKeyDictionary()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            client = self._make()
            closer = self._close_with(loop, client)
            self._clients[loop] = client, closer
            await anext(closer)
        return await self._clients[loop][0].send(request, stream=True)

    async def _close_with(
        self, loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient
    ) -> AsyncGenerator[None]:
        """Wait in the middle: an event loop that shuts down ends its generators."""
        try:
            yield
        finally:
            del self._clients[loop]
            await client.aclose()
