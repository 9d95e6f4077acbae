"""Who said what to whom.

A message is produced once and may be delivered many times. Its sender is the actor of the task
that produced it; its recipients are the actors that were first observed to get it as input, and
those that read it later are in `seen_by`. `cause` points at the last messages that its sender had
in view. Messages are identified by their ids; their order is for display only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import JsonValue

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.pregel import Pregel
    from mlflow.entities import Trace as MlflowTrace

MessageKind = Literal[
    "input", "reply", "call", "result", "handoff", "delegate", "send", "state", "ack"
]

USER = "user"
"""The actor outside the graph: it sends the input and receives the last reply."""

UNNAMED = "message-"
"""How the id of a message begins that came without one: its number in the ledger follows."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one model call, or of several added up."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """The part of `input` that the provider had in its cache."""
    reasoning: int = 0
    """The part of `output` that was thought and not said."""

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output


NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that one actor said, and whom it reached."""

    id: str
    kind: MessageKind
    sender: str
    text: str
    """What a person reads. The whole content is in `content`."""
    recipients: tuple[str, ...] = ()
    seen_by: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    """Ids of the messages that this one answers; a join has several."""
    content: JsonValue = None
    """Content blocks, tool arguments or a routed payload, where `text` does not say it all."""
    tool_call_id: str | None = None
    model: str | None = None
    tokens: Tokens = NO_TOKENS
    cost: float | None = None
    """What the model call cost, in US dollars; None where nobody knows the price."""
    start_ns: int = 0
    """When its production began, in nanoseconds since the epoch."""
    end_ns: int = 0
    step: int | None = None
    """The superstep of the graph that produced it."""
    activation: str | None = None
    """The task that produced it: tells two instances of one actor apart."""
    sampled: bool = False
    """True when a model said it, False when code wrote it."""

    @property
    def route(self) -> str:
        """Its title, `sender → recipients`; the sender alone while nobody has got it."""
        return " → ".join(filter(None, (self.sender, ", ".join(self.recipients))))


def total_cost(messages: Iterable[Message]) -> float | None:
    """Return what messages with a known price cost together; None where none has one."""
    known = [message.cost for message in messages if message.cost is not None]
    return sum(known) if known else None


@dataclass(frozen=True)
class Ledger:
    """The messages of one execution, in the order in which they were first seen."""

    messages: tuple[Message, ...] = ()

    @classmethod
    def from_trace(cls, trace: MlflowTrace | str, *, tracking_uri: str | None = None) -> Ledger:
        """Return who said what in a stored MLflow trace, given it or its id.

        What linenotes recorded comes back as it was. What `mlflow.langchain.autolog()` recorded
        is rebuilt from its spans by the rules of `record()`; of two equal messages that were said
        at once, which is which is then not known.

        Args:
            trace: the trace, or its id, `tr-` and 32 hex digits.
            tracking_uri: where the trace with this id is stored. By default it is the store of
                the project, as for `read_trace`, which also takes the start of an id and `latest`.

        Raises:
            RunError: no trace has the id.
            StoreError: the store did not answer.
        """
        if isinstance(trace, str) and tracking_uri is None:
            from linenotes.tracing.keeping._project_store import read_trace

            return read_trace(trace).ledger
        from linenotes.tracing.store._mlflow_ledger import ledger_from_mlflow

        return ledger_from_mlflow(trace, tracking_uri)

    @classmethod
    def from_checkpoints(
        cls,
        graph: Pregel[Any, Any, Any, Any] | BaseCheckpointSaver[Any],
        thread_id: str,
    ) -> Ledger:
        """Return who said what in a LangGraph thread: all its invocations as one story.

        A checkpointer alone is enough. With the compiled graph, also the names of agents, what
        each node reads of the state, and Commands are told apart from edges. Checkpoints keep what
        was written and not how: text that a model wrote into a plain state is not known to be a
        model's, and what a node kept to itself or showed its model is not known at all. A thread
        that was kept with `durability="exit"` has only its last state: whoever speaks next in it
        is then taken to have got what was said before.

        Args:
            graph: the compiled graph with its checkpointer, or the checkpointer.
            thread_id: the thread, as in the graph's config.

        Raises:
            RunError: the checkpointer knows no such thread, or there is no checkpointer.
        """
        from linenotes.tracing.sources._checkpoint_source import ledger_from_checkpoints

        return ledger_from_checkpoints(graph, thread_id)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def actors(self) -> tuple[str, ...]:
        """Everyone who sent or received something, in order of appearance."""
        seen: dict[str, None] = {}
        for message in self.messages:
            for actor in (message.sender, *message.recipients):
                seen.setdefault(actor)
        return tuple(seen)

    @property
    def instances(self) -> dict[str, str]:
        """The name of each activation: its actor's, as `worker#2` where there are several."""
        activations: dict[str, dict[str, None]] = {}
        for message in self.messages:
            if message.activation is not None and message.kind not in {"result", "ack"}:
                activations.setdefault(message.sender, {}).setdefault(message.activation)
        return {
            activation: actor if len(own) == 1 else f"{actor}#{number}"
            for actor, own in activations.items()
            for number, activation in enumerate(own, start=1)
        }

    @property
    def tokens(self) -> Tokens:
        """The tokens of all model calls together."""
        return sum((message.tokens for message in self.messages), NO_TOKENS)

    @property
    def calls(self) -> int:
        """How many model calls were made."""
        return sum(message.sampled for message in self.messages)

    @property
    def cost(self) -> float | None:
        """What the model calls with a known price cost, in US dollars; None where none has one."""
        return total_cost(self.messages)

    @property
    def unpriced(self) -> int:
        """How many model calls have no known price, and are not in `cost`."""
        return sum(message.sampled and message.cost is None for message in self.messages)
