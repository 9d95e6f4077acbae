"""How the samples of a run usually go that pass: what they say anew each time, and who answers.

A case has few samples, and one that never passes has none to read beside. What holds of other
cases of the run is taken to hold of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from linenotes.evals.failing._departures import Place, departing, place, told
from linenotes.evals.failing._expected import first_with, is_met
from linenotes.evals.journal._samples import Sample
from linenotes.tracing import Ledger

_RULE = 0.5
"""The share of samples, or of cases, that makes a rule."""


@dataclass(frozen=True)
class Habits:
    """What passing samples of a run have in common."""

    asks: bool = True
    """Whether all of them hold what their cases expect, so that the metric may ask for it."""
    told_anew: frozenset[Place] = frozenset()
    """Where they differ from one another as a rule, so that a difference there says little."""
    answering: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    """Name of an expectation to where it is first said in them."""


def habits(cases: Iterable[Sequence[Sample]], metric: str = "") -> Habits:
    """Return what samples of some cases that pass by a metric have in common."""
    asks, answering = True, dict[str, set[Place]]()
    anew, seen = Counter[Place](), Counter[Place]()
    for samples in cases:
        ledgers = [sample.ledger for sample in samples]
        if len(ledgers) > 1:
            seen.update({place(one) for ledger in ledgers for one in told(ledger)})
            anew.update(told_anew(ledgers))
        for sample in samples:
            asks = asks and is_met(sample.expectations, sample.output, metric)
            for name, where in _answering(sample.expectations, sample.ledger):
                answering.setdefault(name, set()).add(where)
    usual = frozenset(where for where, count in anew.items() if count > _RULE * seen[where])
    return Habits(asks, usual, {name: frozenset(found) for name, found in answering.items()})


def told_anew(passing: Sequence[Ledger]) -> set[Place]:
    """Return where samples of one case as a rule differ from one another."""
    alone: Counter[Place] = Counter()
    for number, ledger in enumerate(passing):
        others = [*passing[:number], *passing[number + 1 :]]
        alone.update({place(one) for one in departing(ledger, others)} if others else ())
    return {where for where, count in alone.items() if count > _RULE * len(passing)}


def _answering(
    expectations: Mapping[str, JsonValue], ledger: Ledger
) -> Iterable[tuple[str, Place]]:
    for name, expected in expectations.items():
        found = first_with(expected, ledger) if isinstance(expected, str) else None
        if found is not None:
            yield name, place(found)
