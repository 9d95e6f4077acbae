"""What a sample costs and how long it takes in one version and in the other.

Compared like a score: paired by case, with the same statistics. What the infrastructure failed did
not get to its end, and is left out. Cost is of all calls, also of those that a recording stood in
for; time is only known where none did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from linenotes.evals._savings import replayed_calls
from linenotes.evals._wording import counted
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import Outcome
from linenotes.evals.journal._tables import sample_table

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics import Comparison, Target

Used = Literal["cost", "tokens", "seconds"]
"""`cost` is in US dollars."""


@dataclass(frozen=True)
class UsageChange:
    """How much of something a sample uses, as a change from base to candidate."""

    name: Used
    result: Comparison | None
    """None where it cannot be compared."""
    note: str = ""
    """Why it cannot be compared."""


def usage_changes(
    base: RunRecord, candidate: RunRecord, *, target: Target
) -> tuple[UsageChange, ...]:
    """Return how cost, tokens and seconds of a sample changed.

    Without model calls there are only seconds, and the cost that an imported file tells.
    """
    from linenotes.evals.statistics import compare_amounts

    runs, found = (base, candidate), []
    for name in _used(runs):
        if note := _unknown(name, runs):
            found.append(UsageChange(name, None, note))
            continue
        result = compare_amounts(*(_table(run, name) for run in runs), target=target)
        found.append(UsageChange(name, result))
    return tuple(found)


def _used(runs: tuple[RunRecord, RunRecord]) -> tuple[Used, ...]:
    outcomes = [outcome for run in runs for outcome in run.outcomes.values()]
    if any(outcome.calls for outcome in outcomes):
        return ("cost", "tokens", "seconds")
    return ("cost", "seconds") if any(outcome.cost for outcome in outcomes) else ("seconds",)


def _unknown(name: Used, runs: tuple[RunRecord, RunRecord]) -> str:
    """Say why it is not known in both runs how much was used; empty where it is known."""
    if name == "cost" and (unpriced := _unpriced(runs)):
        return unpriced
    if not any(_amount(o, name) for run in runs for o in run.outcomes.values()):
        return "none in either run"
    if any(run.plan.imported and not _told(run, name) for run in runs):
        return f"an imported file does not tell its {name}"
    replayed = sum(map(replayed_calls, runs))
    if name == "seconds" and replayed:
        return f"{counted(replayed, 'call')} came from recordings, which take no time to answer"
    return ""


def _unpriced(runs: tuple[RunRecord, RunRecord]) -> str:
    unpriced = sum(o.unpriced for run in runs for o in run.outcomes.values())
    if unpriced:
        return f"{counted(unpriced, 'call')} without a known price (`linenotes prices`)"
    return ""


def _told(run: RunRecord, name: Used) -> bool:
    if name == "seconds":
        return run.plan.imported is not None and run.plan.imported.timed
    if name == "cost":
        return all(one.cost is not None or one.calls for one in run.outcomes.values())
    return any(outcome.tokens for outcome in run.outcomes.values())


def _table(run: RunRecord, name: Used) -> pd.DataFrame:
    ended = sorted(run.outcomes.keys() - run.lost)
    return sample_table(run, {key: _amount(run.outcomes[key], name) for key in ended})


def _amount(outcome: Outcome, name: Used) -> float:
    if name == "cost":
        return outcome.cost or 0.0
    return float(outcome.tokens) if name == "tokens" else outcome.seconds
