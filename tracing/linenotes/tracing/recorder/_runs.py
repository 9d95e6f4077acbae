"""What ran inside what, as light records of the callbacks of one execution.

A `Run` is one callback run. A `Task` is the run of a graph's node; a `Scope` is a run of a graph,
which is known to be one when its first task starts. An `Activation` is one stay of an actor on
stage: usually a task, or a whole graph where that graph is one agent. A task without an activation
of its own is plumbing, such as the node that executes an agent's tool calls.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from linenotes.tracing._langgraph import PUSH, START
from linenotes.tracing._ledger import USER

if TYPE_CHECKING:
    from langgraph.types import Command, Send

    from linenotes.tracing.recorder._carried import Carried
    from linenotes.tracing.recorder._entries import Entry
    from linenotes.tracing.recorder._running_graph import Graph

RunKind = Literal["chain", "model", "tool", "retriever"]
Slot = tuple[int, int]
"""A superstep of a scope: whatever is delivered in one slot was delivered at once."""


_ids = random.Random()  # noqa: S311  ids are no secrets; its own, whatever others seed
os.register_at_fork(after_in_child=_ids.seed)


def new_span_id() -> str:
    """Return the id of a new span."""
    return f"{_ids.getrandbits(64):016x}"


@dataclass(slots=True, eq=False, repr=False)
class Run:
    """One callback run. Plumbing is a run too: it keeps the nesting right and makes no span."""

    kind: RunKind
    name: str
    parent: Run | None
    start_ns: int
    details: Mapping[str, object] = field(default_factory=dict)
    """What LangChain and LangGraph say about it."""
    inputs: object = None
    outputs: object = None
    end_ns: int | None = None
    error: BaseException | None = None
    task: Task | None = None
    """The task it is inside of; a task is its own."""
    scope: Scope | None = None
    """What it is as the run of a graph."""
    model: str | None = None
    """The model that it calls."""
    view: tuple[Entry, ...] = ()
    """The messages in a model call's prompt; for a tool its call and what came back inside it."""
    message: Entry | None = None
    """What a model or a tool said in it."""
    is_edge: bool = False
    """True for the run of a conditional edge."""
    graph: Graph | None = None
    """The graph that it runs, where that is known."""
    calls: int = 0
    """How many functions of the functional API it has called."""
    _span_id: str | None = field(default=None, init=False, repr=False)

    @property
    def span_id(self) -> str:
        """The id of its span, the same whenever it is asked for."""
        if self._span_id is None:
            self._span_id = new_span_id()
        return self._span_id

    @property
    def ended_ns(self) -> int:
        """When it ended, or when it began while it runs."""
        return self.start_ns if self.end_ns is None else self.end_ns

    @property
    def activation(self) -> Activation | None:
        """Whose activation it belongs to."""
        return self.task.stage if self.task else None

    def part(self) -> None:
        """Let go of what refers back to it, so that memory is free without a garbage collector."""
        if self.task is not None and (stage := self.task.stage) is not None:
            stage.sent.clear()
            stage.received.clear()
            self.task.stage = None
        self.task = self.scope = self.message = None
        self.view = ()


@dataclass(slots=True, eq=False, repr=False)
class Task(Run):
    """The run of a node."""

    within: Scope = field(kw_only=True)
    node: str = ""
    step: int = 0
    namespace: str = ""
    """LangGraph's checkpoint namespace, which ends in the task's id."""
    slot: Slot = (0, 0)
    view_past: int = 0
    pending: dict[Entry, None] = field(default_factory=dict)
    """Messages in its input, until it is clear that its actor is who gets them."""
    routed_here: set[Entry] = field(default_factory=set)
    payload: Carried | None = None
    """What it was sent, by its values: only tasks inside of it meet them again."""
    sends: list[Send] = field(default_factory=list)
    """What its conditional edges routed."""
    handed: list[tuple[Command[str], Entry, str]] = field(default_factory=list)
    """What its tools handed over: the command, the call that it answers, the tool's name."""
    returned: list[Entry] = field(default_factory=list)
    """What the graphs inside of it came out with and nobody got yet."""
    stage: Activation | None = None
    """Whose activation it belongs to; nobody's for a graph's start."""

    @property
    def actor(self) -> str:
        """Who acts in it."""
        return self.stage.actor if self.stage else USER

    @property
    def is_pushed(self) -> bool:
        """Tell whether a `Send` started it, and not a change of the state."""
        triggers = self.details.get("langgraph_triggers")
        return isinstance(triggers, list | tuple) and PUSH in triggers

    @property
    def is_function(self) -> bool:
        """Tell whether it is a function of the functional API: it has values and no state."""
        return self.within.is_calls or (
            self.details.get("langgraph_triggers") == (START,) and self.node != START
        )

    def let_go(self) -> None:
        """Drop the state that it was given: the messages in it have rows."""
        self.inputs = None
        self.sends.clear()
        self.routed_here.clear()


@dataclass(slots=True, eq=False, repr=False)
class Scope:
    """One run of a graph."""

    run: Run
    number: int
    host: Task | None
    """The task that runs it, for a graph inside a graph."""
    first_step: int
    activation: Activation | None = None
    """The activation that all its tasks share, where the graph is one agent."""
    opened: bool = False
    """True once what it was given has been turned into messages."""
    heard: set[tuple[int, str]] = field(default_factory=set)
    """The supersteps and nodes of its tasks so far."""

    @property
    def is_calls(self) -> bool:
        """Tell whether it is no graph: the functions that another one calls."""
        return self.run is self.host

    def slot(self, step: int) -> Slot:
        """Return the slot of a superstep; the first one is that of the task that runs the graph."""
        if self.host and step == self.first_step and not self.is_calls:
            return self.host.slot
        return (self.number, step)


@dataclass(slots=True, eq=False, repr=False)
class Activation:
    """One stay of an actor on stage."""

    actor: str
    """Its path: the agents and nodes that it is inside of, and its own name."""
    run: Run
    """The run whose time is its time."""
    agent: str | None = None
    namespace: str = ""
    """LangGraph's checkpoint namespace of its first task: tells two stays of one actor apart."""
    received: list[Entry] = field(default_factory=list)
    sent: list[Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The actor's own name."""
        return self.actor.rpartition("/")[2]
