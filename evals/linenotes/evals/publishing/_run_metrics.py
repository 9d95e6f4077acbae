"""What a run is in MLflow as numbers: its estimates with their bounds, and what it used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from linenotes.evals._costs import cost_lines
from linenotes.evals._labels import label_shares
from linenotes.evals._repeats import Repeats
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._spending import Spending

if TYPE_CHECKING:
    from linenotes.evals.statistics import Estimate


def run_metrics(
    record: RunRecord, estimates: Mapping[str, Estimate], repeated: Mapping[str, Repeats]
) -> dict[str, float]:
    """Return each metric of the MLflow run of a record with its value."""
    values: dict[str, float] = {"samples": len(record.outcomes), **_spending(record)}
    for name, estimate in estimates.items():
        values |= _bounds(name, estimate)
        hats = repeated[name].pass_hat[1:] if name in repeated else ()
        for label, given in label_shares(record, name, estimate.target).items():
            values |= _bounds(f"{name}/{plain_name(label)}", given.share)
        for k, found in enumerate(hats, start=2):
            # MLflow's names of metrics have no circumflex.
            values |= _bounds(f"{name}/pass_hat_{k}", found)
    return values


def plain_name(name: str) -> str:
    """Return a name with the characters only that MLflow's names have."""
    return "".join(c if c.isalnum() or c in " ._-/" else " " for c in name)


def _bounds(name: str, found: Estimate) -> dict[str, float]:
    bounds = {name: found.mean, f"{name}/low": found.low, f"{name}/high": found.high}
    return {key: value for key, value in bounds.items() if value is not None}


def _spending(record: RunRecord) -> dict[str, float]:
    """Return what the run used as metrics; without any known price there is no cost, not 0.

    `cost` is of all calls, as in the document of a run, and `spent` of those that were made.
    """
    outcomes = record.outcomes.values()
    spent = Spending.total(map(Spending.of, outcomes))
    used = [line.used for line in cost_lines([record], "version")]
    values: dict[str, float] = {
        "calls": sum(outcome.calls for outcome in outcomes),
        "tokens": sum(outcome.tokens for outcome in outcomes),
        "unpriced_calls": sum(outcome.unpriced for outcome in outcomes),
    }
    cost = used[0].cost if used else 0.0
    costs = {"cost": cost, "spent": spent.cost, **_costs_of_agents(record)}
    return values | {name: cost for name, cost in costs.items() if cost is not None}


def _costs_of_agents(record: RunRecord) -> dict[str, float | None]:
    lines = cost_lines([record], "agent")
    return {f"cost/{plain_name(line.name)}": line.used.cost for line in lines if line.name}
