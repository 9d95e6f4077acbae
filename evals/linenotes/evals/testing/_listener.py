"""The wire: HTTP on the loopback interface, a thread a connection, connections kept alive.

It knows nothing of models. A `Service` answers a request with a document or with events.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

import orjson
from pydantic import JsonValue

from linenotes.evals.testing._faults import Fault

_LOGIN_PAGE = b"<html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_PIECES = 8
"""In how many pieces a slow body comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, or a stream of server-sent events."""

    content: JsonValue | Iterator[bytes]
    status: int = HTTPStatus.OK
    fault: Fault | None = None


class Service(Protocol):
    """What answers requests; it is called from many threads."""

    def answer(self, method: str, path: str, body: bytes, api_key: str | None) -> Answer:
        """Return the answer to one request."""
        ...


class Listener(ThreadingHTTPServer):
    """Listens on a free port from its construction until `stop`."""

    daemon_threads = False  # `server_close` waits for them
    request_queue_size = 128

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        self.ending = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._aborted: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="scripted-server"
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections and end those that clients still hold open."""
        self.ending.set()
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # its client hung up just now
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, so that `stop` can end it."""
        assert isinstance(request, socket.socket)
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Forget the connection that its thread has done with."""
        assert isinstance(request, socket.socket)
        with self._lock:
            self._connections.discard(request)
        if request in self._aborted:
            self._aborted.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def abort(self, connection: socket.socket) -> None:
        """Reset the connection when its thread has done with it: its client hears of an error."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._aborted.add(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    server: Listener

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(max(0, int(self.headers.get("Content-Length") or 0)))
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        answer = self.server.service.answer(method, self.path.partition("?")[0], body, key)
        match answer.fault:
            case None:
                self._send(answer.content, answer.status)
            case Fault(kind="status") as fault:
                self._send(answer.content, fault.http_status, fault.headers)
            case Fault(kind="login page"):
                self._send_body(_LOGIN_PAGE, "text/html; charset=utf-8")
            case Fault(kind="truncated"):
                self._send(_first_half(answer.content), answer.status)
            case fault:
                self._misbehave(fault, answer)

    def _misbehave(self, fault: Fault, answer: Answer) -> None:
        """Do on the wire what no answer can say."""
        if fault.kind == "stall":
            self._wait_for_hang_up()
        if fault.kind == "slow":
            self._send_slowly(answer.content, fault.seconds)
            return
        if fault.kind == "cut":
            self._send_body(_bytes_of(answer.content), _type_of(answer.content), share=0.5)
            self.wfile.flush()
        self.close_connection = True
        self.server.abort(self.connection)

    def _send(
        self,
        content: JsonValue | bytes | Iterator[bytes],
        status: int = HTTPStatus.OK,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        if isinstance(content, Iterator):
            self.send_response(status)
            self._send_events(content)
        else:
            self._send_body(_bytes_of(content), "application/json", status, headers)

    def _send_body(
        self,
        body: bytes,
        kind: str,
        status: int = HTTPStatus.OK,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        share: float = 1.0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: int(share * len(body))])

    def _send_slowly(self, content: JsonValue | Iterator[bytes], seconds: float) -> None:
        body = _bytes_of(content)
        self._send_body(body, _type_of(content), share=0.0)
        size = -(-len(body) // _PIECES)
        for start in range(0, len(body), size):
            if self.server.ending.wait(seconds / _PIECES):
                return
            self.wfile.write(body[start : start + size])

    def _wait_for_hang_up(self) -> None:
        while not self.server.ending.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable:
                return

    def _send_events(self, events: Iterator[bytes]) -> None:
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


def _bytes_of(content: JsonValue | bytes | Iterator[bytes]) -> bytes:
    if isinstance(content, Iterator):
        return b"".join(content)
    return content if isinstance(content, bytes) else orjson.dumps(content)


def _type_of(content: JsonValue | Iterator[bytes]) -> str:
    return "text/event-stream" if isinstance(content, Iterator) else "application/json"


def _first_half(content: JsonValue | Iterator[bytes]) -> bytes | Iterator[bytes]:
    if isinstance(content, Iterator):
        events = list(content)
        return iter(events[: len(events) // 2])
    body = orjson.dumps(content)
    return body[: len(body) // 2]
