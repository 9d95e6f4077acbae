"""What a sample may cost and how long it may take."""

from __future__ import annotations

from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._built_in import built_in
from linenotes.evals.scorers._rationales import listed, numbered, said
from linenotes.evals.scorers._scorers import ScoreFunction


@built_in
def cost_below(limit: float) -> ScoreFunction:
    """Passes where all model calls together cost less than so many US dollars.

    A call without a known price is a scorer error: what it costs is not nothing.
    """

    def judge(sample: Sample) -> Score:
        cost, ledger = whole_cost(sample), sample.ledger
        told = f"{cost:.6g} US dollars in {ledger.calls} calls"
        priced = [(m.cost, -n) for n, m in enumerate(ledger) if m.cost]
        if priced:
            dearest, place = max(priced)
            told += f", the dearest {numbered(ledger, -place)} with {dearest:.6g}"
        return said(cost < limit, f"{told}; the limit is {limit:g}.")

    return judge


@built_in
def faster_than(seconds: float) -> ScoreFunction:
    """Passes where the sample took less than so many seconds.

    A call that a recording stood in for is a scorer error: it took no time now.
    """

    def judge(sample: Sample) -> Score:
        ledger, took = sample.ledger, real_seconds(sample)
        told = f"{took:.3g} seconds"
        if len(ledger):
            slowest = max(range(len(ledger)), key=lambda n: _nanoseconds(sample, n))
            longest = _nanoseconds(sample, slowest) / 1e9
            told += f", the longest {numbered(ledger, slowest)} with {longest:.3g}"
        return said(took < seconds, f"{told}; the limit is {seconds:g}.")

    return judge


def whole_cost(sample: Sample) -> float:
    """Return US dollars of all model calls.

    Raises:
        ValueError: a call has no known price.
    """
    ledger = sample.ledger
    unpriced = {n for n, m in enumerate(ledger) if m.sampled and m.cost is None}
    if unpriced:
        raise ValueError(
            f"the cost is not known, since {listed(ledger, unpriced)} has no known price; "
            "give its model one: linenotes prices --help"
        )
    return ledger.cost or 0.0


def real_seconds(sample: Sample) -> float:
    """Return how long the sample took.

    Raises:
        ValueError: a recording stood in for a call.
    """
    replayed = {n for n, message in enumerate(sample.ledger) if message.id in sample.replayed}
    if replayed:
        raise ValueError(
            "how long it takes is not known, since recordings stood in for "
            f"{listed(sample.ledger, replayed)}"
        )
    return sample.seconds


def _nanoseconds(sample: Sample, number: int) -> int:
    message = sample.ledger.messages[number]
    return message.end_ns - message.start_ns
