"""One execution of one case, and what scorers said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import JsonValue

from linenotes.datasets import Case
from linenotes.evals.journal._usage import Usage, usage_of
from linenotes.tracing import Ledger, Trace

SampleKey = tuple[str, int]
"""(case id, sample index)."""
ErrorKind = Literal["infrastructure", "agent", "scorer"]
"""Whose failure it was. Ours is none of these: it ends the run with a traceback."""


ScoreValue = bool | float | str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong, and whose it was."""

    kind: ErrorKind
    type: str
    """The class of the exception."""
    message: str

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Sample:
    """What a scorer gets: one execution of one case by one version."""

    case: Case
    index: int
    """Which of the case's samples it is, from 0."""
    output: JsonValue
    """The graph's last state as JSON; None when it did not finish."""
    trace: Trace
    error: Failure | None = None
    replayed: frozenset[str] = frozenset()
    """Ids of the messages that came from recordings."""
    scores: Mapping[str, ScoreValue] = field(default_factory=dict)
    """What other scorers said of it, as far as the scorer that gets it declares to read them."""

    @property
    def inputs(self) -> dict[str, JsonValue]:
        """What the graph was given."""
        return self.case.inputs

    @property
    def expectations(self) -> dict[str, JsonValue]:
        """What the golden file expects of the output."""
        return self.case.expectations

    @property
    def ledger(self) -> Ledger:
        """Who said what to whom."""
        return self.trace.ledger

    @property
    def trace_id(self) -> str:
        """What `linenotes trace show` takes."""
        return self.trace.trace_id

    @property
    def cost(self) -> float | None:
        """US dollars of the calls with a known price; None where none has one."""
        return self.ledger.cost

    @property
    def spent(self) -> float | None:
        """US dollars of the calls that were made and no recording stood in for; None as a cost."""
        return Ledger(tuple(one for one in self.ledger if one.id not in self.replayed)).cost

    @property
    def seconds(self) -> float:
        """How long the execution took."""
        end = self.trace.end_ns or self.trace.start_ns
        return (end - self.trace.start_ns) / 1e9

    def untied(self) -> Self:
        """Return it with a case of its own: whoever changes that changes no other judgement."""
        return replace(self, case=self.case.model_copy(deep=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run keeps at hand of a finished sample; the rest of it is read when it is needed."""

    trace_id: str
    start_ns: int
    end_ns: int
    calls: int
    """How many model calls it made."""
    tokens: int
    """In and out, of all calls."""
    cost: float | None
    """US dollars of the calls with a known price; None where none has one."""
    unpriced: int
    """How many calls have no known price."""
    error: Failure | None = None
    replayed: int = 0
    """How many of the model calls a recording stood in for."""
    replayed_tokens: int = 0
    """In and out, of those."""
    replayed_unpriced: int = 0
    """How many of those have no known price."""
    replayed_cost: float | None = None
    """The part of `cost` that was not spent now; None where none of it has a known price."""
    usage: tuple[Usage, ...] = ()
    """What each agent used of each model."""

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Return the outcome of a sample."""
        trace, ledger = sample.trace, sample.ledger
        replayed = Ledger(tuple(one for one in ledger if one.id in sample.replayed))
        return cls(
            trace_id=trace.trace_id,
            start_ns=trace.start_ns,
            end_ns=trace.end_ns or trace.start_ns,
            calls=ledger.calls,
            tokens=ledger.tokens.total,
            cost=ledger.cost,
            unpriced=ledger.unpriced,
            error=sample.error,
            replayed=replayed.calls,
            replayed_tokens=replayed.tokens.total,
            replayed_unpriced=replayed.unpriced,
            replayed_cost=replayed.cost,
            usage=usage_of(ledger),
        )

    @property
    def seconds(self) -> float:
        """How long the execution took."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Score:
    """A named value of one sample; without a value, why there is none."""

    name: str
    value: ScoreValue | None = None
    error: Failure | None = None
    rationale: str | None = None
