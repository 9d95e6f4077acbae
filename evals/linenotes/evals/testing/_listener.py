"""The wire: HTTP on the loopback interface, a thread a connection, connections kept alive.

It knows nothing of models. A `Service` answers a request with a document or with events.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

import orjson
from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, or a stream of server-sent events."""

    content: JsonValue | Iterator[bytes]
    status: HTTPStatus = HTTPStatus.OK


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
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="scripted-server"
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections and end those that clients still hold open."""
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
        super().shutdown_request(request)

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
        self.send_response(answer.status)
        if isinstance(answer.content, Iterator):
            self._send_events(answer.content)
        else:
            self._send_document(orjson.dumps(answer.content))

    def _send_document(self, document: bytes) -> None:
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def _send_events(self, events: Iterator[bytes]) -> None:
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass
