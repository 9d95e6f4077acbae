"""What one more sample of both versions takes, by what the samples of a pilot took."""

from __future__ import annotations

from collections.abc import Sequence

from linenotes.evals.journal._records import RunRecord
from linenotes.evals.sizing._suite_sizes import Wish


def per_pair(runs: Sequence[RunRecord], wish: Wish) -> tuple[float | None, float | None]:
    """Return dollars and seconds of one more sample of both versions."""
    both = runs if len(runs) > 1 else (*runs, *runs)
    costs = [_mean_cost(run) if wish.sample_cost is None else wish.sample_cost for run in both]
    times = [_mean_seconds(run) for run in both]
    return _sum_of_known(costs), _sum_of_known(times)


def _sum_of_known(amounts: Sequence[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _mean_cost(run: RunRecord) -> float | None:
    costs = [one.cost for one in run.outcomes.values() if one.cost is not None]
    return sum(costs) / len(costs) if costs else None


def _mean_seconds(run: RunRecord) -> float | None:
    imported = run.plan.imported
    if imported is not None and not imported.timed:
        return None
    # What recordings stood in for took no time.
    times = [one.seconds for one in run.outcomes.values() if not one.replayed]
    return sum(times) / len(times) if times else None
