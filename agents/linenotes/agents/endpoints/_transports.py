"""The transports of chat models: each attempt waits for its endpoint's window first.

Waiting is not part of a request's timeout: that begins when the request is sent, and ends when the
answer is whole, or when a stream of events begins.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import httpx2

from linenotes.agents.endpoints._answers import fill, is_stream
from linenotes.agents.endpoints._attempts import Call, Manners
from linenotes.agents.endpoints._windows import WindowClosedError


class PatientTransport(httpx2.BaseTransport):
    """Sends the requests of one model through another transport, which it does not close."""

    def __init__(self, manners: Manners, wire: httpx2.BaseTransport) -> None:
        self._manners = manners
        self._wire = wire

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the endpoint's answer, after as many attempts as it takes.

        Raises:
            TransportError: there is none.
        """
        call = Call(request, self._manners)
        while True:
            try:
                slot = call.window.take(
                    call.turn, since=call.since, patience=self._manners.patience
                )
            except WindowClosedError as error:
                return call.give_up(error)
            with call.attempt(slot) as attempt:
                attempt.answer = self._fetch(request)
            if attempt.pause is None:
                return attempt.answer
            time.sleep(attempt.pause)

    def _fetch(self, request: httpx2.Request) -> httpx2.Response:
        seconds = _timeout(request)
        end = time.monotonic() + seconds if seconds else None
        response = self._wire.handle_request(request)
        if is_stream(response):
            return response
        body, stream = bytearray(), cast("httpx2.SyncByteStream", response.stream)
        try:
            for chunk in stream:
                body += chunk
                if end is not None and time.monotonic() > end:
                    raise _too_slow(request, seconds)
        finally:
            stream.close()
        return fill(response, bytes(body), request)


class AsyncPatientTransport(httpx2.AsyncBaseTransport):
    """The same for event loops."""

    def __init__(self, manners: Manners, wire: httpx2.AsyncBaseTransport) -> None:
        self._manners = manners
        self._wire = wire

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the endpoint's answer, after as many attempts as it takes.

        Raises:
            TransportError: there is none.
        """
        call = Call(request, self._manners)
        while True:
            try:
                slot = await call.window.take_async(
                    call.turn, since=call.since, patience=self._manners.patience
                )
            except WindowClosedError as error:
                return call.give_up(error)
            with call.attempt(slot) as attempt:
                attempt.answer = await self._fetch(request)
            if attempt.pause is None:
                return attempt.answer
            await asyncio.sleep(attempt.pause)

    async def _fetch(self, request: httpx2.Request) -> httpx2.Response:
        seconds = _timeout(request)
        try:
            async with asyncio.timeout(seconds):
                response = await self._wire.handle_async_request(request)
                if is_stream(response):
                    return response
                stream = cast("httpx2.AsyncByteStream", response.stream)
                try:
                    body = b"".join([chunk async for chunk in stream])
                finally:
                    await stream.aclose()
        except TimeoutError:
            raise _too_slow(request, seconds) from None
        return fill(response, body, request)


def _timeout(request: httpx2.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


def _too_slow(request: httpx2.Request, seconds: float | None) -> httpx2.ReadTimeout:
    return httpx2.ReadTimeout(f"No whole answer within {seconds:g} s.", request=request)
