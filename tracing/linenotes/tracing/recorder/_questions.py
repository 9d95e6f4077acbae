"""What a graph asks a person when it interrupts itself, and what the person answers.

The question is a message of the task that asks it; the answer is an input of the user, and goes
to the tasks that LangGraph runs again because of it. When another process heard the question,
that is every task of the first superstep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langgraph.types import Command

from linenotes.tracing._ledger import USER
from linenotes.tracing.recorder._book import context
from linenotes.tracing.recorder._content import same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.errors import GraphInterrupt
    from langgraph.types import Interrupt

    from linenotes.tracing.recorder._book import Book
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Run, Task


@dataclass(slots=True)
class Questions:
    """The open questions by the id of their interrupt, and the answers on their way."""

    _open: dict[str, Entry] = field(default_factory=dict)
    _answers: dict[Entry, str | None] = field(default_factory=dict)
    """The answers, and the namespace of the task that asked where it is known."""
    _resumed: Run | None = None
    _unasked: object = None
    """An answer to what another process was asked, until the first task gets it."""

    @property
    def are_open(self) -> bool:
        """True while a person is asked and has not answered."""
        return bool(self._open)

    def ask(self, book: Book, task: Task, error: GraphInterrupt, at: int) -> list[Entry]:
        """Make a row of each question that `task` asks and has not asked before."""
        asked: tuple[Interrupt, ...] = error.args[0] if error.args else ()
        new = [one for one in asked if not self._is_asked(one)]
        for one in new:
            self._open[one.id] = _question(book, task, one.value, at)
        return [self._open[one.id] for one in new]

    def _is_asked(self, interrupt: Interrupt) -> bool:
        known = self._open.get(interrupt.id)
        return known is not None and same(known.payload, interrupt.value)

    def answer(self, book: Book, root: Run) -> None:
        """Make rows of the answers with which the user resumes a graph."""
        given = root.inputs.resume if isinstance(root.inputs, Command) else None
        self._answers.clear()
        self._resumed, self._unasked = root, None
        if isinstance(given, dict) and given and given.keys() <= self._open.keys():
            for interrupt_id, value in given.items():
                question = self._open.pop(interrupt_id)
                self._add(book, root, value, [question], question.namespace)
        elif self._open and given is not None:
            asked = [*self._open.values()]
            self._add(book, root, given, asked, asked[0].namespace if len(asked) == 1 else None)
            self._open.clear()
        else:
            self._unasked = given

    def _add(
        self, book: Book, root: Run, value: object, view: list[Entry], namespace: str | None = None
    ) -> None:
        at = root.start_ns
        entry = book.say("input", sender=USER, view=view, start_ns=at, end_ns=at, payload=value)
        entry.past = (1 << entry.index) - 1
        self._answers[entry] = namespace

    def answers_for(self, book: Book, task: Task, known: list[Entry]) -> list[Entry]:
        """Return the answers that `task` runs again for, or hands on to a graph inside it."""
        scope = task.within
        if self._unasked is not None and scope.run is self._resumed:
            self._add(book, scope.run, self._unasked, known)
            self._unasked = None
        if not self._answers or task.step != scope.first_step:
            return []
        if scope.host is None:
            waiting = [*self._answers] if scope.run is self._resumed else []
        else:
            waiting = [entry for entry in scope.host.pending if entry in self._answers]
        return [entry for entry in waiting if _leads_to(task, self._answers[entry])]

    def answers_among(self, rows: Iterable[Entry]) -> list[Entry]:
        """Return which of `rows` answer a question."""
        return [entry for entry in rows if entry in self._answers]


def _question(book: Book, task: Task, value: object, at: int) -> Entry:
    entry = book.say(
        "reply",
        sender=task.actor,
        view=context(task),
        start_ns=task.start_ns,
        end_ns=at,
        task=task,
        payload=value,
    )
    entry.recipients[USER] = None
    return entry


def _leads_to(task: Task, namespace: str | None) -> bool:
    return namespace is None or f"{namespace}|".startswith(f"{task.namespace}|")
