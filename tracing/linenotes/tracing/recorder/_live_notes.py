"""What a recording tells its live log after each event: spans that began or ended, rows, changes.

Only what is new is written: a span is a name under a parent, a row is written whole once and then
only with what may change of it. No prompt is, and not who read a message again: both would make
the log grow with the square of the conversation. Rows are known by their number, since LangGraph
may give a message its id after it was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.tracing import _conventions as names
from linenotes.tracing.recorder._content import error_text
from linenotes.tracing.recorder._runs import Task
from linenotes.tracing.recorder._span_builder import (
    SPAN_TYPES,
    makes_span,
    parent_id,
    span_name,
    span_status,
    stay,
    thread_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linenotes.tracing._trace import Trace
    from linenotes.tracing.recorder._conversation import Conversation
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._listener import Listener
    from linenotes.tracing.recorder._live_log import LiveLog
    from linenotes.tracing.recorder._runs import Activation, Run


_CALLED = {names.OPERATION_NAME: names.CHAT}
_RETRIEVED = {names.OPERATION_NAME: names.RETRIEVAL}


class LiveNotes:
    """Follows one recording; `heard` is called after each event, one at a time."""

    def __init__(self, log: LiveLog, listener: Listener, conversation: Conversation) -> None:
        self._log = log
        self._listener = listener
        self._conversation = conversation
        self._open: dict[Run, tuple[Activation | None, str | None]] = {}
        """The spans that run, those of agents with the names that they were written under."""
        self._runs = self._rows = self._roots = 0
        """How many were written."""

    def heard(self) -> None:
        """Write what the last event changed."""
        lines: list[object] = []
        self._note_open(lines)
        self._note_new(lines)
        self._note_rows(lines)
        if lines:
            self._log.write(lines)

    def finish(self, trace: Trace) -> None:
        """Write how the recording ended, and nothing more."""
        self.heard()
        kept = {row.index for row in self._conversation.rows}
        struck = [number for number in range(self._rows) if number not in kept]
        lines: list[object] = [{"struck": struck}] if struck else []
        lines.append({"ended": trace.end_ns, "state": trace.state, "error": trace.error})
        self._log.write(lines)
        self._log.close()

    @property
    def shortcoming(self) -> str:
        """Say what the log lacks, if anything."""
        return self._log.shortcoming

    def _note_open(self, lines: list[object]) -> None:
        """Note the spans that ended, agents with another name, and what proved to be plumbing."""
        for run, (activation, actor) in [*self._open.items()]:
            if run.end_ns is not None:
                del self._open[run]
                lines.append(_end(run))
            elif activation is None:
                continue
            elif not makes_span(run):
                del self._open[run]
                lines.append({"gone": run.span_id})
            elif activation.actor is not actor:
                lines.append(self._begin(run))

    def _note_new(self, lines: list[object]) -> None:
        roots, runs = self._listener.log.roots, self._listener.log.runs
        if len(roots) > self._roots:
            self._roots = len(roots)
            last = roots[-1]
            began = {"graph": last.name, "start": last.start_ns, "thread": thread_of(last)}
            lines.append(began)
        if len(runs) == self._runs:
            return
        lines += [self._begin(run) for run in runs[self._runs :] if makes_span(run)]
        self._runs = len(runs)

    def _begin(self, run: Run) -> dict[str, object]:
        agent = stay(run) if run.kind == "chain" else None
        self._open[run] = (agent, agent.actor if agent else None)
        return {
            "span": run.span_id,
            "parent": parent_id(run, self._log.header.root_id),
            "name": span_name(run),
            "type": SPAN_TYPES[run.kind],
            "start": run.start_ns,
            "attributes": _attributes(run, agent),
            "holds": _held(run) if isinstance(run, Task) and run.pending else (),
        }

    def _note_rows(self, lines: list[object]) -> None:
        rows = self._conversation.rows
        for row in self._conversation.take_changed():
            if row.index < self._rows:
                changed = {"id": row.id, "kind": row.kind, "recipients": [*row.recipients]}
                lines.append(_row(row, changed))
        if len(rows) > self._rows:
            lines += [_row(row, row.to_message()) for row in rows[self._rows :]]
            self._rows = len(rows)


def _attributes(run: Run, agent: Activation | None) -> Mapping[str, object]:
    if agent is not None:
        said = {names.OPERATION_NAME: names.INVOKE_AGENT, names.AGENT_NAME: agent.actor}
        if isinstance(run, Task):
            return {**said, names.ACTIVATION: run.namespace, names.STEP: run.step}
        return said
    if run.kind == "tool":
        return {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: run.name}
    return _CALLED if run.kind == "model" else _RETRIEVED


def _held(task: Task) -> list[int]:
    """Return the rows that `task` has got if it proves to be no plumbing."""
    slot, routed = task.slot, task.routed_here
    return [
        row.index
        for row in task.pending
        if (not row.routed and (row.slot is None or row.slot == slot)) or row in routed
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
