"""Collectors that really listen: gRPC and HTTP, and the ways in which they fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from linenotes.tracing import OtlpTarget

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


@dataclass
class Collector:
    """What a collector got, and how it answers."""

    address: str = ""
    refusal: Any = None
    """An HTTP status or a gRPC code to answer with; None: it takes everything."""
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared: whoever asks waits."""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    @property
    def resources(self) -> list[ResourceSpans]:
        return [resource for request in self.requests for resource in request.resource_spans]

    @property
    def spans(self) -> list[Span]:
        return [s for r in self.resources for scope in r.scope_spans for s in scope.spans]

    @property
    def trace_ids(self) -> list[str]:
        """The ids of the traces as MLflow writes them, in the order of arrival."""
        return list(dict.fromkeys(f"tr-{span.trace_id.hex()}" for span in self.spans))

    def take(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> None:
        self.came.set()
        self.answers.wait(60)
        if self.refusal is None:
            self.requests.append(request)
            self.headers.append(headers)


MakeCollector = Callable[..., Collector]


@pytest.fixture(autouse=True)
def _no_collector_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture(params=["http/protobuf", "grpc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collector(protocol: str, collectors: MakeCollector) -> Collector:
    return collectors(protocol)


@pytest.fixture
def target(protocol: str, collector: Collector) -> OtlpTarget:
    path = "" if protocol == "grpc" else "/v1/traces"
    return OtlpTarget(collector.address + path, protocol)  # type: ignore[arg-type]


@pytest.fixture
def collectors() -> Iterator[MakeCollector]:
    """Start collectors of either protocol; they end with the test."""
    started: list[tuple[Collector, Callable[[], None]]] = []

    def start(protocol: str) -> Collector:
        collector, end = _START[protocol]()
        collector.answers.set()
        started.append((collector, end))
        return collector

    yield start
    for collector, end in started:
        collector.answers.set()
        end()


def _start_grpc() -> tuple[Collector, Callable[[], None]]:
    collector = Collector()

    class Servicer(TraceServiceServicer):
        def Export(  # noqa: N802  the protocol's name
            self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
        ) -> ExportTraceServiceResponse:
            pairs: Sequence[tuple[str, str]] = context.invocation_metadata()
            collector.take(request, dict(pairs))
            if collector.refusal is not None:
                context.abort(collector.refusal, "not today")
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(4))
    add_TraceServiceServicer_to_server(Servicer(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.address = f"http://127.0.0.1:{port}"
    return collector, lambda: server.stop(grace=None).wait()


def _start_http() -> tuple[Collector, Callable[[], None]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ExportTraceServiceRequest.FromString(body)
            collector.take(request, {"path": self.path, **dict(self.headers)})
            self.send_response(collector.refusal or 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

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


_START = {"grpc": _start_grpc, "http/protobuf": _start_http}
