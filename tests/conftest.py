"""Collectors that really listen, by gRPC and by HTTP, and fail as they are told to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import grpc  # type: ignore[import-untyped]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
    )
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

pytest_plugins = ["pytester"]

End = Callable[[], None]


@dataclass
class Collector:
    """What a collector got, and how it answers."""

    address: str = ""
    refusal: Any = None
    """An HTTP status or a gRPC code to answer with. None: it takes everything."""
    body: str = ""
    """What it says by HTTP."""
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared: whoever asks waits."""
    seconds: float = 0
    """How long each answer takes."""
    came: threading.Event = field(default_factory=threading.Event)
    """Set when something has come, before it is answered."""
    asked: int = 0
    """How often somebody came."""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def trace_ids(self) -> list[str]:
        """The ids of the traces as MLflow writes them, in the order of arrival."""
        return list(dict.fromkeys(f"tr-{span.trace_id.hex()}" for span in self.spans))

    def take(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> None:
        self.asked += 1
        self.came.set()
        self.answers.wait(60)
        sleep(self.seconds)
        if self.refusal is None:
            self.requests.append(request)
            self.headers.append(headers)


@pytest.fixture(autouse=True)
def _no_collector_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def collectors() -> Iterator[Callable[[str], Collector]]:
    """Start collectors of either protocol; they end with the test."""
    started: list[tuple[Collector, End]] = []

    def start(protocol: str) -> Collector:
        collector, end = _start_grpc() if protocol == "grpc" else _start_http()
        collector.answers.set()
        started.append((collector, end))
        return collector

    yield start
    for collector, end in started:
        collector.answers.set()
        end()


def _start_grpc() -> tuple[Collector, End]:
    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

    collector = Collector()

    class Servicer(service.TraceServiceServicer):
        def Export(  # noqa: N802  the protocol's name
            self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
        ) -> ExportTraceServiceResponse:
            collector.take(request, dict(context.invocation_metadata()))
            if collector.refusal is not None:
                context.abort(collector.refusal, "not today")
            return messages.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(4))
    service.add_TraceServiceServicer_to_server(Servicer(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.address = f"http://127.0.0.1:{port}"
    return collector, lambda: server.stop(grace=None).wait()


def _start_http() -> tuple[Collector, End]:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages

    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = messages.ExportTraceServiceRequest.FromString(body)
            collector.take(request, {"path": self.path, **dict(self.headers)})
            self.send_response(collector.refusal or 200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(collector.body)))
            self.end_headers()
            self.wfile.write(collector.body.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.address = f"http://127.0.0.1:{server.server_port}"

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return collector, end
