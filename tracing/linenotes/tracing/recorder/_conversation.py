"""What is said, from the runs of one execution: which event makes which row of the ledger.

A row is made once: when a model ends, when a tool ends, when a node writes a message that nobody
said before, when something is routed without a message, or when a node writes plain state. It
stays the same row wherever the message turns up again, as a renamed copy or as its mere text.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.types import Command

from linenotes.tracing._langgraph import START
from linenotes.tracing._ledger import USER
from linenotes.tracing.recorder._actors import tool_around
from linenotes.tracing.recorder._book import Book, context
from linenotes.tracing.recorder._call_costs import call_cost
from linenotes.tracing.recorder._carried import carried_payload
from linenotes.tracing.recorder._content import (
    WHOLE,
    fields_of,
    is_a,
    messages_in,
    same,
    tokens_of,
)
from linenotes.tracing.recorder._entries import Entry, frontier
from linenotes.tracing.recorder._functions import open_call, returned_value
from linenotes.tracing.recorder._openings import OUTSIDE, adopt, edited, open_routed, open_state
from linenotes.tracing.recorder._questions import Questions
from linenotes.tracing.recorder._quotes import Quotes
from linenotes.tracing.recorder._writer import tool_message
from linenotes.tracing.recorder._writings import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from langgraph.errors import GraphInterrupt

    from linenotes.tracing._ledger import Message
    from linenotes.tracing._prices import Prices
    from linenotes.tracing.recorder._runs import Run, Scope, Task


class Conversation:
    """The rows of one execution, brought up to date event by event."""

    def __init__(
        self, outsider: str, on_message: Callable[[Message], None] | None, prices: Prices
    ) -> None:
        self._outsider = outsider
        self._on_message = on_message
        self._prices = prices
        self._book = Book()
        self._questions = Questions()
        self._quotes = Quotes()
        self._settled: list[Entry] = []

    @property
    def has_listener(self) -> bool:
        """Tell whether anybody wants to hear of messages as they happen."""
        return self._on_message is not None

    @property
    def rows(self) -> Sequence[Entry]:
        """All rows, in the order in which they were first seen."""
        return self._book.entries.rows

    def take_changed(self) -> Iterable[Entry]:
        """Return the rows that have changed since this was last asked."""
        deliveries = self._book.deliveries
        changed, deliveries.changed = deliveries.changed, {}
        return changed

    def graph_started(self, root: Run) -> None:
        """Go on where an interrupted graph stopped, if `root` resumes one."""
        inputs = root.inputs
        if inputs is None or (isinstance(inputs, Command) and inputs.resume is not None):
            for entry in self._book.handed_out.pop(root.details.get("thread_id"), ()):
                entry.recipients.pop(USER, None)
                self._book.deliveries.changed[entry] = None
                entry.slot = None
                self._book.taken_back.append(entry)
            self._questions.answer(self._book, root)

    def knows(self, scope: Scope) -> Callable[[str, object], bool]:
        """Return whether a value in the state of a graph is what somebody is known to have said.

        Before a graph's first task nobody has, so the graph's own input is told by its kind.
        """
        book, given = self._book, fields_of(scope.run.inputs)

        def is_known(name: str, value: object) -> bool:
            if is_a(value, BaseMessage):
                unopened = not scope.opened and value.type in OUTSIDE
                return unopened or book.entries.find(value) is not None
            return same(given.get(name), value) or bool(book.values.within({name: value}))

        return is_known

    def task_started(self, task: Task, *, pushed: bool) -> None:
        """Put what `task` was given before its actor."""
        book = self._book
        routed = book.deliveries.routed_to(task, inputs=task.inputs, pushed=pushed)
        if task.activation is None:
            return
        if pushed and routed:
            task.payload = carried_payload(routed[0], task.inputs)
        found = open_call(book, task) if task.within.is_calls else self._given(task)
        now = (task.within.number, task.step)
        if said := book.said.get(now):
            found = [entry for entry in found if entry not in said]  # it only looks like it
        found += [*routed, *self._questions.answers_for(book, task, found)]
        task.routed_here.update(routed)
        task.view, task.view_past = frontier(found)
        book.deliveries.hold(task, found)

    def _given(self, task: Task) -> list[Entry]:
        book = self._book
        given = messages_in(task.inputs)
        found = [entry for entry in book.entries.find_all(given) if entry]
        if len(found) < len(given):
            found = self._find_or_adopt(task, given)
        if task.step == task.within.first_step and task.within.host is None:
            found = edited(book, task, given, found)
        open_state(book, task, has_messages=bool(found))
        values = fields_of(task.inputs)
        if task.is_function:
            values = {**values, WHOLE: task.inputs}
        # The row of a payload says all of its values.
        return found if task.payload else [*found, *self._carried(task, values)]

    def _carried(self, task: Task, values: Mapping[str, object]) -> list[Entry]:
        """Return the rows that travel as values, in the state or in what a task around was sent."""
        found = self._book.values.within(values) if self._book.values else []
        host = task.within.host
        while host is not None:
            found += host.payload.within(values) if host.payload else []
            host = host.within.host
        return found

    def _find_or_adopt(self, task: Task, given: Sequence[BaseMessage]) -> list[Entry]:
        entries, found = self._book.entries, list[Entry]()
        for message in given:
            found.append(entries.find_given(message) or adopt(self._book, task, message, found))
        return found

    def task_ended(self, task: Task, output: object, at: int) -> None:
        """Make rows of what `task` wrote, and let its actor have what it was given."""
        self._book.deliveries.receive(task)
        self._take_returned(task, output)
        if task.node == START and task.sends:
            open_routed(self._book, task)
        write(self._book, task, output, at)
        self.announce()

    def _take_returned(self, task: Task, output: object) -> None:
        """Let the actor of `task` have what a graph inside returned and it did not pass on."""
        if task.returned:
            output = returned_value(output) if task.is_function else output
            passed_on = {self._book.entries.find(message) for message in messages_in(output)}
            if task.is_function:
                passed_on.update(self._held(output))
            for entry in task.returned:
                if entry not in passed_on and not entry.recipients:
                    self._book.deliveries.deliver(entry, task)

    def _held(self, output: object) -> list[Entry]:
        items = output if isinstance(output, list | tuple) else [output]
        return [entry for item in items for entry in self._book.values.holding(item)]

    def task_interrupted(self, task: Task, error: GraphInterrupt, at: int) -> None:
        """Make rows of what `task` asks the user, and let its actor have what it was given."""
        self._book.deliveries.receive(task)
        self._take_returned(task, None)
        self._settled += self._questions.ask(self._book, task, error, at)
        self.announce()

    def task_failed(self, task: Task) -> None:
        """Let the actor of `task` have what it was given: it is what it failed on."""
        self._book.deliveries.receive(task)
        self.announce()

    def model_started(self, run: Run, prompt: Sequence[BaseMessage]) -> None:
        """Let the actor have what it was given, and what else it shows or quotes to its model."""
        deliveries, task = self._book.deliveries, run.task
        found = self._book.entries.find_all(prompt)
        shown = [entry for entry in found if entry]
        run.view = tuple(shown or context(task))
        if task is None:
            return
        deliveries.receive(task)
        quoted = self._quotes.quoted(self.rows, prompt, found, task)
        run.view += tuple(quoted)
        for entry in deliveries.news((*shown, *quoted), task):
            deliveries.deliver(entry, task)
            deliveries.remind(entry, task)

    def model_ended(self, run: Run, message: BaseMessage, at: int) -> None:
        """Make a row of what a model said."""
        calls = message.tool_calls if is_a(message, AIMessage) else []
        entry = self._book.say(
            "call" if calls else "reply",
            sender=run.activation.actor if run.activation else self._outsider,
            view=run.view,
            start_ns=run.start_ns,
            end_ns=at,
            task=run.task,
            message=message,
        )
        entry.sampled, entry.model, entry.tokens = True, run.model, tokens_of(message)
        entry.cost = call_cost(self._prices, run.details, message)
        run.message = entry
        if calls:
            entry.unanswered = len(calls)
            entry.tool_call_id = calls[0]["id"] if len(calls) == 1 else None
            self._book.take_calls(entry, run.task)
            for call in calls:
                self._book.entries.expect_result(str(call["id"]))
            self._settled.append(entry)
        self.announce()

    def tool_started(self, run: Run, call_id: str | None) -> None:
        """Find out whether the task of `run` merely executes what another task called."""
        task = run.task
        if task is None:
            return
        call, caller = self._book.call_of(call_id or "", task)
        if call:
            run.view = (call,)
            self._book.reach_tool(call, run.name)
        if call and caller is not task:
            answers = self._questions.answers_among(task.pending)
            task.pending.clear()
            task.stage = call.activation or task.stage
            run.view = (call, *answers)
            for answer in answers:
                self._book.deliveries.deliver(answer, task)
        else:
            self._book.deliveries.receive(task)

    def tool_ended(self, run: Run, output: object, at: int) -> None:
        """Make a row of what a tool said, if it is a message and not a mere value."""
        update = output.update if isinstance(output, Command) else output
        if isinstance(output, Command) and output.goto and run.task and run.view:
            run.task.handed.append((output, run.view[0], run.name))
            self._book.handing.add(str(run.details.get("tool_call_id")))
        for message in messages_in(update):
            if is_a(message, ToolMessage) and not self._is_told(message, run):
                run.message = tool_message(self._book, message, run.task, at=at, run=run)
        self.announce()

    def _is_told(self, result: ToolMessage, run: Run) -> bool:
        """Tell whether a result has a row; another agent at work may use the same id for a call."""
        found = self._book.entries.find(result)
        if found is None or found.message is result or run.task is None:
            return found is not None
        own = result.tool_call_id == run.details.get("tool_call_id")
        return not (own and found.said_at and found.said_at[0] != run.task.within.number)

    def graph_ended(self, scope: Scope, output: object) -> None:
        """Let the user, or whoever runs the graph, have what came out and reached nobody else."""
        book, host = self._book, scope.host
        said = [book.entries.find_given(message) for message in messages_in(output)]
        found = [*said]
        if book.values:
            found += book.values.within({**fields_of(output), WHOLE: output})
        new = [entry for entry in found if entry and self._is_unread(entry)]
        if host is None:
            self._hand_out(scope, new)
            self._show_last(said or found)
            return
        mine = [entry for entry in new if entry.activation is not host.stage]
        if tool := tool_around(scope.run):
            for entry in mine:
                book.deliveries.deliver(entry, host)
            tool.view = (*tool.view, *mine)
        else:
            host.returned += mine
            host.view = (*host.view, *(mine or filter(None, found[-1:])))

    def _show_last(self, found: Sequence[Entry | None]) -> None:
        """Let the user see the last word too, where others read it before."""
        last = found[-1] if found else None
        if last is None or self._questions.are_open or last.sender == USER:
            return
        if USER not in last.recipients and last.kind != "ack":
            last.seen_by[USER] = None
            self._book.deliveries.changed[last] = None

    def _is_unread(self, entry: Entry) -> bool:
        """Tell whether nobody got `entry`; a call that waits for a person's word is on its way."""
        on_its_way = entry.kind == "call" and self._questions.are_open
        inside = entry.kind == "delegate" or on_its_way
        return not entry.recipients and entry.sender != USER and not inside

    def _hand_out(self, scope: Scope, new: list[Entry]) -> None:
        new += [e for e in self._book.taken_back if not e.recipients and e not in new]
        self._book.taken_back.clear()
        for entry in new:
            entry.recipients.setdefault(USER)
            self._book.deliveries.changed[entry] = None
            entry.slot = (scope.number, sys.maxsize)
        self._book.handed_out[scope.run.details.get("thread_id")] = [*new]
        self._settled += new
        self.announce()

    def close(self, running: Sequence[Task]) -> None:
        """Let tasks that still run have what they were given, and announce whatever is left."""
        for task in running:
            self.task_failed(task)
        for entry in self._book.taken_back:
            if not entry.recipients:
                entry.recipients[USER] = None
        self._book.entries.drop_unread_states()
        for entry in self.rows:
            entry.awaited = entry.unanswered = 0
        self._settled += self.rows
        self.announce()

    def forget(self) -> None:
        """Let go of everything that was said."""
        self._book, self._questions, self._quotes = Book(), Questions(), Quotes()
        self._settled = []

    def announce(self) -> None:
        """Tell the listener of messages whose recipients are known by now, each once."""
        if self._on_message is None:
            return
        arrived = self._book.deliveries.arrived
        ready = {entry for entry in (*self._settled, *arrived) if not entry.announced}
        self._settled, arrived[:] = [], [entry for entry in ready if entry.is_waiting]
        for entry in sorted(ready, key=lambda entry: entry.index):
            if not entry.is_waiting:
                entry.announced = True
                self._on_message(entry.to_message())
