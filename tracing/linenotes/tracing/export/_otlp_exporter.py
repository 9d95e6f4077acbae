"""Sends traces to a collector beside the run, which neither waits for it nor fails by it.

A thread of its own sends one trace after another. The queue before it is bounded: a trace that
finds no room there is counted and left out. The MLflow store has every trace in any case, so what
the collector did not get can be sent again.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from linenotes.project import Project, ProjectError, Redactor
from linenotes.tracing.export._export_result import ExportResult
from linenotes.tracing.export._otlp_target import OtlpTarget, otlp_target

if TYPE_CHECKING:
    from linenotes.tracing._filed_trace import FiledTrace
    from linenotes.tracing.export._otlp_sender import OtlpSender

_WAITING_TRACES = 4_096
_WAITING_SPANS = 50_000
_PATIENCE_SECONDS = 5.0
"""How long `close` waits without a trace arriving."""
_LIMIT_SECONDS = 30.0
"""How long `close` waits in all, however many traces arrive."""
_TROUBLE_SECONDS = 1.0
"""How long `close` waits for a collector that cannot be reached."""
_MOST_NAMED = 3
"""How many traces a warning names by their ids; of more, it names the runs."""
_LOG = logging.getLogger("linenotes")


class OtlpExporter:
    """Sends traces to one collector until it is closed."""

    def __init__(
        self,
        target: OtlpTarget,
        redactor: Redactor | None = None,
        *,
        waiting_spans: int = _WAITING_SPANS,
    ) -> None:
        """Send to `target` what `redactor` lets through; None stands for the one in force."""
        self._target = target
        self._redactor = redactor or Redactor.current()
        self._room = waiting_spans
        self._waiting: queue.Queue[FiledTrace | None] = queue.Queue(_WAITING_TRACES)
        self._lock = threading.Lock()
        self._waiting_spans = 0
        self._submitted: list[str] = []
        self._sent: list[str] = []
        self._left_out = False
        self._out_of_time = False
        self._failed: str | None = None
        self._closing = threading.Event()
        self._sender: OtlpSender | None = None
        self._thread: threading.Thread | None = None

    def submit(self, filed: FiledTrace) -> None:
        """Queue a finished trace for sending. Returns at once, whatever the collector does."""
        with self._lock:
            self._submitted.append(filed.trace.trace_id)
            spans = len(filed.trace.spans)
            if self._closing.is_set() or self._waiting_spans + spans > self._room:
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

    def close(
        self, *, patience: float = _PATIENCE_SECONDS, limit: float = _LIMIT_SECONDS
    ) -> ExportResult:
        """Send what is still queued, and return what arrived.

        Waits as long as traces arrive, but no longer than `patience` seconds without any, and no
        longer than `limit` seconds in all. A collector that refuses or cannot be reached is given
        up at once.
        """
        with self._lock:
            self._closing.set()
        if self._thread is not None:
            with suppress(queue.Full):  # then its reader sees that it is to close
                self._waiting.put_nowait(None)
            self._wait(self._thread, patience, limit)
            if self._sender is not None:
                self._sender.close()
        with self._lock:
            sent = set(self._sent)
            missing = tuple(one for one in self._submitted if one not in sent)
            return ExportResult(tuple(self._sent), missing, self._reason() if missing else None)

    def _wait(self, thread: threading.Thread, patience: float, limit: float) -> None:
        step = min(patience, limit, _TROUBLE_SECONDS)
        idle = waited = 0.0
        while thread.is_alive():
            before = len(self._sent)
            thread.join(step)
            waited += step
            idle = 0.0 if len(self._sent) > before else idle + step
            if idle >= patience or (idle and self._sender and self._sender.in_trouble):
                return
            if waited >= limit and thread.is_alive():
                self._out_of_time = True
                return

    def _reason(self) -> str:
        if self._failed:
            return self._failed
        if self._out_of_time or (self._left_out and not self._waiting_spans):
            return "it takes them slower than they come"
        return self._sender.reason if self._sender else "there was no time"

    def _work(self) -> None:
        try:
            from linenotes.tracing.export._otlp_sender import MAX_FAILURES, OtlpSender

            self._sender = OtlpSender(self._target, self._redactor)
        except Exception as error:  # noqa: BLE001  of a variable that the exporter cannot use
            self._failed = self._target.hide_secrets(f"{type(error).__name__}: {error}")
            return
        refused_in_a_row = 0
        for filed in iter(self._next, None):
            arrived = self._send(filed, self._sender)
            refused_in_a_row = refused_in_a_row + 1 if self._sender.is_refused else 0
            if refused_in_a_row == MAX_FAILURES:
                self._closing.set()  # the next would be refused as well
            if self._closing.is_set() and not arrived:
                return

    def _send(self, filed: FiledTrace, sender: OtlpSender) -> bool:
        arrived = sender.send(filed)
        with self._lock:
            if arrived:
                self._sent.append(filed.trace.trace_id)
            else:
                self._failed = sender.reason
            self._waiting_spans -= len(filed.trace.spans)
        return arrived

    def _next(self) -> FiledTrace | None:
        if self._closing.is_set() and self._waiting.empty():
            return None
        return self._waiting.get()


@contextmanager
def exporting(
    project: Project, *, patience: float = _PATIENCE_SECONDS, limit: float = _LIMIT_SECONDS
) -> Iterator[Callable[[FiledTrace], None]]:
    """Yield a function that sends a trace to the project's collector, if there is one.

    At the end of the block, one warning is logged if the collector did not get everything;
    `patience` and `limit` are those of `OtlpExporter.close`.
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
    runs: dict[str, str | None] = {}

    def export(filed: FiledTrace) -> None:
        runs[filed.trace.trace_id] = filed.run_id
        exporter.submit(filed)

    try:
        yield export
    finally:
        result = exporter.close(patience=patience, limit=limit)
        if result.not_sent:
            _warn(target, result, [runs[trace_id] for trace_id in result.not_sent])


def _warn(target: OtlpTarget, result: ExportResult, runs: Sequence[str | None]) -> None:
    which = [" ".join(result.not_sent)]
    if len(result.not_sent) > _MOST_NAMED:
        which = [*dict.fromkeys(f"--run {run}" if run else "TRACE_ID..." for run in runs)]
    _LOG.warning(
        "The collector %s did not get %s of %s traces: %s. The MLflow store keeps them. "
        "Check OTEL_EXPORTER_OTLP_ENDPOINT, then send them with %s.",
        target.shown,
        len(result.not_sent),
        len(result.sent) + len(result.not_sent),
        result.reason,
        " and ".join(f"`linenotes trace export {one}`" for one in which),
    )
