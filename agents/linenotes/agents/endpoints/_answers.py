"""Answers of an endpoint, made sure of: whole, and what a client of a model can read.

An answer is read to its end before it is handed on, so that one that breaks off or is a login page
can be asked for again. A stream of events is handed on as it comes; one that ends before the model
does raises an error, since half an answer would pass for the model's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

import httpx2
import orjson

_LAST_WORDS = (
    b"[DONE]",
    b'"finish_reason":"',
    b'"finish_reason": "',
    b"response.completed",
    b"response.incomplete",
    b"response.failed",
    b'"error"',
)
"""One of these stands in every stream of OpenAI's APIs that came to its end."""
_OVERLAP = max(map(len, _LAST_WORDS)) - 1
_SHOWN = 80


class UnreadableAnswerError(httpx2.RemoteProtocolError):
    """The endpoint answered with something that no client of a model can read."""


def is_stream(response: httpx2.Response) -> bool:
    """Say whether the answer is a stream of events."""
    kind = response.headers.get("content-type", "")
    return bool(response.is_success and kind.startswith("text/event-stream"))


def fill(response: httpx2.Response, body: bytes, request: httpx2.Request) -> httpx2.Response:
    """Give the answer its body, as it came over the wire.

    Raises:
        UnreadableAnswerError: it should be JSON and is not.
    """
    response.stream = httpx2.ByteStream(body)
    response.request = request
    if response.is_success and request.method == "POST":
        _refuse_unreadable(response, body)
    return response


def _refuse_unreadable(response: httpx2.Response, body: bytes) -> None:
    headers = response.headers
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if not kind.endswith("json"):
        shown = " ".join(_read(response).decode(errors="replace").split())[:_SHOWN]
        raise _unreadable(response, f"{kind or 'no content type'!r} instead of JSON: {shown!r}")
    try:
        orjson.loads(_read(response) if "content-encoding" in headers else body)
    except ValueError:
        size = len(body)
        raise _unreadable(response, f"{size} bytes of JSON that is broken or cut short") from None


def _read(response: httpx2.Response) -> bytes:
    try:
        return response.read()
    except httpx2.DecodingError:
        return b"(what cannot be unpacked)"


def _unreadable(response: httpx2.Response, what: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(
        f"The endpoint answered {response.status_code} with {what}.", request=response.request
    )


class WatchedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A stream of events that tells when it is over, and raises when it was cut."""

    def __init__(self, response: httpx2.Response, on_close: Callable[[], None]) -> None:
        self._stream = response.stream
        self._on_close = on_close
        # What is compressed cannot be looked into before it is unpacked.
        self._has_ended = "content-encoding" in response.headers
        self._tail = b""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in cast("httpx2.SyncByteStream", self._stream):
            self._look(chunk)
            yield chunk
        self._refuse_cut()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in cast("httpx2.AsyncByteStream", self._stream):
            self._look(chunk)
            yield chunk
        self._refuse_cut()

    def close(self) -> None:
        """Close the connection, or hand it back."""
        try:
            cast("httpx2.SyncByteStream", self._stream).close()
        finally:
            self._on_close()

    async def aclose(self) -> None:
        """Close the connection, or hand it back."""
        try:
            await cast("httpx2.AsyncByteStream", self._stream).aclose()
        finally:
            self._on_close()

    def _look(self, chunk: bytes) -> None:
        if not self._has_ended:
            seen = self._tail + chunk
            self._has_ended = any(words in seen for words in _LAST_WORDS)
            self._tail = seen[-_OVERLAP:]

    def _refuse_cut(self) -> None:
        if not self._has_ended:
            raise UnreadableAnswerError("The stream of the answer ended before the model did.")
