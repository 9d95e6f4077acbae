"""What a recording tells its live log after each event: spans that began or ended, rows, changes.

Only what is new is written, and no prompt: a span is a name under a parent, a row is written whole
once and then only with what may change of it. Rows are known by their number, since LangGraph may
give a message its id after it was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing.recorder._actors import model_name
from linenotes.tracing.recorder._content import error_text
from linenotes.tracing.recorder._runs import Task
from linenotes.tracing.recorder._span_builder import (
    SPAN_TYPES,
    makes_span,
    parent_id,
    span_name,
    span_status,
    stay,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from linenotes.tracing._trace import Trace
    from linenotes.tracing.live._live_log import LiveLog
    from linenotes.tracing.recorder._conversation import Conversation
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.recorder._runs import Run


class LiveNotes:
    """Follows one recording; `heard` is called after each event, one at a time."""

    def __init__(self, log: LiveLog, listener: Listener, conversation: Conversation) -> None:
        self._log = log
        self._listener = listener
        self._conversation = conversation
        self._open: dict[Run, str] = {}
        """The spans that run, with the names that they were written under."""
        self._runs = self._rows = self._roots = 0
        """How many were written."""

    def heard(self) -> None:
        """Write what the last event changed."""
        lines = [*self._ended(), *self._began(), *self._said()]
        if lines:
            self._log.write(lines)

    def finish(self, trace: Trace) -> None:
        """Write how the recording ended, and nothing more."""
        self.heard()
        self._log.write([{"ended": trace.end_ns, "state": trace.state, "error": trace.error}])
        self._log.close()

    @property
    def shortcoming(self) -> str:
        """Say what the log lacks, if anything."""
        return self._log.shortcoming

    def _ended(self) -> Iterator[dict[str, object]]:
        """Yield the spans that ended, those whose actor has another name, and retracted ones."""
        for run, name in list(self._open.items()):
            if run.end_ns is not None:
                del self._open[run]
                yield _end(run)
            elif run.kind == "chain" and not makes_span(run):
                del self._open[run]
                yield {"gone": run.span_id}
            elif run.kind == "chain" and stay(run).actor != name:
                yield self._begin(run)

    def _began(self) -> Iterator[dict[str, object]]:
        roots, runs = self._listener.roots, self._listener.runs
        if len(roots) > self._roots:
            self._roots = len(roots)
            yield {"graph": roots[0].name}
        for run in runs[self._runs :]:
            if makes_span(run):
                yield self._begin(run)
                if run.end_ns is not None:  # it was over before it was known to be a span
                    del self._open[run]
                    yield _end(run)
        self._runs = len(runs)

    def _begin(self, run: Run) -> dict[str, object]:
        self._open[run] = stay(run).actor if run.kind == "chain" else run.name
        return {
            "span": run.span_id,
            "parent": parent_id(run, self._log.header.root_id),
            "name": span_name(run),
            "type": SPAN_TYPES[run.kind],
            "start": run.start_ns,
            "attributes": _attributes(run),
            "holds": _held(run) if isinstance(run, Task) else [],
        }

    def _said(self) -> Iterator[dict[str, object]]:
        rows = self._conversation.rows
        known, self._rows = self._rows, len(rows)
        for row in self._conversation.take_changed():
            if row.index < known:
                yield _row(row, {"id": row.id, "kind": row.kind, **_reached(row)})
        for row in rows[known:]:
            yield _row(row, row.to_message())


def _attributes(run: Run) -> dict[str, object]:
    if run.kind == "model":
        return {names.OPERATION_NAME: names.CHAT, names.REQUEST_MODEL: model_name(run.details)}
    if run.kind == "tool":
        return {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: run.name}
    if run.kind == "retriever":
        return {names.OPERATION_NAME: names.RETRIEVAL}
    said: dict[str, object] = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: stay(run).actor,
    }
    if isinstance(run, Task):
        said |= {names.ACTIVATION: run.namespace, names.STEP: run.step}
    return said


def _held(task: Task) -> list[int]:
    """Return the rows that `task` has got if it proves to be no plumbing."""
    return [
        row.index
        for row in task.pending
        if row in task.routed_here or (not row.routed and row.slot in (None, task.slot))
    ]


def _end(run: Run) -> dict[str, object]:
    return {
        "end": run.span_id,
        "at": run.end_ns,
        "status": span_status(run),
        "error": error_text(run.error) if run.error else None,
        "row": run.message.index if run.message else None,
    }


def _row(row: Entry, message: object) -> dict[str, object]:
    return {
        "row": row.index,
        "from": row.activation.run.span_id if row.activation else None,
        "to": [receiver.run.span_id for receiver in row.deliveries],
        "message": message,
    }


def _reached(row: Entry) -> dict[str, Iterable[str]]:
    return {"recipients": list(row.recipients), "seen_by": list(row.seen_by)}
