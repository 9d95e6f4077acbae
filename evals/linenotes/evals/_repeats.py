"""What repeated samples of a case show: pass^k, all of k samples pass, and pass@k, any does.

The rates, their intervals (for the population of cases like these) and their sources are those
of `linenotes.evals.statistics`; here they are only collected for each k and written out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.journal._tables import is_rate, score_table

if TYPE_CHECKING:
    from linenotes.evals.journal._records import RunRecord
    from linenotes.evals.statistics import Estimate

_SHOWN = 6
"""How many values of k a line shows."""


@dataclass(frozen=True)
class Repeats:
    """pass^k and pass@k of one metric, for k from 1 to the fewest scored samples of a case."""

    pass_hat: tuple[Estimate, ...]
    """pass^1, pass^2, …: the chance that all of k samples pass."""
    pass_at: tuple[Estimate, ...]
    """pass@1, pass@2, …: the chance that at least one of k samples passes."""

    def texts(self) -> list[str]:
        """Return `pass^1 .420 (.31 to .53)` for each k; of many, the first ones and the last."""
        found = [f"pass^{k} {_with_bounds(e)}" for k, e in enumerate(self.pass_hat, start=1)]
        return found if len(found) <= _SHOWN else [*found[: _SHOWN - 1], found[-1]]


def repeats(record: RunRecord) -> dict[str, Repeats]:
    """Return metric to pass^k and pass@k.

    Metrics whose values are not passes and failures are left out, and those of which some scored
    case has a single sample.
    """
    found = {name: _of_metric(record, name) for name in record.plan.metrics}
    return {name: shown for name, shown in found.items() if shown}


def _of_metric(record: RunRecord, metric: str) -> Repeats | None:
    from linenotes.evals.statistics import pass_at, pass_hat

    scores = score_table(record, metric)
    fewest = int(scores.groupby("case").size().min()) if len(scores) else 0
    if fewest < 2 or not is_rate(record, metric):  # noqa: PLR2004  one sample repeats nothing
        return None
    every = range(1, fewest + 1)
    return Repeats(
        pass_hat=tuple(pass_hat(scores, k) for k in every),
        pass_at=tuple(pass_at(scores, k) for k in every),
    )


def _with_bounds(found: Estimate) -> str:
    if found.mean is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{_decimals(found.mean, 3)} (no interval)"
    low, high = (_decimals(bound, 2) for bound in (found.low, found.high))
    return f"{_decimals(found.mean, 3)} ({low} to {high})"


def _decimals(rate: float, places: int) -> str:
    return f"{rate:.{places}f}".removeprefix("0")
