"""What recordings have saved a run: calls that were replayed instead of made."""

from __future__ import annotations

from linenotes.evals.journal._records import RunRecord
from linenotes.tracing import dollars


def replayed_calls(record: RunRecord) -> int:
    """Return how many of a run's model calls a recording stood in for."""
    return sum(outcome.replayed for outcome in record.outcomes.values())


def replayed_cost(record: RunRecord) -> float:
    """Return what the replayed calls with a known price would have cost, in US dollars."""
    return sum(outcome.replayed_cost or 0.0 for outcome in record.outcomes.values())


def saved(record: RunRecord) -> str:
    """Say how many of a run's model calls were replayed, and what that saved."""
    calls = sum(outcome.calls for outcome in record.outcomes.values())
    cost = replayed_cost(record)
    spared = f", {dollars(cost)} not spent" if cost else ""
    return f"{replayed_calls(record):,} of {calls:,} model calls replayed from recordings{spared}."
