"""Sends traces to a collector beside the run, which never waits for it and never fails by it.

A thread of its own sends one trace after another. What waits for it is bounded: a trace that
finds no room is counted and left out. The journal and the MLflow store have every trace in any
case, so what the collector did not get can be sent again.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.project import Project, ProjectError, Redactor
from linenotes.tracing.export._otlp_target import OtlpTarget, otlp_target

if TYPE_CHECKING:
    from linenotes.tracing.export._otlp_sender import OtlpSender
    from linenotes.tracing.store._filed_trace import FiledTrace

_WAITING_TRACES = 4_096
_WAITING_SPANS = 50_000
_FLUSH_SECONDS = 5.0
_TROUBLE_SECONDS = 1.0
"""How long a collector that cannot be reached is waited for at the end."""
_LOG = logging.getLogger("linenotes")


@dataclass(frozen=True)
class Delivery:
    """How many traces a collector took, and why it did not take the others."""

    sent: int
    not_sent: int
    reason: str | None = None


class OtlpExporter:
    """Sends traces to one collector until it is closed."""

    def __init__(self, target: OtlpTarget, redactor: Redactor | None = None) -> None:
        """Send to `target`, without what must not leave; None: without what is redacted now."""
        self._target = target
        self._redactor = redactor or Redactor.current()
        self._waiting: queue.Queue[FiledTrace | None] = queue.Queue(_WAITING_TRACES)
        self._lock = threading.Lock()
        self._waiting_spans = 0
        self._submitted = 0
        self._sent = 0
        self._left_out = False
        self._failed: str | None = None
        self._closing = threading.Event()
        self._sender: OtlpSender | None = None
        self._thread: threading.Thread | None = None

    def submit(self, filed: FiledTrace) -> None:
        """Have a finished trace sent. Returns at once, whatever the collector does."""
        with self._lock:
            self._submitted += 1
            spans = len(filed.trace.spans)
            if self._closing.is_set() or self._waiting_spans + spans > _WAITING_SPANS:
                self._left_out = True
                return
            try:
                self._waiting.put_nowait(filed)
            except queue.Full:
                self._left_out = True
                return
            self._waiting_spans += spans
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="otlp", daemon=True)
                self._thread.start()

    def close(self, timeout: float = _FLUSH_SECONDS) -> Delivery:
        """Send what still waits, and say how much arrived.

        It is waited for as long as traces arrive, and no longer than `timeout` seconds without
        any; a collector that refuses or cannot be reached is given up at once.
        """
        with self._lock:
            self._closing.set()
        if self._thread is not None:
            with suppress(queue.Full):  # then its reader sees that it is to close
                self._waiting.put_nowait(None)
            self._wait(self._thread, timeout)
            if self._sender is not None:
                self._sender.close()
        with self._lock:
            missing = self._submitted - self._sent
            return Delivery(self._sent, missing, self._reason() if missing else None)

    def _wait(self, thread: threading.Thread, timeout: float) -> None:
        step = min(timeout, _TROUBLE_SECONDS)
        idle = 0.0
        while thread.is_alive():
            before = self._sent
            thread.join(step)
            idle = 0.0 if self._sent > before else idle + step
            if idle >= timeout or (idle and self._sender and self._sender.in_trouble):
                return

    def _reason(self) -> str:
        if self._failed:
            return self._failed
        if self._left_out and not self._waiting_spans:
            return "it takes them slower than they come"
        return self._sender.reason if self._sender else "there was no time"

    def _work(self) -> None:
        try:
            from linenotes.tracing.export._otlp_sender import OtlpSender

            self._sender = OtlpSender(self._target, self._redactor)
        except Exception as error:  # noqa: BLE001  of a variable that the exporter cannot use
            self._failed = self._target.hide_secrets(f"{type(error).__name__}: {error}")
            return
        for filed in iter(self._next, None):
            arrived = self._sender.send(filed)
            with self._lock:
                self._sent += arrived
                self._failed = self._failed if arrived else self._sender.reason
                self._waiting_spans -= len(filed.trace.spans)
            if self._closing.is_set() and not arrived:
                return

    def _next(self) -> FiledTrace | None:
        if self._closing.is_set() and self._waiting.empty():
            return None
        return self._waiting.get()


@contextmanager
def exporting(project: Project) -> Iterator[Callable[[FiledTrace], None]]:
    """Yield what sends a trace to the project's collector; it does nothing when there is none.

    At the end of the block it is told once, in the log, if the collector did not get everything.
    """
    try:
        target = otlp_target(project)
    except ProjectError as error:
        # The variables may be meant for other programs, and no trace is lost by them.
        _LOG.warning("No trace goes to an OpenTelemetry collector. %s", error)
        target = None
    if target is None:
        yield lambda _filed: None
        return
    exporter = OtlpExporter(target, Redactor.current(project))
    try:
        yield exporter.submit
    finally:
        _warn(target, exporter.close())


def _warn(target: OtlpTarget, delivery: Delivery) -> None:
    if delivery.not_sent:
        _LOG.warning(
            "The collector %s did not get %s of %s traces: %s. The journal and the MLflow store "
            "keep them. Check OTEL_EXPORTER_OTLP_ENDPOINT, then send them with "
            "`linenotes trace export`.",
            target.shown,
            delivery.not_sent,
            delivery.sent + delivery.not_sent,
            delivery.reason,
        )
