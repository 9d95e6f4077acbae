"""Who really gets a message: what routing announced, and what turns up in a task's input.

The recipients of a message are the actors of the first superstep in whose input it appears, or
those its sender routed it to; whoever reads it later has only seen it. A task first holds what is
in its input, and receives it when it does something that shows that it is no plumbing: a node
that merely executes tools, or hands its input on to a graph inside it, receives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import filterfalse
from typing import TYPE_CHECKING

from linenotes.tracing.recorder._content import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._runs import Activation, Scope, Slot, Task


@dataclass(frozen=True, slots=True, eq=False)
class _Parcel:
    scope: Scope
    node: str
    payload: object
    entry: Entry | None


class Deliveries:
    """What has been routed and has not arrived, and what arrived."""

    def __init__(self) -> None:
        self._expected: dict[tuple[Scope, str], list[Entry]] = {}
        self._parcels: list[_Parcel] = []
        self._known: dict[str, set[Entry]] = {}
        """By actor, the messages that it has got or seen at an earlier moment."""
        self._moved: dict[Slot, list[Entry]] = {}
        """What was delivered in each slot; some of it may have gone on to a later one."""
        self.arrived: list[Entry] = []
        """What somebody received since the last announcement."""
        self.changed: dict[Entry, None] = {}
        """Rows with other recipients or another kind than when they were made."""

    def expect(self, entry: Entry, scope: Scope, node: str) -> None:
        """Note that `entry` was routed to the next task of `node`."""
        entry.routed = True
        entry.awaited += 1
        self.changed[entry] = None
        self._expected.setdefault((scope, node), []).append(entry)

    def expect_payload(self, entry: Entry | None, scope: Scope, node: str, payload: object) -> None:
        """Note that a task of `node` will get `payload`, which is or says `entry`."""
        if entry is not None:
            entry.routed = True
            entry.awaited += 1
            self.changed[entry] = None
        self._parcels.append(_Parcel(scope, node, payload, entry))

    def routed_to(self, task: Task, *, inputs: object, pushed: bool) -> list[Entry]:
        """Return what was routed to `task`, once."""
        if not pushed:
            return self._expected.pop((task.within, task.node), [])
        parcel = self._take_parcel(task, inputs)
        return [parcel.entry] if parcel and parcel.entry else []

    def _take_parcel(self, task: Task, inputs: object) -> _Parcel | None:
        waiting = [p for p in self._parcels if p.scope is task.within and p.node == task.node]
        mine = next((p for p in waiting if p.payload is inputs), None)
        mine = mine or next((p for p in waiting if same(p.payload, inputs)), None)
        mine = mine or next(iter(waiting), None)
        if mine is not None:
            self._parcels.remove(mine)
        return mine

    def hold(self, task: Task, found: Sequence[Entry]) -> None:
        """Put what was found in its input before `task`, and out of the hands of outer tasks."""
        host = task.within.host
        while host is not None:
            if host.slot == task.slot:
                task.routed_here.update(host.routed_here.intersection(found))
            if host.pending:
                for entry in host.pending.keys() & found:
                    del host.pending[entry]
            host = host.within.host
        task.pending.update(dict.fromkeys(self.news(found, task)))

    def news(self, found: Iterable[Entry], task: Task) -> list[Entry]:
        """Return what the actor of `task` has not had, or gets once more at the same moment."""
        known = self._known.setdefault(task.actor, set())
        moved = self._moved.get(task.slot, ())
        again = {*task.routed_here, *(entry for entry in moved if entry.slot == task.slot)}
        if not again:
            return [*filterfalse(known.__contains__, found)]
        return [entry for entry in found if entry not in known or entry in again]

    def receive(self, task: Task) -> None:
        """Let the actor of `task` have what the task holds."""
        if not task.pending:
            return
        held, task.pending = task.pending, {}
        actor, slot = task.actor, task.slot
        known = self._known.setdefault(actor, set())
        for entry in held:
            if entry.slot is None or entry.slot == slot or entry in task.routed_here:
                self.deliver(entry, task)
            else:
                known.add(entry)
                if actor not in entry.recipients and actor != entry.sender:
                    entry.seen_by[actor] = None

    def deliver(self, entry: Entry, task: Task) -> None:
        """Let the actor of `task` have `entry`."""
        stage = task.stage
        if stage is None or _is_its_own(entry, stage):
            return
        if entry.slot is not None:
            self._known.setdefault(stage.actor, set()).add(entry)
        first = not entry.routed and (entry.slot is None or entry.slot == task.slot)
        if first or entry in task.routed_here:
            if stage not in entry.deliveries:
                self._arrive(entry, task, stage)
        elif stage.actor != entry.sender and stage.actor not in entry.recipients:
            entry.seen_by.setdefault(stage.actor)

    def remind(self, entry: Entry, task: Task) -> None:
        """Let an agent have what one of its own parts told it, such as a middleware."""
        stage = task.stage
        own = stage is not None and entry.activation is stage and not entry.sampled
        if own and entry.namespace != task.namespace and not entry.routed and not entry.recipients:
            entry.recipients[task.actor] = None
            self.changed[entry] = None
            self._move(entry, task.slot)
            self.arrived.append(entry)

    def _arrive(self, entry: Entry, task: Task, stage: Activation) -> None:
        self._move(entry, task.slot)
        entry.awaited -= entry in task.routed_here
        entry.recipients.setdefault(stage.actor)
        entry.deliveries.append(stage)
        stage.received.append(entry)
        self.arrived.append(entry)
        self.changed[entry] = None

    def _move(self, entry: Entry, slot: Slot) -> None:
        entry.slot = slot
        self._moved.setdefault(slot, []).append(entry)


def _is_its_own(entry: Entry, stage: Activation) -> bool:
    """Tell whether an actor meets its own words; an errand to itself is one to an agent inside."""
    if entry.kind == "call":
        return entry.sender == stage.actor
    return entry.activation is stage and entry.kind != "delegate"
