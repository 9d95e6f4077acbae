"""The spans of a foreign MLflow trace, read for what LangChain and LangGraph were doing.

A span is a node's task when its checkpoint namespace is not that of the span around it. Nothing
else in a stored trace tells a task from a chain inside one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langgraph.types import Send

from linenotes.tracing._conventions import EXCEPTION, EXCEPTION_MESSAGE, EXCEPTION_TYPE
from linenotes.tracing.sources._reprs import read_command
from linenotes.tracing.sources._stored_values import SharedValues, revived, revived_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import Span as MlflowSpan
    from pydantic import JsonValue

    from linenotes.tracing.recorder._runs import RunKind

_KINDS: dict[str, RunKind] = {
    "CHAT_MODEL": "model",
    "LLM": "model",
    "TOOL": "tool",
    "RETRIEVER": "retriever",
}
_PARENT_COMMAND = "ParentCommand"


@dataclass(frozen=True, slots=True)
class StoredError:
    """The exception that a span ended with."""

    type: str
    message: str


@dataclass(slots=True, eq=False)
class StoredSpan:
    """One span, its values as they were."""

    span_id: str
    parent: StoredSpan | None
    kind: RunKind
    name: str
    start_ns: int
    end_ns: int | None
    inputs: object
    outputs: object
    attributes: dict[str, JsonValue]
    error: StoredError | None = None
    children: list[StoredSpan] = field(default_factory=list)

    @property
    def metadata(self) -> dict[str, JsonValue]:
        """What LangGraph said of the run."""
        found = self.attributes.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def namespace(self) -> str:
        """The checkpoint namespace of the task that the span is or is inside of."""
        return str(self.metadata.get("langgraph_checkpoint_ns") or "")

    @property
    def step(self) -> int | None:
        """The superstep of the task that the span is or is inside of."""
        step = self.metadata.get("langgraph_step")
        return step if isinstance(step, int) else None

    @property
    def is_task(self) -> bool:
        """Whether it is the task of a node."""
        inside = self.parent.namespace if self.parent else ""
        return self.kind == "chain" and self.step is not None and self.namespace != inside

    @property
    def is_call(self) -> bool:
        """Whether it is the task of a function that another task calls."""
        path = self.metadata.get("langgraph_path")
        return isinstance(path, list) and len(path) > 1 and isinstance(path[1], list)

    @property
    def leaves(self) -> bool:
        """Whether it ended with a Command for a graph further out."""
        return self.error is not None and self.error.type == _PARENT_COMMAND

    @property
    def routes(self) -> bool:
        """Whether it is a conditional edge that sends payloads."""
        parts = self.outputs if isinstance(self.outputs, list) else [self.outputs]
        at_task = self.parent is not None and self.parent.is_task and not self.is_task
        return at_task and any(isinstance(part, Send) for part in parts)

    @property
    def task(self) -> StoredSpan | None:
        """The task that it is or is inside of."""
        span: StoredSpan | None = self
        while span is not None and not span.is_task:
            span = span.parent
        return span

    def around(self) -> Iterator[StoredSpan]:
        """Yield the spans around it, inner ones first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent


def read_spans(stored: Sequence[MlflowSpan]) -> list[StoredSpan]:
    """Return the spans in the order in which they began, parents before children."""
    ordered = sorted(stored, key=lambda span: (span.start_time_ns, -(span.end_time_ns or 0)))
    shared = SharedValues()
    read = {span.span_id: _read(span, shared) for span in ordered}
    for stored_span in ordered:
        parent = read.get(stored_span.parent_id) if stored_span.parent_id else None
        if parent is not None:
            read[stored_span.span_id].parent = parent
            parent.children.append(read[stored_span.span_id])
    for span in read.values():
        if any(child.leaves for child in span.children) and span.leaves:
            span.outputs = None  # the Command comes from inside
    return list(read.values())


def _read(span: MlflowSpan, shared: SharedValues) -> StoredSpan:
    error = _error(span)
    outputs = revived_output(span.outputs)
    if error and error.type == _PARENT_COMMAND:
        outputs = revived(read_command(error.message))
    return StoredSpan(
        span_id=span.span_id,
        parent=None,
        kind=_KINDS.get(str(span.span_type), "chain"),
        name=span.name,
        start_ns=span.start_time_ns,
        end_ns=span.end_time_ns,
        inputs=shared.fields(revived(span.inputs)),
        outputs=shared.fields(outputs),
        attributes=span.attributes,
        error=error,
    )


def _error(span: MlflowSpan) -> StoredError | None:
    for event in span.events:
        if event.name == EXCEPTION:
            kind = str(event.attributes.get(EXCEPTION_TYPE) or "Exception")
            return StoredError(kind, str(event.attributes.get(EXCEPTION_MESSAGE) or ""))
    if span.status.status_code.value == "ERROR":
        return StoredError("Exception", span.status.description or "")
    return None
