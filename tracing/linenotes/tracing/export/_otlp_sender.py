"""Sends one trace at a time with OpenTelemetry's own exporters, and says why one did not arrive.

An exporter tries again by itself within its time limit (OTEL_EXPORTER_OTLP_TIMEOUT, 10 s) and
logs what goes wrong. Those records are kept from the user and read for the reason.

Only imported when traces are sent, since OpenTelemetry's SDK is slow to import.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from linenotes.tracing.export._otlp_spans import otlp_spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from requests import Response

    from linenotes.project import Redactor
    from linenotes.tracing._filed_trace import FiledTrace
    from linenotes.tracing.export._otlp_target import OtlpTarget

_LOGGERS = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
_MAX_CHARACTERS = 1_000_000
"""The most that goes into one request: by default, collectors take 4 MB by gRPC."""
_LONGEST_REASON = 200
_REFUSALS = frozenset(range(300, 500)) - {408, 429}
"""The statuses by which a collector says that trying again is of no use."""
MAX_FAILURES = 3
"""How many traces in a row may fail before no other is tried."""
_READABLE = ("application/json", "text/plain")
_CREDENTIALS = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
)
"""Variables that name the user's own HTTP session, which is then left as it is."""


class OtlpSender:
    """Sends traces to one collector. For one thread at a time."""

    def __init__(self, target: OtlpTarget, redactor: Redactor) -> None:
        self._target = target
        self._redactor = redactor
        self._log = _ExporterLog()
        self._exporter = _exporter(target, self._log.note_response)

    @property
    def reason(self) -> str:
        """Why the latest trace did not arrive, or has not arrived yet."""
        told = self._log.reason or "it does not answer"
        return self._target.hide_secrets(told)[:_LONGEST_REASON]

    @property
    def in_trouble(self) -> bool:
        """True while a trace is tried again, and after one that did not arrive."""
        return self._log.reason is not None

    @property
    def is_refused(self) -> bool:
        """True after a trace that the collector will not take however often it is tried."""
        return self._log.refused

    def send(self, filed: FiledTrace) -> bool:
        """Send a trace, redacted, and tell whether the collector took all of it."""
        self._log.clear()
        with self._log.captured(_LOGGERS[self._target.protocol]):
            try:
                spans = otlp_spans(self._redactor.value(filed))
                return all(self._export(part) for part in _parts(spans))
            except Exception as error:  # noqa: BLE001  whatever it is, the run must not notice
                self._log.reason = f"{type(error).__name__}: {error}"
                return False

    def close(self) -> None:
        """Give up what is being tried again, and the connection. Another thread may do it."""
        self._exporter.shutdown()

    def _export(self, spans: Sequence[ReadableSpan]) -> bool:
        return self._exporter.export(spans) is SpanExportResult.SUCCESS


class _ExporterLog(logging.Filter):
    """Keeps what the sending thread logs from the user, and remembers the last reason in it."""

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None
        self.refused = False
        self._response: str | None = None
        self._thread = 0

    def clear(self) -> None:
        """Forget the previous trace."""
        self.reason = self._response = None
        self.refused = False

    def note_response(self, response: Response, **_: object) -> None:
        """Remember the HTTP response of a collector that did not take a trace.

        Raises:
            HTTPError: the response is a redirection, which the exporter would take for success.
        """
        from requests import HTTPError

        if response.status_code < 300:  # noqa: PLR2004  it took the trace
            return
        kind = response.headers.get("Content-Type", "")
        told = response.text if kind.startswith(_READABLE) else ""
        self._response = " ".join(f"{response.status_code} {response.reason} {told}".split())
        self.refused = response.status_code in _REFUSALS
        if response.status_code < 400:  # noqa: PLR2004  a redirection
            raise HTTPError(self._response)

    @contextmanager
    def captured(self, name: str) -> Iterator[None]:
        """Capture what this thread logs under `name` while the block runs."""
        self._thread = threading.get_ident()
        logger = logging.getLogger(name)
        # First: the exporters' own filter lets a sentence pass once only.
        logger.filters.insert(0, self)
        try:
            yield
        finally:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        self.reason = self._response or _reason(record) or self.reason
        return False


def _reason(record: logging.LogRecord) -> str:
    """Return the variable parts of a record's sentence: a status, a text, an exception."""
    told = record.args if isinstance(record.args, tuple) else ()
    if "error code" in record.msg:  # gRPC: what, where, code, details
        told = told[2:]
    elif "Transient error" in record.msg:  # HTTP: why, what, seconds; gRPC: code, …, details
        told = (told[0], *told[4:])
    else:  # HTTP: what, code, why
        told = told[1:]
    return " ".join(_words(one) for one in told if one)


def _words(told: object) -> str:
    name = getattr(told, "name", None)  # of a gRPC status
    if isinstance(name, str):
        return name
    text = str(told)
    # requests wraps a refused connection in three exceptions that quote one another.
    _, errno, innermost = text.rpartition("[Errno ")
    return innermost.partition("] ")[2].strip("'\")") if errno else text


def _exporter(target: OtlpTarget, on_response: Callable[..., None]) -> SpanExporter:
    if target.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=target.endpoint)
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter as HttpSpanExporter,
    )

    session = None if any(map(os.environ.get, _CREDENTIALS)) else requests.Session()
    if session is not None:
        session.hooks["response"].append(on_response)
    return HttpSpanExporter(endpoint=target.endpoint, session=session)


def _parts(spans: Sequence[ReadableSpan]) -> Iterator[list[ReadableSpan]]:
    part: list[ReadableSpan] = []
    size = 0
    for span in spans:
        length = sum(len(str(value)) for value in (span.attributes or {}).values())
        if part and size + length > _MAX_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(span)
        size += length
    if part:
        yield part
