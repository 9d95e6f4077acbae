"""From a pilot to the cases and samples that a wanted change needs, and what they cost.

A pilot is one run, or two runs of the same cases. Two show how the difference varies over cases;
one does not, and what is assumed instead is said with every number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import Pilot

DEPTHS = (1, 2, 3, 5, 10)
"""The samples a case that are shown."""
DEFAULT_CHANGE = 0.05
DEFAULT_POWER = 0.8
DEFAULT_CORRELATION = 0.5
_OTHER_CORRELATIONS = (0.0, 0.9)
ALPHA = 0.05


@dataclass(frozen=True)
class Wish:
    """What a suite is to be able to see."""

    changes: tuple[float, ...] = (DEFAULT_CHANGE,)
    """In the metric's own unit; of a rate .05 is 5 points."""
    power: float = DEFAULT_POWER
    correlation: float = DEFAULT_CORRELATION
    """Of the true rates of two versions over cases; assumed where there is one run only."""
    sample_cost: float | None = None
    """US dollars of one sample; None stands for what the pilot's cost."""
    case_cost: float | None = None
    """US dollars of one more case, such as writing and checking it."""


@dataclass(frozen=True)
class Need:
    """What one change needs at one K."""

    change: float
    cases: int
    samples: int
    """Of both versions together."""
    cost: float | None
    """US dollars of the samples, and of the new cases where it is known what one costs."""
    seconds: float | None
    """Of agents' work, one sample after another."""


@dataclass(frozen=True)
class Depth:
    """What K samples a case come to."""

    samples: int
    detectable: float
    """The change that the pilot's cases detect, in each version with so many samples."""
    needs: tuple[Need, ...]
    """One a wanted change."""


@dataclass(frozen=True)
class SuiteSize:
    """How large a suite must be for what is wished."""

    metric: str
    is_rate: bool
    runs: tuple[RunPlan, ...]
    """The pilot: one run, or two."""
    pilot: Pilot
    wish: Wish
    depths: tuple[Depth, ...]
    floor: float
    """What the pilot's cases detect with endless samples."""
    samples_help: bool
    """Whether more samples than the pilot had would narrow the interval noticeably."""
    best_samples: float | None
    """K*: the samples a case that see most for the money; None where a cost is not known."""
    otherwise: dict[float, int] = field(default_factory=dict)
    """Another correlation to the cases that the first change then needs at the pilot's K."""


def size_suite(
    base: RunRecord,
    candidate: RunRecord | None = None,
    *,
    metric: str | None = None,
    wish: Wish = Wish(),
) -> SuiteSize:
    """Return how many cases and samples a wanted change needs, by what a pilot shows.

    Args:
        base: the pilot, or its first run.
        candidate: another run of the same cases.
        metric: a metric of the pilot; None stands for its primary one.
        wish: what is to be seen.

    Raises:
        RunError: the pilot cannot tell; the message says what would.
    """
    runs = (base,) if candidate is None else (base, candidate)
    metric = metric or next(iter(base.plan.metrics), "")
    for run in runs:
        _require_metric(run.plan, metric)
    pilot = _pilot(runs, metric, wish.correlation)
    price, seconds = _per_pair(runs, wish)
    depths = [_depth(pilot, k, wish, price, seconds) for k in DEPTHS if _is_known(pilot, k)]
    return SuiteSize(
        metric=metric,
        is_rate=all(is_rate(run, metric) for run in runs),
        runs=tuple(run.plan for run in runs),
        pilot=pilot,
        wish=wish,
        depths=tuple(depths),
        floor=_detectable(pilot, math.inf, wish),
        samples_help=_samples_help(pilot),
        best_samples=_best(pilot, wish, price),
        otherwise=_otherwise(runs, metric, wish),
    )


def _require_metric(plan: RunPlan, metric: str) -> None:
    if metric not in plan.metrics:
        known = f"It has {', '.join(plan.metrics)}." if plan.metrics else "It has no scores."
        raise RunError(f"Run {plan.run_id[:12]} has no metric {metric!r}. {known}")


def _pilot(runs: Sequence[RunRecord], metric: str, correlation: float) -> Pilot:
    from linenotes.evals.statistics import pilot_of_pair, pilot_of_run

    tables = [score_table(run, metric, beside=runs) for run in runs]
    try:
        if len(tables) > 1:
            return pilot_of_pair(*tables)
        return pilot_of_run(tables[0], correlation=correlation)
    except ValueError as error:
        names = " and ".join(run.plan.run_id[:12] for run in runs)
        raise RunError(
            f"Run {names} is no pilot to plan {metric!r} with: {error} More samples of a run: "
            f"`linenotes eval --resume {runs[0].plan.run_id[:12]} --samples N`."
        ) from None


def _is_known(pilot: Pilot, samples: int) -> bool:
    """Say whether the pilot tells what so many samples a case would do."""
    return pilot.noise_is_known or samples == 1


def _per_pair(runs: Sequence[RunRecord], wish: Wish) -> tuple[float | None, float | None]:
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


def _depth(
    pilot: Pilot, samples: int, wish: Wish, price: float | None, seconds: float | None
) -> Depth:
    needs = tuple(_need(pilot, samples, change, wish, price, seconds) for change in wish.changes)
    return Depth(samples, _detectable(pilot, samples, wish), needs)


def _need(
    pilot: Pilot,
    samples: int,
    change: float,
    wish: Wish,
    price: float | None,
    seconds: float | None,
) -> Need:
    cases = _cases(pilot, change, samples, wish.power)
    pairs = cases * samples
    new = max(0, cases - pilot.n_cases) * (wish.case_cost or 0.0)
    return Need(
        change=change,
        cases=cases,
        samples=2 * pairs,
        cost=None if price is None else pairs * price + new,
        seconds=None if seconds is None else pairs * seconds,
    )


def _cases(pilot: Pilot, change: float, samples: float, power: float) -> int:
    from linenotes.evals.statistics import required_cases

    return max(2, required_cases(pilot.spread, change, samples=samples, alpha=ALPHA, power=power))


def _detectable(pilot: Pilot, samples: float, wish: Wish) -> float:
    from linenotes.evals.statistics import detectable_change

    se = pilot.spread.se(pilot.n_cases, samples)
    return detectable_change(se, alpha=ALPHA, power=wish.power)


def _samples_help(pilot: Pilot) -> bool:
    from linenotes.evals.statistics import more_samples_help

    noise = pilot.spread.noise(pilot.samples[0])
    return pilot.noise_is_known and more_samples_help(noise, pilot.spread.between)


def _best(pilot: Pilot, wish: Wish, price: float | None) -> float | None:
    from linenotes.evals.statistics import best_samples

    if wish.case_cost is None or not price or not pilot.noise_is_known:
        return None
    return best_samples(pilot.spread, case_cost=wish.case_cost, sample_cost=price)


def _otherwise(runs: Sequence[RunRecord], metric: str, wish: Wish) -> dict[float, int]:
    """Return what other assumptions would come to, where one was made."""
    if len(runs) > 1:
        return {}
    others = {rho: _pilot(runs, metric, rho) for rho in _OTHER_CORRELATIONS}
    return {
        rho: _cases(pilot, wish.changes[0], pilot.samples[0], wish.power)
        for rho, pilot in others.items()
        if rho != wish.correlation
    }
