"""A LangGraph thread as records: runs of graphs, their supersteps, and the tasks in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from langgraph.types import Interrupt

from linenotes.tracing._langgraph import ERROR, INTERRUPT, RESUME

Writes = tuple[tuple[str, object], ...]


@dataclass(slots=True, eq=False)
class ThreadTask:
    """What one task was given and what it wrote."""

    id: str
    node: str
    namespace: str
    given: object
    pushed: bool
    writes: Writes
    runs: list[ThreadRun] = field(default_factory=list)
    """The graphs that ran inside it."""

    @property
    def answers(self) -> list[object]:
        """What a person answered when the task itself waited for it."""
        found = next((value for channel, value in self.writes if channel == RESUME), None)
        return list(found) if isinstance(found, list | tuple) else []

    def questions(self, attempt: int) -> list[Interrupt]:
        """Return what the task itself asked in an attempt; only the last questions are kept."""
        if attempt != len(self.answers) - self.ended:
            return []
        found = next((value for channel, value in self.writes if channel == INTERRUPT), ())
        asked = found if isinstance(found, list | tuple) else [found]
        return [one for one in asked if isinstance(one, Interrupt)]

    @property
    def left_from(self) -> ThreadRun | None:
        """The graph inside that a Command left for this task's own graph.

        Such a Command is kept as what this task wrote; the task that gave it wrote nothing.
        """
        last = self.runs[-1] if self.runs else None
        return last if self.ended and last and last.next else None

    @property
    def waits(self) -> bool:
        """Whether it still waits for a person."""
        return any(c == INTERRUPT for c, _ in self.writes) and not self.ended

    @property
    def ended(self) -> bool:
        """Whether it came to its end."""
        return any(channel not in (INTERRUPT, RESUME, ERROR) for channel, _ in self.writes)

    @property
    def attempts(self) -> int:
        """How often it began: again after each answer, its own or one of a graph inside."""
        inside = max((run.attempts for run in self.runs), default=1)
        return max(inside, 1 + len(self.answers))


@dataclass(slots=True, eq=False)
class Step:
    """One superstep."""

    number: int
    start_ns: int
    end_ns: int
    tasks: Sequence[ThreadTask]
    after: object
    """The state that it led to."""

    @property
    def attempts(self) -> int:
        """How often it was tried, because a person was asked."""
        return max((task.attempts for task in self.tasks), default=1)


@dataclass(slots=True, eq=False)
class ThreadRun:
    """One run of a graph, over all its interruptions."""

    path: str
    """The nodes down to the graph, joined by `|`."""
    namespace: str
    inputs: object
    start_ns: int
    steps: Sequence[Step]
    outputs: object
    next: ThreadTask | None = None
    """The one task that was to run next, where it wrote nothing into this graph."""

    @property
    def attempts(self) -> int:
        """How many times it was started or resumed."""
        return 1 + sum(step.attempts - 1 for step in self.steps)
